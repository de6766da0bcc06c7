// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads what bind(2) would look at: for TCP the bind bucket of a port and its owners, for UDP the hash
 * chains, exactly as inet_csk_get_port() and udp_lib_get_port() find them. So nothing that has a port can be
 * missed: not what is bound and was never hashed elsewhere, nor what no descriptor leads to.
 *
 * Run once by bpf(BPF_PROG_TEST_RUN), in the context of who asks. It takes no lock: each socket is checked to
 * be on that port of that namespace, and when one is not, a chain has changed under way and it is read again.
 */
#include "socket.h"

#include <portsnoop/bind_table.h>

#define BUCKETS_MAX (1 << 16) /* of a hash chain, and addresses of a port */
#define SOCKETS_MAX (1 << 22)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BIND_ROWS_MAX);
	__type(key, __u32);
	__type(value, struct bind_row);
} rows SEC(".maps");

struct bind_ask ask = {};
struct bind_answer answer = {};

char LICENSE[] SEC("license") = "GPL";

/* --- a socket ---------------------------------------------------------------------------------------------
 */

struct reading {
	const struct net *net;
	const void *at;	    /* the next node of a chain */
	const void *bucket; /* TCP: struct inet_bind2_bucket that the owners are on */
	__u32 node;	    /* its offset in a socket */
	__u32 chain;
};

/* Its offset in struct sock is the one in struct sock_common. */
static __always_inline const struct sock_common *socket_at(const struct reading *reading)
{
	return (const void *)((const char *)reading->at - reading->node);
}

static __always_inline void map_v4(__u8 *addr, __u32 v4)
{
	__u32 *words = (__u32 *)addr;

	words[2] = bpf_htonl(0xffff);
	words[3] = v4;
}

static __always_inline void fill_filed(struct bind_row *row, const struct inet_bind2_bucket *tb2)
{
	struct in6_addr addr = {};

	BPF_CORE_READ_INTO(&addr, tb2, v6_rcv_saddr);
	if (compat_bind2_is_v4(tb2, row->family)) {
		row->flags |= BIND_ROW_FILED_V4;
		map_v4(row->filed_addr, *(__u32 *)&addr);
	} else {
		*(struct in6_addr *)row->filed_addr = addr;
	}
}

static __always_inline void fill_remains(struct bind_row *row, const struct inet_timewait_sock *tw)
{
	row->substate = BPF_CORE_READ(tw, tw_substate);
	row->left_jiffies = BPF_CORE_READ(tw, tw_timer.expires) - bpf_jiffies64();
	row->flags |= BIND_ROW_ORPHAN | BIND_ROW_TIMER;
}

static __always_inline void fill_addresses(struct bind_row *row, const struct sock_common *skc)
{
	row->family = BPF_CORE_READ(skc, skc_family);
	row->peer_port = bpf_ntohs(BPF_CORE_READ(skc, skc_dport));
	row->local_v4 = BPF_CORE_READ(skc, skc_rcv_saddr);
	if (row->family == AF_INET) {
		*(__u32 *)row->local_addr = row->local_v4;
		*(__u32 *)row->peer_addr = BPF_CORE_READ(skc, skc_daddr);
	} else {
		BPF_CORE_READ_INTO((struct in6_addr *)row->local_addr, skc, skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO((struct in6_addr *)row->peer_addr, skc, skc_v6_daddr);
	}
}

/* As payload_sent() and payload_received(), of a pointer that the verifier does not know. */
static __always_inline void fill_counters(struct bind_row *row, const struct tcp_sock *tcp)
{
	__u64 received = BPF_CORE_READ(tcp, bytes_received);
	unsigned long flags = BPF_CORE_READ(tcp, inet_conn.icsk_inet.sk.__sk_common.skc_flags);

	row->bytes_sent = BPF_CORE_READ(tcp, bytes_sent) - BPF_CORE_READ(tcp, bytes_retrans);
	row->bytes_received = received && flags >> SOCK_DONE & 1 ? received - 1 : received;
	row->retransmits = BPF_CORE_READ(tcp, total_retrans);
	row->rtt_us = BPF_CORE_READ(tcp, srtt_us) >> 3;
	row->flags |= BIND_ROW_COUNTERS;
}

static __always_inline void fill_queue(struct bind_row *row, const struct inet_connection_sock *listener)
{
	row->queue_length = BPF_CORE_READ(listener, icsk_inet.sk.sk_ack_backlog);
	row->queue_limit = BPF_CORE_READ(listener, icsk_inet.sk.sk_max_ack_backlog);
	row->requests = BPF_CORE_READ(listener, icsk_accept_queue.qlen.counter);
}

static __always_inline void fill(struct bind_row *row, const struct sock_common *skc)
{
	const struct sock *sk = (const void *)skc;

	row->cookie = BPF_CORE_READ(skc, skc_cookie.counter);
	row->state = BPF_CORE_READ(skc, skc_state);
	row->device = BPF_CORE_READ(skc, skc_bound_dev_if);
	fill_addresses(row, skc);
	if (BPF_CORE_READ_BITFIELD_PROBED(skc, skc_reuse))
		row->flags |= BIND_ROW_REUSEADDR;
	if (BPF_CORE_READ_BITFIELD_PROBED(skc, skc_reuseport))
		row->flags |= BIND_ROW_REUSEPORT;
	if (BPF_CORE_READ_BITFIELD_PROBED(skc, skc_ipv6only))
		row->flags |= BIND_ROW_V6ONLY;
	if (row->state == TCP_TIME_WAIT && !ask.udp) {
		fill_remains(row, (const void *)skc);
		return;
	}
	row->uid = BPF_CORE_READ(sk, sk_uid.val);
	row->options = socket_options(sk);
	row->drops = BPF_CORE_READ(sk, sk_drops.counter);
	if (!BPF_CORE_READ(sk, sk_socket))
		row->flags |= BIND_ROW_ORPHAN;
	if (row->state == TCP_LISTEN && !ask.udp)
		fill_queue(row, (const void *)sk);
	else if (row->state != TCP_CLOSE && !ask.udp)
		fill_counters(row, (const void *)sk);
}

static __always_inline bool is_on_port(const struct reading *reading, const struct sock_common *skc)
{
	return BPF_CORE_READ(skc, skc_net.net) == reading->net && BPF_CORE_READ(skc, skc_num) == ask.port;
}

/* Writes it down, unless an earlier run has, or the next one will. */
static __always_inline void take(const struct reading *reading, const struct sock_common *skc)
{
	__u32 index = answer.rows;
	struct bind_row *to, row = {.chain = reading->chain};

	if (answer.seen++ < ask.skip)
		return;
	to = bpf_map_lookup_elem(&rows, &index);
	if (!to) {
		answer.whole = 0;
		return;
	}
	fill(&row, skc);
	if (reading->bucket)
		fill_filed(&row, reading->bucket);
	if (!is_on_port(reading, skc)) /* any more: what was read may be of two sockets */
		answer.torn = 1;
	*to = row;
	answer.rows++;
}

static long visit_socket(__u32 number, struct reading *reading)
{
	const struct hlist_node *at = reading->at; /* BPF_CORE_READ would relocate our own struct */
	const struct sock_common *skc;

	if (!at)
		return 1;
	skc = socket_at(reading);
	if (is_on_port(reading, skc))
		take(reading, skc);
	else if (reading->chain == BIND_CHAIN_OWNERS)
		answer.torn = 1; /* chains of UDP are of several ports */
	reading->at = BPF_CORE_READ(at, next);
	return answer.torn || !answer.whole;
}

static __always_inline void read_chain(struct reading *reading, const struct hlist_head *head)
{
	reading->at = BPF_CORE_READ(head, first);
	bpf_loop(SOCKETS_MAX, visit_socket, reading, 0);
	if (reading->at && answer.whole)
		answer.torn = 1;
}

/* --- TCP --------------------------------------------------------------------------------------------------
 */

struct bucket_search {
	struct reading reading;
	const struct inet_bind_bucket *at; /* looked at next; NULL: there is no more */
};

static __always_inline const void *bucket_of_node(const struct hlist_node *node)
{
	return node ? (const char *)node - bpf_core_field_offset(struct inet_bind_bucket, node) : NULL;
}

/* The bucket is found as inet_bind_bucket_match() does. */
static long visit_bucket(__u32 number, struct bucket_search *search)
{
	const struct inet_bind_bucket *tb = search->at;

	if (!tb)
		return 1;
	if (BPF_CORE_READ(tb, ib_net.net) == search->reading.net && BPF_CORE_READ(tb, port) == ask.port &&
	    (ask.all_of_port || (__u32)BPF_CORE_READ(tb, l3mdev) == ask.l3mdev))
		return 1;
	search->at = bucket_of_node(BPF_CORE_READ(tb, node.next));
	return 0;
}

static long visit_bind2(__u32 number, struct reading *reading)
{
	const struct inet_bind2_bucket *tb2 = reading->bucket;
	const struct hlist_node *next;

	if (!tb2)
		return 1;
	read_chain(reading, (const void *)((const char *)tb2 +
					   bpf_core_field_offset(struct inet_bind2_bucket, owners)));
	next = BPF_CORE_READ(tb2, bhash_node.next);
	reading->bucket =
		next ? (const char *)next - bpf_core_field_offset(struct inet_bind2_bucket, bhash_node)
		     : NULL;
	return answer.torn || !answer.whole;
}

/* A socket of the bucket's own list knows its bind2 bucket: each is read as a chain of one. */
static long visit_owner(__u32 number, struct reading *reading)
{
	const struct hlist_node *at = reading->at, *next;
	const struct sock_common *skc;

	if (!at)
		return 1;
	next = BPF_CORE_READ(at, next);
	skc = socket_at(reading);
	if (compat_has_bind2())
		reading->bucket =
			BPF_CORE_READ(skc, skc_state) == TCP_TIME_WAIT
				? (const void *)BPF_CORE_READ((const struct inet_timewait_sock *)skc, tw_tb2)
				: BPF_CORE_READ((const struct inet_connection_sock *)skc, icsk_bind2_hash);
	visit_socket(0, reading);
	reading->at = next;
	return answer.torn || !answer.whole;
}

static __always_inline void read_owners(struct reading *reading, const struct inet_bind_bucket *tb)
{
	const struct hlist_node *first;

	if (compat_has_bucket_owners()) {
		reading->at = compat_bucket_owners(tb);
		bpf_loop(SOCKETS_MAX, visit_owner, reading, 0);
		return;
	}
	first = BPF_CORE_READ(tb, bhash2.first);
	reading->bucket =
		first ? (const char *)first - bpf_core_field_offset(struct inet_bind2_bucket, bhash_node)
		      : NULL;
	bpf_loop(BUCKETS_MAX, visit_bind2, reading, 0);
}

static __always_inline void read_bucket(const struct inet_bind_bucket *tb)
{
	struct bind_bucket *to = &answer.bucket;

	to->found = 1;
	to->fastreuse = BPF_CORE_READ(tb, fastreuse);
	to->fastreuseport = BPF_CORE_READ(tb, fastreuseport);
	to->fast_uid = BPF_CORE_READ(tb, fastuid.val);
	to->fast_v4 = BPF_CORE_READ(tb, fast_rcv_saddr);
	to->fast_family = BPF_CORE_READ(tb, fast_sk_family);
	to->fast_v6only = BPF_CORE_READ(tb, fast_ipv6_only);
	BPF_CORE_READ_INTO((struct in6_addr *)to->fast_addr, tb, fast_v6_rcv_saddr);
}

/* One bucket, or with all_of_port one of several. */
static long visit_match(__u32 number, struct bucket_search *search)
{
	const struct inet_bind_bucket *tb;

	bpf_loop(BUCKETS_MAX, visit_bucket, search, 0);
	tb = search->at;
	if (!tb)
		return 1;
	read_bucket(tb);
	read_owners(&search->reading, tb);
	if (BPF_CORE_READ(tb, port) != ask.port)
		answer.torn = 1;
	search->at = bucket_of_node(BPF_CORE_READ(tb, node.next));
	return answer.torn || !answer.whole;
}

static __always_inline void read_tcp(const struct sock *sk, const struct net *net)
{
	const struct inet_hashinfo *info = BPF_CORE_READ(sk, __sk_common.skc_prot, h.hashinfo);
	struct bucket_search search = {
		.reading = {.net = net,
			    .chain = BIND_CHAIN_OWNERS,
			    .node = bpf_core_field_offset(struct sock_common, skc_bind_node)}};
	const struct inet_bind_hashbucket *slot;
	__u32 size;

	if (!info)
		info = BPF_CORE_READ(net, ipv4.tcp_death_row.hashinfo);
	size = BPF_CORE_READ(info, bhash_size);
	slot = BPF_CORE_READ(info, bhash);
	if (!slot || !size) {
		answer.failed = 1;
		return;
	}
	slot = (const void *)((const char *)slot + ((ask.port + BPF_CORE_READ(net, hash_mix)) & (size - 1)) *
							   bpf_core_type_size(struct inet_bind_hashbucket));
	search.at = bucket_of_node(BPF_CORE_READ(slot, chain.first));
	bpf_loop(ask.all_of_port ? BUCKETS_MAX : 1, visit_match, &search, 0);
}

/* --- UDP --------------------------------------------------------------------------------------------------
 */

/* Bob Jenkins' lookup3 hash, as jhash_1word() and jhash2() of four words have it: both end in this. */
#define JHASH_BEGIN 0xdeadbeef

static __always_inline __u32 rotate(__u32 word, __u32 by)
{
	return word << by | word >> (32 - by);
}

static __always_inline __u32 jhash_last(__u32 a, __u32 b, __u32 c)
{
	c = (c ^ b) - rotate(b, 14);
	a = (a ^ c) - rotate(c, 11);
	b = (b ^ a) - rotate(a, 25);
	c = (c ^ b) - rotate(b, 16);
	a = (a ^ c) - rotate(c, 4);
	b = (b ^ a) - rotate(a, 14);
	return (c ^ b) - rotate(b, 24);
}

static __always_inline __u32 jhash_word(__u32 word, __u32 seed)
{
	__u32 begin = JHASH_BEGIN + (1 << 2) + seed;

	return jhash_last(begin + word, begin, begin);
}

static __always_inline __u32 jhash_four(const __u32 *words, __u32 seed)
{
	__u32 begin = JHASH_BEGIN + (4 << 2) + seed;
	__u32 a = begin + words[0], b = begin + words[1], c = begin + words[2];

	a = (a - c) ^ rotate(c, 4), c += b;
	b = (b - a) ^ rotate(a, 6), a += c;
	c = (c - b) ^ rotate(b, 8), b += a;
	a = (a - c) ^ rotate(c, 16), c += b;
	b = (b - a) ^ rotate(a, 19), a += c;
	c = (c - b) ^ rotate(b, 4), b += a;
	return jhash_last(a + words[3], b, c);
}

/* ipv4_portaddr_hash(), ipv6_portaddr_hash() with port 0. */
static __always_inline __u32 address_hash(const __u32 *words, __u32 seed)
{
	if (!words[0] && !words[1] && (!words[2] || words[2] == bpf_htonl(0xffff))) {
		if (words[2] || !words[3])
			return jhash_word(words[3], seed);
	}
	return jhash_four(words, seed);
}

static __always_inline void read_slot(struct reading *reading, const struct udp_hslot *slot)
{
	answer.chain_length[reading->chain & 3] = BPF_CORE_READ(slot, count);
	read_chain(reading,
		   (const void *)((const char *)slot + bpf_core_field_offset(struct udp_hslot, head)));
}

static __always_inline const struct udp_hslot *slot_by_address(const struct udp_table *table, __u32 hash)
{
	return (const void *)((const char *)BPF_CORE_READ(table, hash2) +
			      ((hash ^ ask.port) & BPF_CORE_READ(table, mask)) *
				      compat_udp_address_slot_size());
}

static __always_inline void read_udp(const struct sock *sk, const struct net *net)
{
	const struct udp_table *table = compat_udp_table(sk, net);
	struct reading reading = {.net = net,
				  .chain = BIND_CHAIN_PORT,
				  .node = bpf_core_field_offset(struct sock_common, skc_node)};
	__u32 seed = BPF_CORE_READ(net, hash_mix), mask;
	const char *slots;

	if (!table) {
		answer.failed = 1;
		return;
	}
	mask = BPF_CORE_READ(table, mask);
	slots = (const char *)BPF_CORE_READ(table, hash);
	read_slot(&reading,
		  (const void *)(slots + ((ask.port + seed) & mask) * bpf_core_type_size(struct udp_hslot)));
	if (ask.all_of_port)
		return;
	reading.node = bpf_core_field_offset(struct sock_common, skc_portaddr_node);
	reading.chain = BIND_CHAIN_ADDRESS;
	read_slot(&reading, slot_by_address(table, address_hash((const __u32 *)ask.address, seed)));
	reading.chain = BIND_CHAIN_ANY;
	read_slot(&reading, slot_by_address(table, jhash_word(0, seed)));
}

/* --- both -------------------------------------------------------------------------------------------------
 */

static __always_inline __u8 features(void)
{
	__u8 has = 0;

	if (compat_has_bind2())
		has |= BIND_HAS_BIND2;
	if (compat_has_mapped_bind2())
		has |= BIND_HAS_MAPPED_BIND2;
	return has;
}

/* Of the caller's descriptor. */
static __always_inline const struct sock *asked_socket(void)
{
	const struct task_struct *task = bpf_get_current_task_btf();
	struct file **files = BPF_CORE_READ(task, files, fdt, fd);
	struct file *file = NULL;
	struct socket *socket;

	bpf_probe_read_kernel(&file, sizeof(file), files + ask.fd);
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
}

SEC("syscall")
int bind_table_read(void *ctx)
{
	const struct sock *sk = asked_socket();
	const struct net *net = BPF_CORE_READ(sk, __sk_common.skc_net.net);

	answer.whole = 1;
	answer.features = features();
	answer.jiffies = bpf_jiffies64();
	answer.unprivileged_start = BPF_CORE_READ(net, ipv4.sysctl_ip_prot_sock);
	if (!sk || !net)
		answer.failed = 1;
	else if (ask.udp)
		read_udp(sk, net);
	else
		read_tcp(sk, net);
	return 0;
}
