// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entry shims: the returns of kernel functions, where the kernel lets them be traced. Whoever calls comes
 * here: system calls, 32-bit ones, io_uring. They run in the context of the calling process.
 */
#include "calls.h"

static __always_inline struct note *note_of(struct sock *sk)
{
	struct note *note = bpf_sk_storage_get(&notes, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);

	if (!note)
		count_map_full();
	return note;
}

/* The socket, if it is one of ours and a process acts, not the kernel for itself. */
static __always_inline struct sock *socket_to_tell(struct socket *socket)
{
	struct sock *sk = socket->sk;

	return sk && socket_is_ours_sk(sk) && !task_is_kernel_thread() ? sk : NULL;
}

/* --- what is refused before
 * ----------------------------------------------------------------------------------
 */

/*
 * Security modules are asked before the functions below: the system call fails, and they are not called. A
 * failure that they have told is marked by thread, so that the return of the system call leaves it alone.
 * Ways in without a system call come here, too: their mark may stand until the next call of that thread,
 * which begins by taking it away.
 */
static __always_inline void failure_told(void)
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

/* The socket of a call that failed before anybody told it. */
static __always_inline struct sock *socket_of_refused(int fd, int result)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct sock *sk;

	if (result >= 0 || !bpf_map_delete_elem(&calls_told, &tid))
		return NULL;
	sk = socket_of_fd(fd);
	return sk && socket_is_ours_sk(sk) ? sk : NULL;
}

/* --- bind ------------------------------------------------------------------------------------------------
 */

static __always_inline int bind_returned(struct socket *socket, const struct sockaddr *from, int length,
					 int result)
{
	struct sock *sk = socket_to_tell(socket);
	struct address address = {};
	struct note *note;
	__u64 cookie;

	if (!sk)
		return 0;
	cookie = socket_cookie_typed(sk);
	address_read(&address, from, length, ADDRESS_IN_KERNEL);
	if (result < 0) {
		failure_told();
		bind_failed(sk, cookie, -result, &address, PROBE_FENTRY);
		return 0;
	}
	note = note_of(sk);
	if (note && sk->__sk_common.skc_num) {
		note->port = sk->__sk_common.skc_num;
		note->since_ns = bpf_ktime_get_boot_ns();
		note_by_current(note);
	}
	bind_succeeded(sk, cookie, note, &address, !sk->__sk_common.skc_num, PROBE_FENTRY);
	return 0;
}

SEC("?fexit/inet_bind")
int BPF_PROG(fexit_bind4, struct socket *socket, struct sockaddr *address, int length, int result)
{
	return bind_returned(socket, address, length, result);
}

SEC("?fexit/inet6_bind")
int BPF_PROG(fexit_bind6, struct socket *socket, struct sockaddr *address, int length, int result)
{
	return bind_returned(socket, address, length, result);
}

SEC("?fentry/__sys_bind")
int BPF_PROG(fentry_bind_call, int fd, struct sockaddr *address, int length)
{
	return call_begins();
}

SEC("?fexit/__sys_bind")
int BPF_PROG(fexit_bind_call, int fd, struct sockaddr *from, int length, int result)
{
	struct sock *sk = socket_of_refused(fd, result);
	struct address address = {};

	if (!sk)
		return 0;
	address_read(&address, from, length, ADDRESS_OF_CALLER);
	bind_failed(sk, socket_cookie_of(sk), -result, &address, PROBE_FENTRY);
	return 0;
}

/* --- listen ----------------------------------------------------------------------------------------------
 */

SEC("?fexit/inet_listen")
int BPF_PROG(fexit_listen, struct socket *socket, int backlog, int result)
{
	struct sock *sk = socket_to_tell(socket);

	if (!sk)
		return 0;
	if (result < 0)
		failure_told();
	listen_returned(sk, socket_cookie_typed(sk), result < 0 ? -result : 0, PROBE_FENTRY);
	return 0;
}

SEC("?fentry/__sys_listen")
int BPF_PROG(fentry_listen_call, int fd, int backlog)
{
	return call_begins();
}

SEC("?fexit/__sys_listen")
int BPF_PROG(fexit_listen_call, int fd, int backlog, int result)
{
	struct sock *sk = socket_of_refused(fd, result);

	if (sk)
		listen_returned(sk, socket_cookie_of(sk), -result, PROBE_FENTRY);
	return 0;
}

/* --- connect ---------------------------------------------------------------------------------------------
 */

SEC("?fexit/inet_stream_connect")
int BPF_PROG(fexit_connect_tcp, struct socket *socket, struct sockaddr *to, int length, int flags, int result)
{
	struct address address = {};
	struct sock *sk;

	/* The usual case first: a TCP connect's outcome is seen by the state change. */
	if (!result)
		return 0;
	sk = socket_to_tell(socket);
	if (!sk)
		return 0;
	failure_told();
	address_read(&address, to, length, ADDRESS_IN_KERNEL);
	connect_returned(sk, -result, &address, PROBE_FENTRY);
	return 0;
}

SEC("?fexit/inet_dgram_connect")
int BPF_PROG(fexit_connect_udp, struct socket *socket, struct sockaddr *to, int length, int flags, int result)
{
	struct sock *sk = socket_to_tell(socket);
	struct address address = {};

	if (!sk)
		return 0;
	if (result < 0)
		failure_told();
	address_read(&address, to, length, ADDRESS_IN_KERNEL);
	connect_returned(sk, result < 0 ? -result : 0, &address, PROBE_FENTRY);
	return 0;
}

SEC("?fentry/__sys_connect")
int BPF_PROG(fentry_connect_call, int fd, struct sockaddr *to, int length)
{
	return call_begins();
}

SEC("?fexit/__sys_connect")
int BPF_PROG(fexit_connect_call, int fd, struct sockaddr *to, int length, int result)
{
	struct sock *sk = socket_of_refused(fd, result);
	struct address address = {};

	if (!sk)
		return 0;
	address_read(&address, to, length, ADDRESS_OF_CALLER);
	connect_returned(sk, -result, &address, PROBE_FENTRY);
	return 0;
}

/* --- a port for UDP ----------------------------------------------------------------------------------------
 */

/*
 * Runs only for a socket without a port, so it costs no send but the first. What connect(2) began,
 * cgroup/connect has claimed, and the return of connect tells it.
 */
SEC("?fexit/inet_autobind")
int BPF_PROG(fexit_autobind, struct sock *sk, int result)
{
	struct claim *claim;
	struct note *note;
	__u64 cookie;

	if (result || sk->sk_protocol != IPPROTO_UDP || !socket_is_ours_sk(sk) || task_is_kernel_thread())
		return 0;
	cookie = socket_cookie_typed(sk);
	claim = bpf_map_lookup_elem(&claims, &cookie);
	if (claim && claim->kind == CLAIM_AUTOBIND)
		return 0;
	note = note_of(sk);
	if (!note || note->port == sk->__sk_common.skc_num) /* another thread was first */
		return 0;
	note->port = sk->__sk_common.skc_num;
	note->since_ns = bpf_ktime_get_boot_ns();
	note_by_current(note);
	autobind_happened(sk, cookie, note, 0, PROBE_FENTRY);
	return 0;
}

/* --- accept ----------------------------------------------------------------------------------------------
 */

static __always_inline int accept_ended(struct sock *sk)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct claim claim = {};
	struct note *note;
	__u64 cookie;
	__u8 yes = 1;

	if (control.accept_exits) /* the system call's return need not be told as well */
		bpf_map_update_elem(&accepts_told, &tid, &yes, BPF_ANY);
	if (!sk || !socket_is_ours_sk(sk) || task_is_kernel_thread())
		return 0;
	note = note_of(sk);
	cookie = socket_cookie_typed(sk);
	if (!note || note->flags & NOTE_ACCEPTED)
		return 0;
	note->flags |= NOTE_ACCEPTED;
	accept_claim(cookie, sk->__sk_common.skc_state,
		     &claim); /* each is returned once, with a claim or without */
	if (!claim.listener)
		claim.listener = note->listener;
	note_owned_by_current(note);
	accept_took(sk, cookie, note, &claim, PROBE_FENTRY);
	return 0;
}

/* Up to 6.9; since then two arguments (92ef0fd55ac8 "net: change proto and proto_ops accept type"). */
SEC("?fexit/inet_csk_accept")
int BPF_PROG(fexit_accept_of4, struct sock *listener, int flags, int *error, bool kernel, struct sock *sk)
{
	return accept_ended(sk);
}

SEC("?fexit/inet_csk_accept")
int BPF_PROG(fexit_accept_of2, struct sock *listener, void *argument, struct sock *sk)
{
	return accept_ended(sk);
}

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
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	tid = task->pid;
	if (!(task->flags & PF_KTHREAD) && compat_syscall_accepts(task, regs))
		bpf_map_update_elem(&accepts_inside, &tid, &yes, BPF_ANY);
	return 0;
}
