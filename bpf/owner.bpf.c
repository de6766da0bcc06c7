// SPDX-License-Identifier: GPL-2.0-only
/* Birth and last release of a socket, each in the context of the process that did it. */
#include "calls.h"
#include "close.h"
#include "release.h"

SEC("cgroup/sock_create")
int owner_created(struct bpf_sock *ctx)
{
	struct note *note;

	if (!socket_is_ours(ctx->type, ctx->protocol, ctx->family))
		return 1;
	bpf_get_socket_cookie(ctx); /* makes it: where it can only be read, it must be there */
	note = note_of_here(ctx, ctx);
	if (!note)
		return 1;
	note->creator_pid = bpf_get_current_pid_tgid() >> 32;
	note->creator_start_ns = task_current_start_ns();
	return 1;
}

/* Entries that no other hook took must not outlive their socket. */
static __always_inline void drop_claims(const struct sock *sk, struct note *note, __u64 cookie)
{
	struct claim claim;

	if (note->flags & NOTE_FAILED)
		failed_take(cookie);
	if (!(note->flags & NOTE_PORT_CLAIM))
		return;
	claim_take(cookie, CLAIM_LISTEN, &claim);
	if (claim_take(cookie, CLAIM_AUTOBIND, &claim) && BPF_CORE_READ(sk, __sk_common.skc_num))
		autobind_happened(sk, cookie, note, REC_F_LATE | AUTOBIND_F_CONNECT, PROBE_CGROUP);
}

/* When a send got the socket its port, where that could not be put into the note. */
static __always_inline void take_port_told(struct note *note, __u64 cookie)
{
	const __u64 *told = knob_kprobes ? bpf_map_lookup_elem(&ports_told, &cookie) : NULL;

	if (!told)
		return;
	if (note->since_ns < *told)
		note->since_ns = *told;
	bpf_map_delete_elem(&ports_told, &cookie);
}

/* This very thread acted on the socket last: it was announced then, and the note has it. */
static __always_inline bool acted_last(const struct note *note)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();

	return note->flags & NOTE_TASK && note->task.pid == pid_tgid >> 32 &&
	       note->task.tid == (__u32)pid_tgid && note->task.start_ns == task_current_start_ns();
}

static __always_inline void released_by_current(struct note *note, __u8 state)
{
	if (acted_last(note))
		return;
	if (task_is_kernel_thread() || released_by_onlooker(note)) {
		note->flags &= ~NOTE_TASK;
		return;
	}
	announce_current();
	/* In SYN_SENT the outcome of the connect is to come: the connector's. */
	if (state != TCP_SYN_SENT)
		note_by_current(note);
}

/* --- MPTCP ------------------------------------------------------------------------------------------------
 */

/* One that was bound and no more is the first, and ends here: its state does not change. */
static __always_inline void bound_subflow_released(const struct sock *subflow, const struct note *note)
{
	__u64 cookie = socket_cookie_of(subflow);
	struct rec_close *rec;

	if (!cookie || BPF_CORE_READ(subflow, __sk_common.skc_state) != TCP_CLOSE ||
	    !BPF_CORE_READ(subflow, __sk_common.skc_num))
		return;
	rec = close_begin(subflow, cookie, note, TCP_CLOSE, CLOSE_LOCAL, false, false, PROBE_CGROUP);
	if (rec)
		emit_end(rec);
}

/* A process let go of the socket above. The others end later, when their states change. */
static __always_inline void mptcp_released(const struct sock *sk, __u8 state)
{
	const struct sock *first = compat_mptcp_first(sk), *subflow;
	struct subflows subflows = socket_subflows(sk);
	struct note note = {};

	released_by_current(&note, state);
	note.flags |= NOTE_RELEASED;
	if (first)
		bound_subflow_released(first, &note);
	for (int i = 0; i < SUBFLOWS_MAX && subflows.list; i++) {
		__u64 cookie;

		subflow = socket_next_subflow(&subflows);
		if (!subflow)
			break;
		cookie = socket_cookie_of(subflow);
		if (cookie && BPF_CORE_READ(subflow, __sk_common.skc_state) != TCP_CLOSE)
			bpf_map_update_elem(&subflows_released, &cookie, &note.task, BPF_ANY);
	}
}

SEC("cgroup/sock_release")
int owner_released(struct bpf_sock *ctx)
{
	const struct sock *sk = (const void *)ctx;
	__u32 protocol = ctx->protocol;
	struct rec_close *rec;
	struct note *note;
	__u64 cookie;
	__u8 state;

	state = ctx->state;
	if (protocol == IPPROTO_MPTCP) {
		mptcp_released(sk, state);
		return 1;
	}
	if (!socket_is_ours(ctx->type, protocol, ctx->family))
		return 1;
	cookie = bpf_get_socket_cookie(ctx);
	note = note_of_here(ctx, ctx);
	if (note) {
		drop_claims(sk, note, cookie);
		if (ctx->protocol == IPPROTO_UDP)
			take_port_told(note, cookie);
		released_by_current(note, state);
		note->flags |= NOTE_RELEASED;
	}
	if (protocol == IPPROTO_TCP && state != TCP_CLOSE && state != TCP_LISTEN)
		return 1; /* the state change to CLOSE reports it */
	if (BPF_CORE_READ(sk, __sk_common.skc_num)) {
		rec = close_begin(sk, cookie, note, state, CLOSE_LOCAL, false, false, PROBE_CGROUP);
		if (rec)
			emit_end(rec);
	}
	note_after_release(ctx, cookie, state);
	return 1;
}

/*
 * Sockets that were there before: run once after attaching, in every network namespace. A listener's note
 * tells its children where they come from; a connection that waits to be accepted gets its claim.
 */
SEC("iter/tcp")
int owner_adopt(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct tcp_sock *tcp = skc ? bpf_skc_to_tcp_sock(skc) : NULL;
	struct note *note;
	struct sock *sk;
	__u64 cookie;

	if (!tcp)
		return 0;
	sk = &tcp->inet_conn.icsk_inet.sk;
	if (skc->skc_state != TCP_LISTEN &&
	    (sk->sk_socket || (skc->skc_state != TCP_ESTABLISHED && skc->skc_state != TCP_CLOSE_WAIT)))
		return 0;
	cookie = compat_cookie_typed(tcp, skc);
	note = note_of(tcp);
	if (!note)
		return 0;
	if (skc->skc_state == TCP_LISTEN) {
		note_is_of_listener(note, cookie);
	} else if (!(note->flags & NOTE_IN)) {
		note->flags |= NOTE_IN;
		claim_put_since(cookie, CLAIM_ACCEPT, 0, 0);
	}
	return 0;
}
