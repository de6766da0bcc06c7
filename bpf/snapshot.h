/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the iterators over sockets and over holders share. Compiled twice: for a trace they are one object,
 * which looks at notes and makes them; for one-shot commands (SNAPSHOT_LEAN) they are two, which load side by
 * side, each with a `walk` of its own.
 *
 * An object is shown again when its rows did not fit the reader's buffer: nothing here may remember that
 * something was written before bpf_seq_write() said so.
 *
 * Loading is what a one-shot command waits for. The kernel looks up each type to be relocated by its name
 * among all it has, a third of a millisecond each, and remembers 31, each in the place that its name gives
 * it: of two types with the same place each drives the other out (populate_cand_cache() in kernel/bpf/btf.c).
 * So few types are named here. And plain fields are loaded, pointers are followed by probe reads: for each
 * pointer that is loaded from a trusted one, the verifier (6.2 and later) does such a search.
 */
#ifndef PORTSNOOP_BPF_SNAPSHOT_H
#define PORTSNOOP_BPF_SNAPSHOT_H

#include "socket.h"

#include <portsnoop/walk.h>

/* What the programs are given: words in this order, as long as there are iterators; not to be relocated. */
struct on_all {
	struct seq_file *out;
};

struct on_tcp {
	const struct on_all *all;
	struct sock_common *skc;
};

struct on_udp {
	const struct on_all *all;
	struct sock *sk; /* a udp_sock, which begins with it */
};

struct on_unix {
	const struct on_all *all;
	struct sock *sk; /* a unix_sock, which begins with it */
};

struct on_note {
	const struct on_all *all;
	const void *map;
	struct sock *sk;
};

struct on_task {
	const struct on_all *all;
	struct task_struct *task;
};

struct on_file {
	const struct on_all *all;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

#ifdef SNAPSHOT_LEAN
struct walk_state walk = {};
#else
extern struct walk_state walk;
#endif

/* Made just now, without a trace to give it a cookie: it is as if it came a moment later. */
#ifdef OLD_KERNEL
#define is_without_identity(cookie) (!(cookie))
#else
#define is_without_identity(cookie) false
#endif

#define SOCK_BINDPORT_LOCK 8 /* include/net/sock.h: by bind(2) with a port */

/* --- a socket ---------------------------------------------------------------------------------------------
 */

static __always_inline void header_begin(struct rec_header *header, __u16 size, enum rec_kind kind,
					 __u16 flags)
{
	header->size = size;
	header->kind = kind;
	header->source = walk.source;
	header->probe = PROBE_ITERATOR;
	header->flags = flags;
	header->time_ns = bpf_ktime_get_boot_ns();
}

/* TIME_WAIT and request sockets are not full: only what they have in common may be touched. */
static __always_inline void row_begin(struct rec_socket_row *row, const struct sock_common *skc)
{
	struct rec_socket *to = &row->fact.socket;

	header_begin(&row->fact.header, sizeof(*row), REC_SOCKET, REC_F_SOCKET);
	to->family = skc->skc_family;
	to->state = skc->skc_state;
	to->local_port = skc->skc_num;
	to->peer_port = bpf_ntohs(skc->skc_dport);
	if (to->family == AF_INET) {
		*(__u32 *)to->local_addr = skc->skc_rcv_saddr;
		*(__u32 *)to->peer_addr = skc->skc_daddr;
	} else {
		*(struct in6_addr *)to->local_addr = skc->skc_v6_rcv_saddr;
		*(struct in6_addr *)to->peer_addr = skc->skc_v6_daddr;
	}
}

static __always_inline void row_add_full(struct rec_socket_row *row, const struct sock *sk)
{
	row->fact.socket.protocol = sk->sk_protocol;
	row->fact.socket.options = socket_options(sk);
	row->drops = sk->sk_drops.counter;
	if (!BPF_CORE_READ(sk, sk_socket))
		row->fact.header.flags |= SOCKET_F_ORPHAN;
}

static __always_inline void row_add_tcp(struct rec_socket_row *row, const struct tcp_sock *tcp)
{
	if (row->fact.socket.state == TCP_LISTEN) {
		row->queue_length = tcp->inet_conn.icsk_inet.sk.sk_ack_backlog;
		row->queue_limit = tcp->inet_conn.icsk_inet.sk.sk_max_ack_backlog;
	} else if (row->fact.socket.state != TCP_CLOSE) {
		row->bytes_sent = payload_sent(tcp);
		row->bytes_received = payload_received(tcp);
		row->retransmits = tcp->total_retrans;
		row->rtt_us = tcp->srtt_us >> 3;
		row->fact.header.flags |= SOCKET_F_COUNTERS;
	}
}

/* A request, or what is left of a connection; a FIN_WAIT2 that nobody holds is kept in the TIME_WAIT form. */
static __always_inline void row_add_remains(struct rec_socket_row *row, const struct sock_common *skc)
{
	if (row->fact.socket.state == TCP_TIME_WAIT)
		row->fact.socket.state = BPF_CORE_READ((const struct inet_timewait_sock *)skc, tw_substate);
	row->fact.socket.protocol = IPPROTO_TCP;
	row->fact.header.flags |= SOCKET_F_ORPHAN | SOCKET_F_REMAINS;
}

static __always_inline void row_add_chosen(struct rec_socket_row *row, const struct sock *sk)
{
	row->fact.header.flags |= SOCKET_F_PORT_READ;
	if (BPF_CORE_READ_BITFIELD_PROBED(sk, sk_userlocks) & SOCK_BINDPORT_LOCK)
		row->fact.header.flags |= SOCKET_F_CHOSEN;
}

#endif
