// SPDX-License-Identifier: GPL-2.0-only
/* Birth and last release of a socket, each in the context of the process that did it. */
#include "calls.h"
#include "close.h"

SEC("cgroup/sock_create")
int owner_created(struct bpf_sock *ctx)
{
	struct note *note;

	if (!socket_is_ours(ctx->type, ctx->protocol, ctx->family))
		return 1;
	bpf_get_socket_cookie(ctx); /* makes it: where it can only be read, it must be there */
	note = bpf_sk_storage_get(&notes, ctx, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!note) {
		count_map_full();
		return 1;
	}
	note->creator_pid = bpf_get_current_pid_tgid() >> 32;
	note->creator_start_ns = task_current_start_ns();
	return 1;
}

/* Entries that no other hook took must not outlive their socket. */
static __always_inline void drop_claims(const struct sock *sk, struct note *note, __u64 cookie)
{
	struct claim claim;

	if (note->flags & NOTE_FAILED_CLAIM)
		claim_take(cookie, CLAIM_FAILED, &claim);
	if (!(note->flags & NOTE_PORT_CLAIM))
		return;
	claim_take(cookie, CLAIM_LISTEN, &claim);
	if (claim_take(cookie, CLAIM_AUTOBIND, &claim) && BPF_CORE_READ(sk, __sk_common.skc_num))
		autobind_happened(sk, cookie, note, REC_F_LATE | AUTOBIND_F_CONNECT, PROBE_CGROUP);
}

SEC("cgroup/sock_release")
int owner_released(struct bpf_sock *ctx)
{
	const struct sock *sk = (const void *)ctx;
	bool known = false;
	struct note *note;
	__u64 cookie;
	__u8 state;

	if (!socket_is_ours(ctx->type, ctx->protocol, ctx->family))
		return 1;
	cookie = bpf_get_socket_cookie(ctx);
	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	note = bpf_sk_storage_get(&notes, ctx, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (note) {
		drop_claims(sk, note, cookie);
		if (state !=
		    TCP_SYN_SENT) /* there the outcome of the connect is to come, and it is the connector's */
			note_by_current(note);
		note->flags |= NOTE_RELEASED;
	} else {
		count_map_full();
	}
	if (!known)
		announce_current();
	if (ctx->protocol == IPPROTO_TCP && state != TCP_CLOSE && state != TCP_LISTEN)
		return 1; /* the state change to CLOSE reports it */
	if (BPF_CORE_READ(sk, __sk_common.skc_num))
		close_happened(sk, cookie, note, state, CLOSE_LOCAL, true, false, PROBE_CGROUP);
	return 1;
}
