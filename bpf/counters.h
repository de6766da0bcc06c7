/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each fact adds to the counters: by every body that means something, after a skipped run was rescued
 * and before its record is sent, so that what is lost on the way is counted all the same. Nothing is left of
 * it where nobody wants counters: the knob is a constant then, and the verifier takes out what stands behind
 * it.
 */
#ifndef PORTSNOOP_BPF_COUNTERS_H
#define PORTSNOOP_BPF_COUNTERS_H

#include "compat.h"
#include "maps.h"

#include <bpf/bpf_endian.h>

/* Defined in counters.bpf.c. Return nothing of use; global functions must return a number. */

/* One more of these. */
int count_add(const struct count_key *key);
/* The same, and whom it happened to. Process context only. */
int count_add_current(const struct count_key *key);
/* One more of these, that took so long; 0: not known. */
int span_add(const struct count_key *key, __u64 duration_ns, __u64 sent, __u64 received, __u64 retransmits);
/* The number of what the current process's executable is called. Process context only. */
int count_name_current(void);

static __always_inline __u32 netns_of(const struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
}

/* Whose a connection is: its connector or accepter, in whose context this is. */
static __always_inline void count_owner(struct note *note)
{
	if (!knob_counters)
		return;
	note->owner_cgroup_id = bpf_get_current_cgroup_id();
	note->owner_name = count_name_current();
}

/* --- ports that the kernel chose --------------------------------------------------------------------------
 */

static __always_inline void count_assigned_in(__u32 netns, enum count_assigned by)
{
	struct count_key key = {.kind = COUNT_ASSIGN, .assigned = by, .netns = netns};

	if (knob_counters)
		count_add(&key);
}

/* It had none left to choose. */
static __always_inline void count_exhausted_in(__u32 netns)
{
	struct count_key key = {.kind = COUNT_EXHAUST, .netns = netns};

	if (knob_counters)
		count_add(&key);
}

static __always_inline void count_assigned(const struct sock *sk, enum count_assigned by)
{
	if (knob_counters)
		count_assigned_in(netns_of(sk), by);
}

static __always_inline void count_exhausted(const struct sock *sk)
{
	if (knob_counters)
		count_exhausted_in(netns_of(sk));
}

/* --- bind and listen --------------------------------------------------------------------------------------
 */

/* any_port: 0 was asked for, and a port came back. */
static __always_inline void count_bind(const struct sock *sk, bool any_port)
{
	struct count_key key = {.kind = COUNT_BIND, .assigned = any_port ? ASSIGNED_BIND : ASSIGNED_NOT};

	if (!knob_counters)
		return;
	key.protocol = BPF_CORE_READ(sk, sk_protocol);
	key.name = count_name_current();
	count_add(&key);
	if (any_port)
		count_assigned(sk, ASSIGNED_BIND);
}

static __always_inline void count_bind_error(const struct sock *sk, int error, bool any_port)
{
	struct count_key key = {.kind = COUNT_BIND_ERROR, .error = error};

	if (!knob_counters)
		return;
	key.protocol = BPF_CORE_READ(sk, sk_protocol);
	key.name = count_name_current();
	count_add_current(&key);
	if (any_port && error == 98 /* EADDRINUSE */)
		count_exhausted(sk);
}

/* --- connect ----------------------------------------------------------------------------------------------
 */

static __always_inline void count_connect(__u16 server_port, __u32 name, __u64 duration_ns)
{
	struct count_key key = {.kind = COUNT_CONNECT, .port = server_port, .name = name};

	if (knob_counters)
		span_add(&key, duration_ns, 0, 0, 0);
}

static __always_inline void count_connect_error(__u16 protocol, __u16 server_port, __u32 name, int error)
{
	struct count_key key = {.kind = COUNT_CONNECT_ERROR,
				.port = server_port,
				.protocol = protocol,
				.name = name,
				.error = error};

	if (knob_counters)
		count_add(&key);
}

/* --- accept -----------------------------------------------------------------------------------------------
 */

/*
 * The current process took a connection whose note cannot be reached; queue_ns 0: it is not known for how
 * long it waited, cookie 0: nor which one it was.
 */
static __always_inline void count_accept(__u32 netns, __u16 local_port, __u64 cookie, __u64 queue_ns)
{
	struct count_key key = {.kind = COUNT_ACCEPT, .netns = netns, .port = local_port};
	struct accepter accepter;

	if (!knob_counters)
		return;
	key.name = count_name_current();
	key.cgroup_id = bpf_get_current_cgroup_id();
	span_add(&key, queue_ns, 0, 0, 0);
	if (!cookie)
		return;
	accepter = (struct accepter){.cgroup_id = key.cgroup_id, .name = key.name};
	bpf_map_update_elem(&accepters, &cookie, &accepter, BPF_ANY);
}

/* The same of one whose note says whose it is now. */
static __always_inline void count_accept_noted(const struct sock *sk, const struct note *note, __u64 queue_ns)
{
	struct count_key key = {.kind = COUNT_ACCEPT};

	if (!knob_counters)
		return;
	key.netns = note->netns ? note->netns : netns_of(sk);
	key.port = note->port ? note->port : BPF_CORE_READ(sk, __sk_common.skc_num);
	key.name = note->owner_name;
	key.cgroup_id = note->owner_cgroup_id;
	span_add(&key, queue_ns, 0, 0, 0);
}

/* --- the end of a connection ------------------------------------------------------------------------------
 */

struct ended {
	__u64 sent, received, retransmits, duration_ns;
	__u32 netns;
	__u16 local_port, peer_port;
	__u8 reason; /* enum close_reason */
};

static __always_inline void count_close_owner(struct count_key *key, const struct note *note, __u64 cookie)
{
	const struct accepter *accepter;

	if (note && note->owner_pid) {
		key->name = note->owner_name;
		key->cgroup_id = note->owner_cgroup_id;
		return;
	}
	accepter = bpf_map_lookup_elem(&accepters, &cookie);
	if (!accepter)
		return;
	key->name = accepter->name;
	key->cgroup_id = accepter->cgroup_id;
	bpf_map_delete_elem(&accepters, &cookie);
}

static __always_inline void count_close(const struct ended *ended, __u64 cookie, const struct note *note)
{
	struct count_key key = {.kind = COUNT_CLOSE, .reason = ended->reason, .netns = ended->netns};

	if (note && note->flags & NOTE_IN) {
		key.direction = DIRECTION_IN;
		key.port = ended->local_port;
	} else if (note && note->flags & NOTE_OUT) {
		key.direction = DIRECTION_OUT;
		key.port = ended->peer_port;
	}
	count_close_owner(&key, note, cookie);
	span_add(&key, ended->duration_ns, ended->sent, ended->received, ended->retransmits);
}

/* --- refusals ---------------------------------------------------------------------------------------------
 */

static __always_inline void count_refused(__u32 netns, __u16 local_port)
{
	struct count_key key = {.kind = COUNT_REFUSE, .netns = netns, .port = local_port};

	if (knob_counters)
		count_add(&key);
}

#endif
