// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entry shims: system-call tracepoints. Only exits are traced; the arguments are still in the saved
 * registers. They cost every system call of the machine a little, so there are none but these five.
 */
#include "calls.h"

static __always_inline int argument_fd(struct pt_regs *regs)
{
	if (!compat_regs_are_of_user(regs))
		return -1;
	return PT_REGS_PARM1_CORE_SYSCALL(regs);
}

static __always_inline void argument_address(struct address *to, struct pt_regs *regs)
{
	address_read(to, (const void *)PT_REGS_PARM2_CORE_SYSCALL(regs),
		     (__u32)PT_REGS_PARM3_CORE_SYSCALL(regs), ADDRESS_OF_CALLER);
}

/* The socket that the call was about, if it is one of ours. */
static __always_inline struct sock *argument_socket(struct pt_regs *regs)
{
	struct sock *sk = socket_of_fd(argument_fd(regs));

	return sk && socket_is_ours_sk(sk) ? sk : NULL;
}

SEC("tracepoint/syscalls/sys_exit_bind")
int syscall_bind(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *regs = compat_syscall_regs();
	struct sock *sk = argument_socket(regs);
	struct address address = {};
	__u64 cookie;

	if (!sk)
		return 0;
	cookie = socket_cookie_of(sk);
	if (ctx->ret < 0) {
		if (!bind_asked(cookie, &address))
			argument_address(&address, regs);
		bind_failed(sk, cookie, -ctx->ret, &address, PROBE_TRACEPOINT);
	} else if (!BPF_CORE_READ(sk, __sk_common.skc_num)) {
		/* With a port, cgroup/post_bind has reported it. */
		bind_asked(cookie, &address);
		bind_succeeded(sk, cookie, NULL, &address, true, PROBE_TRACEPOINT);
	}
	bind_over();
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_listen")
int syscall_listen(struct trace_event_raw_sys_exit *ctx)
{
	struct sock *sk = argument_socket(compat_syscall_regs());

	if (sk)
		listen_returned(sk, socket_cookie_of(sk), ctx->ret < 0 ? -ctx->ret : 0, PROBE_TRACEPOINT);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_connect")
int syscall_connect(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *regs = compat_syscall_regs();
	struct sock *sk = socket_of_fd(argument_fd(regs));
	struct address address = {};

	/* The usual case first: a TCP connect's outcome is seen by the state change. */
	if (!sk || (ctx->ret == 0 && socket_protocol(sk) == IPPROTO_TCP) || !socket_is_ours_sk(sk))
		return 0;
	argument_address(&address, regs);
	connect_returned(sk, ctx->ret < 0 ? -ctx->ret : 0, &address, PROBE_TRACEPOINT);
	return 0;
}

static __always_inline int syscall_accept(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *regs = compat_syscall_regs();
	__u32 tid = bpf_get_current_pid_tgid();

	if (control.accept_exits) {
		bpf_map_delete_elem(&accepts_inside, &tid);
		if (!bpf_map_delete_elem(&accepts_told, &tid))
			return 0;
	}
	/* When an address was asked for, cgroup/getpeername has seen the new socket. */
	if (ctx->ret < 0 || PT_REGS_PARM2_CORE_SYSCALL(regs))
		return 0;
	if (!accept_returned(ctx->ret, PROBE_TRACEPOINT))
		accept_took_unknown(socket_of_fd(argument_fd(regs)), PROBE_TRACEPOINT);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_accept")
int syscall_accept3(struct trace_event_raw_sys_exit *ctx)
{
	return syscall_accept(ctx);
}

SEC("tracepoint/syscalls/sys_exit_accept4")
int syscall_accept4(struct trace_event_raw_sys_exit *ctx)
{
	return syscall_accept(ctx);
}
