// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entry shims: cgroup programs at the root of the hierarchy. They run in the context of the calling process,
 * whatever the way in (system call, 32-bit system call, io_uring), and are never skipped.
 */
#include "calls.h"

/* The kernel's socket behind the context: only as a number may it be read freely. */
static __always_inline struct sock *socket_of(struct bpf_sock_addr *ctx)
{
	return BPF_CORE_READ((struct bpf_sock_addr_kern *)ctx, sk);
}

static __always_inline bool is_ours(struct bpf_sock_addr *ctx)
{
	return socket_is_ours(ctx->type, ctx->protocol, ctx->family);
}

/* --- bind ------------------------------------------------------------------------------------------------
 */

SEC("cgroup/bind4")
int cgroup_bind4(struct bpf_sock_addr *ctx)
{
	struct address address = {.family = AF_INET};
	__u32 ip = ctx->user_ip4;

	/* The family is checked only later; another one's bytes mean something else. */
	if (!is_ours(ctx) || ctx->user_family == AF_INET6)
		return 1;
	__builtin_memcpy(address.addr, &ip, sizeof(ip));
	address.port = bpf_ntohs(ctx->user_port);
	bind_asks(bpf_get_socket_cookie(ctx), &address);
	return 1;
}

SEC("cgroup/bind6")
int cgroup_bind6(struct bpf_sock_addr *ctx)
{
	struct address address = {.family = AF_INET6};
	__u32 ip[4] = {ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3]};

	if (!is_ours(ctx) || ctx->user_family != AF_INET6)
		return 1;
	__builtin_memcpy(address.addr, ip, sizeof(ip));
	address.port = bpf_ntohs(ctx->user_port);
	bind_asks(bpf_get_socket_cookie(ctx), &address);
	return 1;
}

static __always_inline int post_bind(struct bpf_sock *ctx)
{
	const struct sock *sk = (const void *)ctx;
	struct address address = {};
	struct note *note;
	__u64 cookie;

	if (!socket_is_ours(ctx->type, ctx->protocol, ctx->family))
		return 1;
	/* A further subflow of MPTCP: it connects at once, and nobody asked for its port. */
	if (task_is_kernel_thread() && socket_is_subflow(sk))
		return 1;
	note = note_of_here(ctx, ctx);
	if (note) {
		note->port = BPF_CORE_READ(sk, __sk_common.skc_num);
		note->since_ns = bpf_ktime_get_boot_ns();
		note_by_current(note);
	}
	cookie = bpf_get_socket_cookie(ctx);
	bind_asked(cookie, &address);
	bind_succeeded(sk, cookie, note, &address, false, PROBE_CGROUP);
	return 1;
}

SEC("cgroup/post_bind4")
int cgroup_post_bind4(struct bpf_sock *ctx)
{
	return post_bind(ctx);
}

SEC("cgroup/post_bind6")
int cgroup_post_bind6(struct bpf_sock *ctx)
{
	return post_bind(ctx);
}

/*
 * Where functions tell binds: a subflow of MPTCP has no cookie yet when bind(2) returns, and without one no
 * identity. All others have it from the beginning.
 */
SEC("?cgroup/post_bind4")
int subflow_bound4(struct bpf_sock *ctx)
{
	bpf_get_socket_cookie(ctx);
	return 1;
}

SEC("?cgroup/post_bind6")
int subflow_bound6(struct bpf_sock *ctx)
{
	bpf_get_socket_cookie(ctx);
	return 1;
}

/* --- connect ---------------------------------------------------------------------------------------------
 */

/* A connect begins. What it leads to is seen elsewhere; here what must be known then is put down. */
static __always_inline int connect_begins(struct bpf_sock_addr *ctx)
{
	struct note *note;

	if (!is_ours(ctx) || !ctx->sk)
		return 1;
	note = note_of_here(ctx, ctx->sk);
	if (!note)
		return 1;
	if (note->flags & NOTE_FAILED) {
		note->flags &= ~NOTE_FAILED;
		failed_take(bpf_get_socket_cookie(ctx));
	}
	if (ctx->protocol == IPPROTO_UDP && !BPF_CORE_READ(socket_of(ctx), __sk_common.skc_num)) {
		note->flags |= NOTE_PORT_CLAIM;
		note->since_ns = bpf_ktime_get_boot_ns();
		note_by_current(note);
		claim_put(bpf_get_socket_cookie(ctx), CLAIM_AUTOBIND, 0);
	}
	return 1;
}

SEC("cgroup/connect4")
int cgroup_connect4(struct bpf_sock_addr *ctx)
{
	return connect_begins(ctx);
}

SEC("cgroup/connect6")
int cgroup_connect6(struct bpf_sock_addr *ctx)
{
	return connect_begins(ctx);
}

/* --- UDP: a port by sending ------------------------------------------------------------------------------
 */

/* Runs for unconnected sends only, after the port was assigned. All but the first leave at once. */
static __always_inline int send_begins(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct claim claim;
	struct note *note;
	__u64 cookie;
	__u16 port;

	if (!sk)
		return 1;
	port = sk->src_port;
	note = note_if_any_here(ctx, sk);
	if (note && note->port == port)
		return 1;
	if (!is_ours(ctx))
		return 1;
	if (!note) {
		/* Older than portsnoop: how it got its port, nobody knows. */
		note = note_of_here(ctx, sk);
		if (note)
			note->port = port;
		return 1;
	}
	note->port = port;
	cookie = bpf_get_socket_cookie(ctx);
	if (note->flags & NOTE_PORT_CLAIM) {
		/* connect(2) assigned it; if nothing has said so yet, it is said now. */
		note->flags &= ~NOTE_PORT_CLAIM;
		if (claim_take(cookie, CLAIM_AUTOBIND, &claim))
			autobind_happened(socket_of(ctx), cookie, note, REC_F_LATE | AUTOBIND_F_CONNECT,
					  PROBE_CGROUP);
		return 1;
	}
	note->since_ns = bpf_ktime_get_boot_ns();
	note_by_current(note);
	autobind_happened(socket_of(ctx), cookie, note, 0, PROBE_CGROUP);
	return 1;
}

SEC("cgroup/sendmsg4")
int cgroup_sendmsg4(struct bpf_sock_addr *ctx)
{
	return send_begins(ctx);
}

SEC("cgroup/sendmsg6")
int cgroup_sendmsg6(struct bpf_sock_addr *ctx)
{
	return send_begins(ctx);
}

/* --- accept ----------------------------------------------------------------------------------------------
 */

/*
 * accept(2) that asks for the peer's address runs this on the new socket; so does getpeername(2), which
 * cannot come first on a connection that nobody has accepted.
 */
static __always_inline void mptcp_peer_name(struct bpf_sock_addr *ctx)
{
	const struct sock *subflow = compat_mptcp_first(socket_of(ctx));
	struct rec_socket socket = {};
	struct claim claim = {};

	if (subflow && socket_seen(subflow, &socket) && accept_claim(socket.cookie, socket.state, &claim))
		accept_found(&socket, &claim, true, PROBE_CGROUP);
}

static __always_inline int peer_name(struct bpf_sock_addr *ctx)
{
	__u64 cookie = bpf_get_socket_cookie(ctx);
	struct bpf_sock *sk = ctx->sk;
	struct claim claim = {};
	struct note *note;

	if (socket_is_mptcp(ctx->type, ctx->protocol))
		mptcp_peer_name(ctx);
	if (!sk || ctx->protocol != IPPROTO_TCP || !is_ours(ctx))
		return 1;
	note = note_of_accepted_here(ctx, sk);
	if (!note || !(note->flags & NOTE_IN) || note->flags & NOTE_ACCEPTED)
		return 1;
	note->flags |= NOTE_ACCEPTED;
	if (!accept_claim(cookie, BPF_CORE_READ(socket_of(ctx), __sk_common.skc_state), &claim))
		return 1;
	if (!claim.listener)
		claim.listener = note->listener;
	note_owned_by_current(note);
	accept_took(socket_of(ctx), cookie, note, &claim, PROBE_CGROUP);
	return 1;
}

SEC("cgroup/getpeername4")
int cgroup_getpeername4(struct bpf_sock_addr *ctx)
{
	return peer_name(ctx);
}

SEC("cgroup/getpeername6")
int cgroup_getpeername6(struct bpf_sock_addr *ctx)
{
	return peer_name(ctx);
}

/* For measuring: what the hook itself costs each unconnected send. Never attached otherwise. */
SEC("?cgroup/sendmsg4")
int send_empty(struct bpf_sock_addr *ctx)
{
	return 1;
}
