// SPDX-License-Identifier: GPL-2.0-only
/*
 * An inbound SYN met a closed port: the kernel sends a reset that belongs to no socket. At most one record a
 * second and port; what comes in between is counted and goes out with the next record or with user space's
 * tick, whichever is first.
 */
#include "fact.h"

#define REPORT_INTERVAL_NS 1000000000ull
#define TCP_FLAG_BYTE	   13
#define TCP_SYN_BIT	   0x02
#define TCP_ACK_BIT	   0x10

struct syn {
	struct refused_key key;
	__u8 peer_addr[16];
	__u16 peer_port;
};

static __always_inline bool read_addresses(struct syn *syn, const __u8 *ip)
{
	__u8 version = 0;

	bpf_probe_read_kernel(&version, 1, ip);
	switch (version >> 4) {
	case 4:
		syn->key.family = AF_INET;
		bpf_probe_read_kernel(syn->peer_addr, 4, ip + 12);
		bpf_probe_read_kernel(syn->key.local_addr, 4, ip + 16);
		return true;
	case 6:
		syn->key.family = AF_INET6;
		bpf_probe_read_kernel(syn->peer_addr, 16, ip + 8);
		bpf_probe_read_kernel(syn->key.local_addr, 16, ip + 24);
		return true;
	default:
		return false;
	}
}

/* The packet that is refused; false when it is no SYN (a reset answers other strays too). */
static __always_inline bool read_syn(struct syn *syn, const struct sk_buff *skb)
{
	const __u8 *head = BPF_CORE_READ(skb, head);
	const __u8 *tcp = head + BPF_CORE_READ(skb, transport_header);
	__u8 flags = 0;
	__u16 port = 0;

	bpf_probe_read_kernel(&flags, 1, tcp + TCP_FLAG_BYTE);
	if ((flags & (TCP_SYN_BIT | TCP_ACK_BIT)) != TCP_SYN_BIT)
		return false;
	if (!read_addresses(syn, head + BPF_CORE_READ(skb, network_header)))
		return false;
	bpf_probe_read_kernel(&port, 2, tcp);
	syn->peer_port = bpf_ntohs(port);
	bpf_probe_read_kernel(&port, 2, tcp + 2);
	syn->key.port = bpf_ntohs(port);
	syn->key.netns = BPF_CORE_READ(skb, dev, nd_net.net, ns.inum);
	return true;
}

static __always_inline void refuse_emit(const struct syn *syn, __u64 count)
{
	struct rec_refuse *rec = emit_begin(REC_REFUSE, sizeof(*rec), PROBE_TRACEPOINT);
	struct rec_socket *socket;

	if (!rec)
		return;
	socket = &rec->fact.socket;
	rec->fact.header.flags |= REC_F_SOCKET;
	rec->count = count;
	socket->netns = syn->key.netns;
	socket->family = syn->key.family;
	socket->protocol = IPPROTO_TCP;
	socket->local_port = syn->key.port;
	socket->peer_port = syn->peer_port;
	__builtin_memcpy(socket->local_addr, syn->key.local_addr, 16);
	__builtin_memcpy(socket->peer_addr, syn->peer_addr, 16);
	emit_end(rec);
}

static __always_inline void refused_syn(const struct sk_buff *skb)
{
	__u64 now = bpf_ktime_get_boot_ns(), pending;
	struct refused *entry, fresh = {.reported_ns = now};
	struct syn syn = {};

	if (!read_syn(&syn, skb))
		return;
	count_refused(syn.key.netns, syn.key.port);
	if (knob_silent)
		return;
	entry = bpf_map_lookup_elem(&refused, &syn.key);
	if (!entry) {
		if (bpf_map_update_elem(&refused, &syn.key, &fresh, BPF_NOEXIST) == 0) {
			refuse_emit(&syn, 1);
			return;
		}
		entry = bpf_map_lookup_elem(&refused, &syn.key); /* another CPU was first */
		if (!entry) {
			count_map_full();
			return;
		}
	}
	__builtin_memcpy(entry->peer_addr, syn.peer_addr, 16);
	entry->peer_port = syn.peer_port;
	__sync_fetch_and_add(&entry->pending, 1);
	if (now - entry->reported_ns < REPORT_INTERVAL_NS) {
		control.refuse_pending = 1;
		return;
	}
	entry->reported_ns = now;
	pending = __sync_lock_test_and_set(&entry->pending, 0);
	if (pending)
		refuse_emit(&syn, pending);
}

/* (sk, skb[, reason]); either may be NULL, so the verifier only lets the words be read as numbers. */
static __always_inline void reset_sent(unsigned long long *ctx)
{
	const struct sock *sk = NULL;
	const struct sk_buff *skb = NULL;

	bpf_probe_read_kernel(&sk, sizeof(sk), &ctx[0]);
	bpf_probe_read_kernel(&skb, sizeof(skb), &ctx[1]);
	if (!sk && skb)
		refused_syn(skb);
}

SEC("tp_btf/tcp_send_reset")
int refuse_first(unsigned long long *ctx)
{
	PAIR_FIRST(PAIRED_REFUSE, reset_sent(ctx));
}

SEC("tp_btf/tcp_send_reset")
int refuse_second(unsigned long long *ctx)
{
	PAIR_SECOND(PAIRED_REFUSE, reset_sent(ctx));
}
