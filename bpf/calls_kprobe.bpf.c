// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entry shims: kprobes at the beginning and the end of kernel functions, where their returns cannot be traced
 * otherwise (calls_fexit). Whoever calls comes here: system calls, 32-bit ones, io_uring. As in system-call
 * tracepoints, a socket's storage is out of reach: claims say what begins or ends elsewhere.
 *
 * The kernel keeps a few places for calls of a function that have not returned, as many as processors on some
 * kernels, and does not say when it has none left. So nothing here is set on the end of a function that waits
 * for others (accept, a connect's handshake) or reads the caller's memory; and what a call began with is kept
 * until it ends, so that an end that was not seen is counted.
 */
#include "calls.h"

/* --- the call of a function, and its end ------------------------------------------------------------------
 */

/* A thread is in one call of a kind at a time; a UDP connect can have an autobind in it. */
static __always_inline __u64 call_key(__u32 cookie)
{
	return (__u64)(cookie >> PROBED_TOLD) << 32 | (__u32)bpf_get_current_pid_tgid();
}

static __always_inline enum probed_function function_of(const struct probed_call *call)
{
	return call->cookie & PROBED_FUNCTION;
}

static __always_inline struct sock *sock_of_call(const struct probed_call *call)
{
	const struct socket *socket = (const void *)call->first;

	return call->cookie & PROBED_OF_SOCK ? (struct sock *)call->first : BPF_CORE_READ(socket, sk);
}

static __always_inline void call_address(struct address *to, const struct probed_call *call)
{
	address_read(to, (const void *)call->address, call->length, ADDRESS_IN_KERNEL);
}

/*
 * A call stands there already. The answer of who was asked was not seen, but it was yes, since the call goes
 * on; or the end of an earlier call was not seen.
 */
static __always_inline long replace_call(struct cpu_counters *counters, __u64 key,
					 const struct probed_call *call)
{
	const struct probed_call *before = bpf_map_lookup_elem(&probed_calls, &key);

	if (before && before->cookie & PROBED_ASKS && function_of(before) < function_of(call))
		__sync_fetch_and_add(&counters->calls_ended, 1);
	else if (before)
		__sync_fetch_and_add(&counters->calls_unended, 1);
	return bpf_map_update_elem(&probed_calls, &key, call, BPF_ANY);
}

static __always_inline void keep_call(const struct probed_call *call)
{
	struct cpu_counters *counters = counters_here();
	__u64 key = call_key(call->cookie);
	long error;

	if (!counters)
		return;
	error = bpf_map_update_elem(&probed_calls, &key, call, BPF_NOEXIST);
	if (error == -17 /* EEXIST */)
		error = replace_call(counters, key, call);
	if (error)
		count_map_full();
	else
		__sync_fetch_and_add(&counters->calls_begun, 1);
}

/*
 * Not ours, or an IPv4 address on an IPv6 socket, which passes through the functions for both. What the call
 * does not need to be asked is not asked.
 */
static __always_inline bool is_of_no_interest(const struct probed_call *call)
{
	if (call->cookie & PROBED_OF_ANY) {
		const struct sock *sk = sock_of_call(call);

		return !sk || !socket_is_ours_sk(sk);
	}
	return function_of(call) == PROBED_CONNECT_TCP4 &&
	       BPF_CORE_READ(sock_of_call(call), __sk_common.skc_family) == AF_INET6;
}

SEC("?kprobe")
int kprobe_begin(struct pt_regs *ctx)
{
	struct probed_call call = {
		.first = PT_REGS_PARM1(ctx),
		.address = PT_REGS_PARM2(ctx),
		.length = PT_REGS_PARM3(ctx),
		.cookie = bpf_get_attach_cookie(ctx),
	};

	if (!control.probing || is_of_no_interest(&call))
		return 0;
	if (function_of(&call) == PROBED_AUTOBIND)
		call.port = BPF_CORE_READ(sock_of_call(&call), __sk_common.skc_num);
	call.begun_ns = bpf_ktime_get_boot_ns();
	keep_call(&call);
	return 0;
}

/* The call that ends. Of functions that all sockets pass, most calls did not begin here. */
static __always_inline bool take_call(__u32 cookie, struct probed_call *ret_call)
{
	struct cpu_counters *counters = counters_here();
	__u64 key = call_key(cookie);
	const struct probed_call *call = bpf_map_lookup_elem(&probed_calls, &key);

	if (!counters)
		return false;
	if (!call) {
		if (control.probing == PROBING_ALL && !(cookie & PROBED_OF_ANY))
			__sync_fetch_and_add(&counters->calls_unbegun, 1);
		return false;
	}
	if (call->cookie != cookie) /* that of the other family: is_of_no_interest() */
		return false;
	*ret_call = *call;
	if (bpf_map_delete_elem(&probed_calls, &key))
		return false; /* user space gave it up just now */
	__sync_fetch_and_add(&counters->calls_ended, 1);
	return true;
}

/*
 * The socket to tell of: one of ours on which a process acts, not the kernel for itself. NULL, too, when who
 * was asked has said yes.
 */
static __always_inline struct sock *call_ends(struct pt_regs *ctx, struct probed_call *ret_call,
					      int *ret_result)
{
	int result = PT_REGS_RC(ctx);
	struct sock *sk;

	if (!take_call(bpf_get_attach_cookie(ctx), ret_call))
		return NULL;
	if (ret_call->cookie & PROBED_ASKS && result >= 0)
		return NULL;
	*ret_result = result;
	sk = sock_of_call(ret_call);
	return sk && socket_is_ours_sk(sk) && !task_is_kernel_thread() ? sk : NULL;
}

/* --- bind and listen --------------------------------------------------------------------------------------
 */

/* A bind that got a port was told by cgroup/post_bind. */
static __always_inline void bind_returned(const struct sock *sk, const struct probed_call *call, int result)
{
	struct address address = {};

	call_address(&address, call);
	bind_searched(socket_cookie_of(sk), &address);
	if (result < 0)
		bind_failed(sk, socket_cookie_of(sk), -result, &address, PROBE_KPROBE);
	else if (!BPF_CORE_READ(sk, __sk_common.skc_num))
		bind_succeeded(sk, socket_cookie_of(sk), NULL, &address, true, PROBE_KPROBE);
	bind_over();
}

SEC("?kretprobe")
int kprobe_bind(struct pt_regs *ctx)
{
	struct probed_call call;
	int result;
	const struct sock *sk = call_ends(ctx, &call, &result);

	if (sk)
		bind_returned(sk, &call, result);
	return 0;
}

SEC("?kretprobe")
int kprobe_listen(struct pt_regs *ctx)
{
	struct probed_call call;
	int result;
	const struct sock *sk = call_ends(ctx, &call, &result);

	if (sk)
		listen_returned(sk, socket_cookie_of(sk), result < 0 ? -result : 0, PROBE_KPROBE);
	return 0;
}

/* --- connect ----------------------------------------------------------------------------------------------
 */

/* The state change of this very attempt has told it; what an earlier attempt left does not count. */
static __always_inline bool state_has_told(__u64 cookie, const struct probed_call *call)
{
	const __u64 *failed_ns = bpf_map_lookup_elem(&failed_connects, &cookie);

	return failed_ns && *failed_ns >= call->begun_ns;
}

/* What fails before a SYN: refused by a security module or a control group, or without a route or a port. */
static __always_inline void attempt_failed(const struct sock *sk, const struct probed_call *call, int error)
{
	__u64 cookie = socket_cookie_of(sk);
	struct address address = {};

	if (connect_is_undecided(error) || state_has_told(cookie, call))
		return;
	call_address(&address, call);
	connect_failed_early(sk, cookie, error, &address, PROBE_KPROBE);
}

SEC("?kretprobe")
int kprobe_connect(struct pt_regs *ctx)
{
	struct probed_call call;
	int result;
	const struct sock *sk = call_ends(ctx, &call, &result);

	if (sk && result < 0)
		attempt_failed(sk, &call, -result);
	return 0;
}

/* All of connect(2), but for security modules. */
SEC("?kretprobe")
int kprobe_connect_udp(struct pt_regs *ctx)
{
	struct address address = {};
	struct probed_call call;
	int result;
	const struct sock *sk = call_ends(ctx, &call, &result);

	if (!sk)
		return 0;
	call_address(&address, &call);
	connect_returned(sk, result < 0 ? -result : 0, &address, PROBE_KPROBE);
	return 0;
}

/* --- a port for UDP ---------------------------------------------------------------------------------------
 */

/*
 * Of threads that send at once on a socket without a port, the first to come here tells it. One that began
 * before that has the same port; one that began later has another, since the socket had none any more.
 */
static __always_inline bool is_first_to_tell(__u64 cookie, const struct probed_call *call)
{
	__u64 now = bpf_ktime_get_boot_ns(), was, *told;

	if (bpf_map_update_elem(&ports_told, &cookie, &now, BPF_NOEXIST) == 0)
		return true;
	told = bpf_map_lookup_elem(&ports_told, &cookie);
	if (!told)
		return true;
	was = *told;
	return was < call->begun_ns && __sync_val_compare_and_swap(told, was, now) == was;
}

/* What connect(2) began, cgroup/connect has claimed, and the return of connect tells it. */
SEC("?kretprobe")
int kprobe_autobind(struct pt_regs *ctx)
{
	struct probed_call call;
	int result;
	const struct sock *sk = call_ends(ctx, &call, &result);
	const struct claim *claim;
	__u64 cookie;

	if (!sk || result || call.port || socket_protocol(sk) != IPPROTO_UDP)
		return 0;
	cookie = socket_cookie_of(sk);
	claim = bpf_map_lookup_elem(&claims, &cookie);
	if (!(claim && claim->kind == CLAIM_AUTOBIND) && is_first_to_tell(cookie, &call))
		autobind_happened(sk, cookie, NULL, 0, PROBE_KPROBE);
	return 0;
}

/* --- accept -----------------------------------------------------------------------------------------------
 */

/* Of a child that is accepted before its handshake is over (TCP fast open). */
static __always_inline __u64 listener_of_fast_open(const struct sock *sk)
{
	const struct request_sock *request = BPF_CORE_READ((const struct tcp_sock *)sk, fastopen_rsk);

	return request ? socket_cookie_of(BPF_CORE_READ(request, __req_common.skc_listener)) : 0;
}

/* accept(2) hands the new socket to the process, at whose side this is: threads that waited there already
 * come here, too. */
SEC("?kprobe")
int kprobe_accept(struct pt_regs *ctx)
{
	const struct sock *sk = (const void *)PT_REGS_PARM1(ctx);
	struct claim claim = {};
	__u64 cookie;
	__u8 state;

	if (!control.probing || !socket_is_ours_sk(sk) || socket_protocol(sk) != IPPROTO_TCP ||
	    task_is_kernel_thread())
		return 0;
	cookie = socket_cookie_of(sk);
	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	accept_claim(cookie, state, &claim); /* each comes here once, with a claim or without */
	if (!claim.listener)
		claim.listener = listener_of_fast_open(sk);
	accept_took(sk, cookie, NULL, &claim, PROBE_KPROBE);
	return 0;
}
