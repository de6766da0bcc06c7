// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entry shim: io_uring completions. bind, listen, connect and accept submitted to a ring make no system call
 * of their own. A completion runs in the submitter's context for these operations.
 */
#include "calls.h"

static __always_inline struct sock *socket_of_request(struct io_kiocb *request)
{
	struct sock *sk = socket_of_file(BPF_CORE_READ(request, file));

	return sk && socket_is_ours_sk(sk) ? sk : NULL;
}

/* Functions that tell only some of the calls leave the others to completions. */
static __always_inline bool told_by_function(__u8 opcode)
{
	return (opcode == IORING_OP_CONNECT && control.told & TOLD_CONNECT) ||
	       (opcode == IORING_OP_ACCEPT && control.told & TOLD_ACCEPT) ||
	       (opcode == IORING_OP_LISTEN && control.told & TOLD_LISTEN) ||
	       (opcode == IORING_OP_BIND && control.told & TOLD_BIND_ERROR);
}

/* Completions are posted by task work of the submitter or by its worker threads: never by a stranger. */
static __always_inline void completed(struct io_kiocb *request, __u8 opcode, int result)
{
	struct sock *sk = socket_of_request(request);
	int error = result < 0 ? -result : 0;
	struct address address = {};
	__u64 cookie;

	if (!sk || told_by_function(opcode))
		return;
	cookie = socket_cookie_of(sk);
	switch (opcode) {
	case IORING_OP_CONNECT:
		connect_returned(sk, error, &address, PROBE_TRACEPOINT);
		break;
	case IORING_OP_ACCEPT:
		/* With an address asked for, cgroup/getpeername has seen the new socket. */
		if (error || BPF_CORE_READ((struct io_accept *)request, addr))
			break;
		/* Into a slot of the ring's own table there is no descriptor to look at. */
		if (BPF_CORE_READ((struct io_accept *)request, file_slot) ||
		    !accept_returned(result, PROBE_TRACEPOINT))
			accept_took_unknown(sk, PROBE_TRACEPOINT);
		break;
	case IORING_OP_LISTEN:
		listen_returned(sk, cookie, error, PROBE_TRACEPOINT);
		break;
	case IORING_OP_BIND:
		if (error) {
			bind_asked(cookie, &address);
			bind_failed(sk, cookie, error, &address, PROBE_TRACEPOINT);
		} else if (!BPF_CORE_READ(sk, __sk_common.skc_num)) {
			bind_asked(cookie, &address);
			bind_succeeded(sk, cookie, NULL, &address, true, PROBE_TRACEPOINT);
		}
		bind_over();
		break;
	}
}

/* A multishot accept posts each connection without a request: a descriptor that holds an unaccepted one. */
static __always_inline void completed_without_request(int result)
{
	struct rec_socket socket = {};
	struct claim claim;

	if (result >= 0 && socket_seen_at(result, &socket) && claim_take(socket.cookie, CLAIM_ACCEPT, &claim))
		accept_found(&socket, &claim, false, PROBE_TRACEPOINT);
}

static __always_inline void request_completed(unsigned long long *ctx)
{
	struct io_kiocb *request = NULL;
	__u8 opcode;

	bpf_probe_read_kernel(&request, sizeof(request), &ctx[1]);
	if (!request) {
		completed_without_request(compat_uring_aux_result(ctx, knob_uring_cqe));
		return;
	}
	opcode = BPF_CORE_READ(request, opcode);
	if (opcode == IORING_OP_CONNECT || opcode == IORING_OP_ACCEPT || opcode == IORING_OP_LISTEN ||
	    opcode == IORING_OP_BIND)
		completed(request, opcode, BPF_CORE_READ(request, cqe.res));
}

SEC("tp_btf/io_uring_complete")
int uring_first(unsigned long long *ctx)
{
	THREAD_PAIR_FIRST(PAIRED_URING, request_completed(ctx));
}

SEC("tp_btf/io_uring_complete")
int uring_second(unsigned long long *ctx)
{
	THREAD_PAIR_SECOND(PAIRED_URING, request_completed(ctx));
}
