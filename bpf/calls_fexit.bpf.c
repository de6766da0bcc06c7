// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entry shims: the returns of kernel functions, where the kernel lets them be traced. Whoever calls comes
 * here: system calls, 32-bit ones, io_uring. They run in the context of the calling process.
 */
#include "calls.h"

/* Behind `act` come the function's arguments and its result. */
#define FEXIT_PAIR(name, function, paired, act, ...)                                                         \
	SEC("?fexit/" function) int BPF_PROG(name##_first, __VA_ARGS__)                                      \
	{                                                                                                    \
		THREAD_PAIR_FIRST(paired, act);                                                              \
	}                                                                                                    \
	SEC("?fexit/" function) int BPF_PROG(name##_second, __VA_ARGS__)                                     \
	{                                                                                                    \
		THREAD_PAIR_SECOND(paired, act);                                                             \
	}

/* The socket, if it is one of ours and a process acts, not the kernel for itself. */
static __always_inline struct sock *socket_to_tell(struct socket *socket)
{
	struct sock *sk = socket->sk;

	return sk && socket_is_ours_sk(sk) && !task_is_kernel_thread() ? sk : NULL;
}

/* --- what is refused before -------------------------------------------------------------------------------
 */

/*
 * Security modules are asked before the functions below: the system call fails, and they are not called. A
 * failure that they have told is marked by thread, so that the return of the system call leaves it alone.
 * Ways in without a system call come here, too: their mark may stand until the next call of that thread,
 * which begins by taking it away.
 */
static __always_inline void call_told(void)
{
	__u32 tid = bpf_get_current_pid_tgid();
	__u8 yes = 1;

	bpf_map_update_elem(&calls_told, &tid, &yes, BPF_ANY);
}

static __always_inline int call_begins(void)
{
	__u32 tid = bpf_get_current_pid_tgid();

	bpf_map_delete_elem(&calls_told, &tid);
	return 0;
}

/*
 * The socket of a call that failed before anybody told it. Binds and listens of MPTCP reach the functions
 * below on some kernels only (inet_bind_sk and __inet_listen_sk of 6.6 and 6.7 are called without them): what
 * they tell of subflows is marked like a failure, and told here where it is not.
 */
static __always_inline struct sock *socket_of_untold(int fd, int result)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct sock *sk = socket_of_fd(fd);

	if (!sk || !socket_is_ours_sk(sk) || (result >= 0 && !socket_is_subflow(sk)))
		return NULL;
	return bpf_map_delete_elem(&calls_told, &tid) ? sk : NULL;
}

/* --- bind ------------------------------------------------------------------------------------------------
 */

static __always_inline void bind_returned(struct socket *socket, const struct sockaddr *from, int length,
					  int result)
{
	struct sock *sk = socket_to_tell(socket);
	struct address address = {};
	struct note *note;
	__u64 cookie;

	if (!sk)
		return;
	cookie = socket_cookie_typed(sk);
	address_read(&address, from, length, ADDRESS_IN_KERNEL);
	bind_searched(cookie, &address);
	if (result < 0) {
		call_told();
		bind_failed(sk, cookie, -result, &address, PROBE_FENTRY);
		return;
	}
	if (socket_is_subflow(sk))
		call_told();
	note = note_of(sk);
	if (note && sk->__sk_common.skc_num) {
		note->port = sk->__sk_common.skc_num;
		note->since_ns = bpf_ktime_get_boot_ns();
		note_by_current(note);
	}
	bind_succeeded(sk, cookie, note, &address, !sk->__sk_common.skc_num, PROBE_FENTRY);
}

FEXIT_PAIR(fexit_bind4, "inet_bind", PAIRED_BIND4, bind_returned(socket, address, length, result),
	   struct socket *socket, struct sockaddr *address, int length, int result)

FEXIT_PAIR(fexit_bind6, "inet6_bind", PAIRED_BIND6, bind_returned(socket, address, length, result),
	   struct socket *socket, struct sockaddr *address, int length, int result)

SEC("?fentry/__sys_bind")
int BPF_PROG(fentry_bind_call, int fd, struct sockaddr *address, int length)
{
	return call_begins();
}

static __always_inline void bind_call_ended(int fd, const struct sockaddr *from, int length, int result)
{
	struct sock *sk = socket_of_untold(fd, result);
	struct address address = {};

	if (!sk)
		return;
	address_read(&address, from, length, ADDRESS_OF_CALLER);
	if (result < 0)
		bind_failed(sk, socket_cookie_of(sk), -result, &address, PROBE_FENTRY);
	else if (socket_cookie_of(sk))
		bind_succeeded(sk, socket_cookie_of(sk), NULL, &address,
			       !BPF_CORE_READ(sk, __sk_common.skc_num), PROBE_FENTRY);
}

FEXIT_PAIR(fexit_bind_call, "__sys_bind", PAIRED_BIND_CALL, bind_call_ended(fd, from, length, result), int fd,
	   struct sockaddr *from, int length, int result)

/* --- listen ----------------------------------------------------------------------------------------------
 */

static __always_inline void listen_ended(struct socket *socket, int result)
{
	struct sock *sk = socket_to_tell(socket);

	if (!sk)
		return;
	if (result < 0 || socket_is_subflow(sk))
		call_told();
	listen_returned(sk, socket_cookie_typed(sk), result < 0 ? -result : 0, PROBE_FENTRY);
}

FEXIT_PAIR(fexit_listen, "inet_listen", PAIRED_LISTEN, listen_ended(socket, result), struct socket *socket,
	   int backlog, int result)

SEC("?fentry/__sys_listen")
int BPF_PROG(fentry_listen_call, int fd, int backlog)
{
	return call_begins();
}

static __always_inline void listen_call_ended(int fd, int result)
{
	struct sock *sk = socket_of_untold(fd, result);

	if (sk)
		listen_returned(sk, socket_cookie_of(sk), result < 0 ? -result : 0, PROBE_FENTRY);
}

FEXIT_PAIR(fexit_listen_call, "__sys_listen", PAIRED_LISTEN_CALL, listen_call_ended(fd, result), int fd,
	   int backlog, int result)

/* --- connect ---------------------------------------------------------------------------------------------
 */

static __always_inline void tcp_connect_ended(struct socket *socket, const struct sockaddr *to, int length,
					      int result)
{
	struct address address = {};
	struct sock *sk;

	/* The usual case first: a TCP connect's outcome is seen by the state change. */
	if (!result)
		return;
	sk = socket_to_tell(socket);
	if (!sk)
		return;
	call_told();
	address_read(&address, to, length, ADDRESS_IN_KERNEL);
	connect_returned(sk, -result, &address, PROBE_FENTRY);
}

FEXIT_PAIR(fexit_connect_tcp, "inet_stream_connect", PAIRED_CONNECT_TCP,
	   tcp_connect_ended(socket, to, length, result), struct socket *socket, struct sockaddr *to,
	   int length, int flags, int result)

static __always_inline void udp_connect_ended(struct socket *socket, const struct sockaddr *to, int length,
					      int result)
{
	struct sock *sk = socket_to_tell(socket);
	struct address address = {};

	if (!sk)
		return;
	if (result < 0)
		call_told();
	address_read(&address, to, length, ADDRESS_IN_KERNEL);
	connect_returned(sk, result < 0 ? -result : 0, &address, PROBE_FENTRY);
}

FEXIT_PAIR(fexit_connect_udp, "inet_dgram_connect", PAIRED_CONNECT_UDP,
	   udp_connect_ended(socket, to, length, result), struct socket *socket, struct sockaddr *to,
	   int length, int flags, int result)

SEC("?fentry/__sys_connect")
int BPF_PROG(fentry_connect_call, int fd, struct sockaddr *to, int length)
{
	return call_begins();
}

static __always_inline void connect_call_ended(int fd, const struct sockaddr *to, int length, int result)
{
	struct sock *sk = result < 0 ? socket_of_untold(fd, result) : NULL;
	struct address address = {};

	if (!sk)
		return;
	address_read(&address, to, length, ADDRESS_OF_CALLER);
	connect_returned(sk, -result, &address, PROBE_FENTRY);
}

FEXIT_PAIR(fexit_connect_call, "__sys_connect", PAIRED_CONNECT_CALL,
	   connect_call_ended(fd, to, length, result), int fd, struct sockaddr *to, int length, int result)

/* --- a port for UDP ----------------------------------------------------------------------------------------
 */

/*
 * Runs only for a socket without a port, so it costs no send but the first. What connect(2) began,
 * cgroup/connect has claimed, and the return of connect tells it.
 */
static __always_inline void autobind_ended(struct sock *sk, int result)
{
	struct claim *claim;
	struct note *note;
	__u64 cookie;

	if (result || sk->sk_protocol != IPPROTO_UDP || !socket_is_ours_sk(sk) || task_is_kernel_thread())
		return;
	cookie = socket_cookie_typed(sk);
	claim = bpf_map_lookup_elem(&claims, &cookie);
	if (claim && claim->kind == CLAIM_AUTOBIND)
		return;
	note = note_of(sk);
	if (!note || note->port == sk->__sk_common.skc_num) /* another thread was first */
		return;
	note->port = sk->__sk_common.skc_num;
	note->since_ns = bpf_ktime_get_boot_ns();
	note_by_current(note);
	autobind_happened(sk, cookie, note, 0, PROBE_FENTRY);
}

FEXIT_PAIR(fexit_autobind, "inet_autobind", PAIRED_AUTOBIND, autobind_ended(sk, result), struct sock *sk,
	   int result)

/* --- accept ----------------------------------------------------------------------------------------------
 */

static __always_inline void accept_ended(const struct sock *listener, struct sock *sk)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct claim claim = {};
	struct note *note;
	__u64 cookie;
	__u8 yes = 1;

	if (control.accept_exits) /* the system call's return need not be told as well */
		bpf_map_update_elem(&accepts_told, &tid, &yes, BPF_ANY);
	if (!sk || !socket_is_ours_sk(sk) || task_is_kernel_thread())
		return;
	note = note_of(sk);
	cookie = socket_cookie_typed(sk);
	if (!note || note->flags & NOTE_ACCEPTED)
		return;
	note->flags |= NOTE_ACCEPTED | NOTE_IN;
	accept_claim(cookie, sk->__sk_common.skc_state,
		     &claim); /* each is returned once, with a claim or without */
	if (!claim.listener)
		claim.listener = note->listener;
	note_fill_listener(&claim, listener);
	note_owned_by_current(note);
	accept_took(sk, cookie, note, &claim, PROBE_FENTRY);
}

/* Up to 6.9; since then two arguments (92ef0fd55ac8 "net: change proto and proto_ops accept type"). */
FEXIT_PAIR(fexit_accept_of4, "inet_csk_accept", PAIRED_ACCEPT, accept_ended(listener, sk),
	   struct sock *listener, int flags, int *error, bool kernel, struct sock *sk)

FEXIT_PAIR(fexit_accept_of2, "inet_csk_accept", PAIRED_ACCEPT, accept_ended(listener, sk),
	   struct sock *listener, void *argument, struct sock *sk)

/*
 * Threads that were inside accept(2) when the hook came: their return passes it by, and the system call's own
 * tells it. Where the last call of a thread was an accept that is over, the next one corrects it.
 */
SEC("?iter/task")
int accept_adopt(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct pt_regs *regs;
	__u8 yes = 1;
	__u32 tid;

	if (!task)
		return 0;
	regs = compat_task_regs(task);
	tid = task->pid;
	if (!(task->flags & PF_KTHREAD) && compat_syscall_accepts(task, regs))
		bpf_map_update_elem(&accepts_inside, &tid, &yes, BPF_ANY);
	return 0;
}
