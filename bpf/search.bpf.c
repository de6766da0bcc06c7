// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long the kernel searches for a port, where somebody wants to know. A bind's search lies between
 * cgroup/bind and its outcome. A connect's begins after the change to SYN_SENT (tcp_v4_connect() calls
 * inet_hash_connect() then), and the first that the kernel does with a port in hand is to ask these programs,
 * at the head of tcp_connect(). They are called for more than that, so they are attached for this alone.
 */
#include "fact.h"

SEC("?sockops")
int port_chosen(struct bpf_sock_ops *ctx)
{
	struct bpf_sock *sk;
	struct note *note;

	if (ctx->op != BPF_SOCK_OPS_TCP_CONNECT_CB)
		return 1;
	sk = ctx->sk;
	note = sk ? note_if_any_here(ctx, sk) : NULL;
	if (note && note->flags & NOTE_AUTOBOUND)
		note->since_ns = bpf_ktime_get_boot_ns();
	return 1;
}
