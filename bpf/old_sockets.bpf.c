// SPDX-License-Identifier: GPL-2.0-only
/*
 * Only on old kernels (compat.h), whose tracing programs can neither make a socket's cookie nor reach its
 * storage: cgroup programs, which can, are there before them, and do for sockets that the kernel makes what
 * is done elsewhere for those that processes make.
 */
#include "fact.h"

SEC("cgroup/sock_create")
int old_created(struct bpf_sock *ctx)
{
	__u64 cookie, *origin;

	if (!socket_is_ours(ctx->type, ctx->protocol, ctx->family))
		return 1;
	cookie = bpf_get_socket_cookie(ctx);
	origin = bpf_sk_storage_get(&origins, ctx, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (origin)
		*origin = cookie;
	else
		count_map_full();
	return 1;
}

/*
 * A request for a connection. What will be one has its cookie from the beginning, for whoever accepts it
 * before it is established. Of a listener that was there before, it says where it comes from.
 */
static __always_inline void requested(struct bpf_sock_ops *ctx)
{
	const struct sock *request = context_socket(ctx);
	__u64 from = socket_cookie_of(BPF_CORE_READ(request, __sk_common.skc_listener));
	__u64 cookie = bpf_get_socket_cookie(ctx);
	const struct note *note = note_by_cookie(from);

	if (note && note->flags & NOTE_ADOPTED)
		bpf_map_update_elem(&requests, &cookie, &from, BPF_ANY);
}

/* A socket that has begun to listen. An older one had no cookie then, and so no note. */
static __always_inline void listen_began(struct bpf_sock_ops *ctx, struct bpf_sock *sk)
{
	__u64 cookie = bpf_get_socket_cookie(ctx), *origin;
	struct note *note = note_of_here(ctx, sk);

	if (!note || note->listener == cookie)
		return;
	note->listener = cookie;
	note->state = TCP_LISTEN;
	note->since_ns = bpf_ktime_get_boot_ns();
	origin = bpf_sk_storage_get(&origins, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (origin)
		*origin = cookie;
}

SEC("sockops")
int old_socket_met(struct bpf_sock_ops *ctx)
{
	struct bpf_sock *sk = ctx->sk;

	if (ctx->op == BPF_SOCK_OPS_RWND_INIT && !ctx->is_fullsock)
		requested(ctx);
	else if (ctx->op == BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB && sk) /* a child, before its state says so */
		note_of_child_here(context_socket(ctx), sk, bpf_get_socket_cookie(ctx));
	else if (ctx->op == BPF_SOCK_OPS_TCP_LISTEN_CB && sk)
		listen_began(ctx, sk);
	return 1;
}
