/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/hooks.h"

#include <portsnoop/told.h>

#include <string.h>

#define F(name)	     (1u << FACT_##name)
#define TYPED(facts) PROBE_TRACEPOINT, facts, 0

#define HOLDING	  "names of short-lived processes, and who holds a socket after fork, exec and exit"
#define RELEASED  "ends of listeners, UDP and bound sockets, and who let go"
#define ASKED	  "the port that a bind asked for"
#define EARLY	  "connects that fail before a SYN"
#define SEND	  "UDP ports by send (told late, when given back)"
#define UDP	  HOOK_UNSEEN_UDP_CONNECT
#define ADDRESSED "accepts that ask for the peer's address"
#define CHILDREN  "connections of listeners, and which one they are of"
#define PLAIN	  "accepts that do not ask for the peer's address"

static const struct hook hooks[] = {
	{"old_created", PROBE_CGROUP, F(ACCEPT), 0, CHILDREN, NULL, true},
	{"old_socket_met", PROBE_CGROUP, F(ACCEPT), 0, CHILDREN, NULL, true},
	{"exec_first", TYPED(F(PROCESS)), HOLDING},
	{"exec_second", TYPED(F(PROCESS)), HOLDING},
	{"exit_first", TYPED(F(PROCESS)), HOLDING},
	{"exit_second", TYPED(F(PROCESS)), HOLDING},
	{"fork_first", TYPED(F(PROCESS)), HOLDING},
	{"fork_second", TYPED(F(PROCESS)), HOLDING},
	{"owner_created", PROBE_CGROUP, F(RELEASE), 0, RELEASED},
	{"owner_released", PROBE_CGROUP, F(RELEASE), 0, RELEASED},
	{"state_first", TYPED(F(CONNECT) | F(CLOSE))},
	{"state_second", TYPED(F(CONNECT) | F(CLOSE))},
	{"refuse_first", TYPED(F(REFUSE)), NULL, "6.10"},
	{"refuse_second", TYPED(F(REFUSE)), NULL, "6.10"},
	{"cgroup_bind4", PROBE_CGROUP, F(BIND), TOLD_BIND, ASKED},
	{"cgroup_bind6", PROBE_CGROUP, F(BIND), TOLD_BIND, ASKED},
	{"cgroup_post_bind4", PROBE_CGROUP, F(BIND), TOLD_BIND},
	{"cgroup_post_bind6", PROBE_CGROUP, F(BIND), TOLD_BIND},
	{"cgroup_connect4", PROBE_CGROUP, F(AUTOBIND), 0, UDP},
	{"cgroup_connect6", PROBE_CGROUP, F(AUTOBIND), 0, UDP},
	{"cgroup_sendmsg4", PROBE_CGROUP, F(AUTOBIND), TOLD_AUTOBIND, SEND},
	{"cgroup_sendmsg6", PROBE_CGROUP, F(AUTOBIND), TOLD_AUTOBIND, SEND},
	{"cgroup_getpeername4", PROBE_CGROUP, F(ACCEPT), TOLD_ACCEPT, ADDRESSED},
	{"cgroup_getpeername6", PROBE_CGROUP, F(ACCEPT), TOLD_ACCEPT, ADDRESSED},
	{"syscall_bind", PROBE_TRACEPOINT, F(BIND_ERROR), TOLD_BIND_ERROR},
	{"syscall_listen", PROBE_TRACEPOINT, F(LISTEN), TOLD_LISTEN},
	{"syscall_connect", PROBE_TRACEPOINT, F(CONNECT), TOLD_CONNECT, EARLY},
	{"syscall_accept3", PROBE_TRACEPOINT, F(ACCEPT), TOLD_ACCEPT, PLAIN},
	{"syscall_accept4", PROBE_TRACEPOINT, F(ACCEPT), TOLD_ACCEPT, PLAIN},
	{"uring_first", PROBE_TRACEPOINT, F(IO_URING), TOLD_CALLS, NULL, "5.18"},
	{"uring_second", PROBE_TRACEPOINT, F(IO_URING), TOLD_CALLS, NULL, "5.18"},
};

#define N_HOOKS (sizeof(hooks) / sizeof(hooks[0]))
_Static_assert(N_HOOKS <= HOOKS_MAX, "not every hook has room for its state");

const struct hook *hooks_table(size_t *ret_count)
{
	*ret_count = N_HOOKS;
	return hooks;
}

bool hook_is_udp_send(const struct hook *hook)
{
	return hook->facts & F(AUTOBIND) && hook->unless == TOLD_AUTOBIND;
}

bool hook_is_told(const struct hook *hook, uint32_t told)
{
	return hook->unless && (told & hook->unless) == hook->unless;
}
