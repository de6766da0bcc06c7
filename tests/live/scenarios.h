/* SPDX-License-Identifier: GPL-2.0-only */
/* The list of all scenarios, in the order in which they run. */
#ifndef LIVE_SCENARIOS_H
#define LIVE_SCENARIOS_H

#include "scene.h"

#define SCENARIO_LIST(X)                                                                                     \
	X(connections_client_first)                                                                          \
	X(connections_server_first)                                                                          \
	X(connections_reset)                                                                                 \
	X(connections_ipv6)                                                                                  \
	X(short_lived)                                                                                       \
	X(books_small_ring)                                                                                  \
	X(books_smallest_ring)                                                                               \
	X(save_replay)                                                                                       \
	X(adversary_null)                                                                                    \
	X(adversary_address)                                                                                 \
	X(ephemeral_ipv4)                                                                                    \
	X(ephemeral_ipv6)                                                                                    \
	X(bind_failures)                                                                                     \
	X(bind_unprivileged)                                                                                 \
	X(forbidden_by_policy)                                                                               \
	X(forbidden_by_cgroup)                                                                               \
	X(bind_options)                                                                                      \
	X(connect_refused)                                                                                   \
	X(connect_exhausted)                                                                                 \
	X(connect_timeout)                                                                                   \
	X(connect_unreachable)                                                                               \
	X(connect_nonblocking)                                                                               \
	X(connect_closed_early)                                                                              \
	X(parents_socket)                                                                                    \
	X(makers_gone)                                                                                       \
	X(udp)                                                                                               \
	X(udp_killed)                                                                                        \
	X(udp_gives_back)                                                                                    \
	X(listeners)                                                                                         \
	X(listener_killed)                                                                                   \
	X(listen_fails)                                                                                      \
	X(uring_bind_listen)                                                                                 \
	X(uring_connect)                                                                                     \
	X(uring_accept)                                                                                      \
	X(uring_accept_multishot)                                                                            \
	X(fast_open)                                                                                         \
	X(dual_stack)                                                                                        \
	X(port_use)                                                                                          \
	X(port_use_exhausted)                                                                                \
	X(refused_syns)                                                                                      \
	X(accept_queue_overflow)                                                                             \
	X(blocked_accept)                                                                                    \
	X(preempted)                                                                                         \
	X(probes_run_out)                                                                                    \
	X(calls_32bit)                                                                                       \
	X(who_holders)                                                                                       \
	X(who_addresses)                                                                                     \
	X(who_remains)                                                                                       \
	X(who_words)                                                                                         \
	X(who_paged)                                                                                         \
	X(wait_listening)                                                                                    \
	X(wait_free)                                                                                         \
	X(wait_remains)                                                                                      \
	X(wait_timeout)                                                                                      \
	X(why_situations)                                                                                    \
	X(why_oracle)                                                                                        \
	X(follow)                                                                                            \
	X(server_nginx)                                                                                      \
	X(server_redis)                                                                                      \
	X(server_python)                                                                                     \
	X(server_dnsmasq)                                                                                    \
	X(hostile_names)                                                                                     \
	X(environment_stays_secret)                                                                          \
	X(error_unprivileged)                                                                                \
	X(error_no_btf)                                                                                      \
	X(without_cgroup2)                                                                                   \
	X(without_tracefs)                                                                                   \
	X(backend_choice)                                                                                    \
	X(doctor_here)                                                                                       \
	X(doctor_no_loopback)                                                                                \
	X(doctor_without_privilege)                                                                          \
	X(doctor_backend_truth)                                                                              \
	X(doctor_functions_silent)                                                                           \
	X(doctor_without_cgroup2)                                                                            \
	X(doctor_without_btf)                                                                                \
	X(error_usage)                                                                                       \
	X(error_output)                                                                                      \
	X(error_recording)                                                                                   \
	X(sigterm_flushes)                                                                                   \
	X(idle_memory)                                                                                       \
	X(lone_event)                                                                                        \
	X(filters)                                                                                           \
	X(names)                                                                                             \
	X(databases)                                                                                         \
	X(names_move)                                                                                        \
	X(trace_options)                                                                                     \
	X(snapshot_complete)                                                                                 \
	X(snapshot_as_ss)                                                                                    \
	X(snapshot_as_ss_many)                                                                               \
	X(snapshot_forbidden)                                                                                \
	X(onlooker)                                                                                          \
	X(owners_events)                                                                                     \
	X(owners_sets)                                                                                       \
	X(owners_sets_watched)                                                                               \
	X(churn)                                                                                             \
	X(churn_loss)                                                                                        \
	X(instance_clients)                                                                                  \
	X(instance_stopped)                                                                                  \
	X(instance_ends)                                                                                     \
	X(instance_accounts)                                                                                 \
	X(instance_impostor)                                                                                 \
	X(instance_succession)                                                                               \
	X(instance_remembers)                                                                                \
	X(wakeups)

#define X(name) void name(struct scene *scene);
SCENARIO_LIST(X)
#undef X

#endif
