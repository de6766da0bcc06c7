// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's sockets and their holders as they are now: iterators that write the same records as the hooks.
 * tcp and udp see the network namespace of the thread that reads; task_file sees every process, and so every
 * socket with a descriptor in every namespace, bound ones that iter/tcp does not list among them.
 */
#include "socket.h"

#define TCP_NEW_SYN_RECV 12

/* The namespace whose hashed sockets iter/tcp and iter/udp list: task_file leaves those to them. */
const volatile __u32 knob_netns = 0;

char LICENSE[] SEC("license") = "GPL";

static __always_inline void row_begin(struct rec_socket_row *row)
{
	row->fact.header.size = sizeof(*row);
	row->fact.header.kind = REC_SOCKET;
	row->fact.header.source = SOURCE_SNAPSHOT;
	row->fact.header.probe = PROBE_ITERATOR;
	row->fact.header.flags = REC_F_SOCKET;
	row->fact.header.time_ns = bpf_ktime_get_boot_ns();
}

/* TIME_WAIT and request sockets are not full: only what they have in common may be touched. */
static __always_inline void row_fill_common(struct rec_socket *to, const struct sock_common *skc)
{
	to->family = BPF_CORE_READ(skc, skc_family);
	to->state = BPF_CORE_READ(skc, skc_state);
	to->netns = BPF_CORE_READ(skc, skc_net.net, ns.inum);
	to->local_port = BPF_CORE_READ(skc, skc_num);
	to->peer_port = bpf_ntohs(BPF_CORE_READ(skc, skc_dport));
	if (to->family == AF_INET) {
		bpf_core_read(to->local_addr, 4, &skc->skc_rcv_saddr);
		bpf_core_read(to->peer_addr, 4, &skc->skc_daddr);
	} else {
		bpf_core_read(to->local_addr, 16, &skc->skc_v6_rcv_saddr);
		bpf_core_read(to->peer_addr, 16, &skc->skc_v6_daddr);
	}
}

static __always_inline void row_fill_full(struct rec_socket_row *row, const struct sock *sk)
{
	const struct tcp_sock *tcp = (const void *)sk;
	__u8 state = row->fact.socket.state;

	row->fact.socket.protocol = socket_protocol(sk);
	row->fact.socket.options = socket_options(sk);
	row->drops = BPF_CORE_READ(sk, sk_drops.counter);
	if (!BPF_CORE_READ(sk, sk_socket))
		row->fact.header.flags |= SOCKET_F_ORPHAN;
	if (row->fact.socket.protocol != IPPROTO_TCP)
		return;
	if (state == TCP_LISTEN) {
		row->queue_length = BPF_CORE_READ(sk, sk_ack_backlog);
		row->queue_limit = BPF_CORE_READ(sk, sk_max_ack_backlog);
	} else if (state != TCP_CLOSE) {
		row->bytes_sent = BPF_CORE_READ(tcp, bytes_sent) - BPF_CORE_READ(tcp, bytes_retrans);
		row->bytes_received = BPF_CORE_READ(tcp, bytes_received);
		row->retransmits = BPF_CORE_READ(tcp, total_retrans);
		row->rtt_us = BPF_CORE_READ(tcp, srtt_us) >> 3;
		row->fact.header.flags |= SOCKET_F_COUNTERS;
	}
}

SEC("iter/tcp")
int snapshot_tcp(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct rec_socket_row row = {};

	if (!skc)
		return 0;
	row_begin(&row);
	row.fact.socket.cookie = bpf_get_socket_cookie(skc);
	row_fill_common(&row.fact.socket, skc);
	if (row.fact.socket.state == TCP_TIME_WAIT || row.fact.socket.state == TCP_NEW_SYN_RECV) {
		row.fact.socket.protocol = IPPROTO_TCP;
		row.fact.header.flags |= SOCKET_F_ORPHAN;
	} else {
		row_fill_full(&row, (const struct sock *)skc);
	}
	bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	return 0;
}

SEC("iter/udp")
int snapshot_udp(struct bpf_iter__udp *ctx)
{
	struct udp_sock *udp = ctx->udp_sk;
	struct rec_socket_row row = {};
	const struct sock *sk = (const void *)udp;

	if (!udp)
		return 0;
	row_begin(&row);
	row.fact.socket.cookie = bpf_get_socket_cookie(&udp->inet.sk);
	row_fill_common(&row.fact.socket, (const void *)sk);
	row_fill_full(&row, sk);
	if (socket_is_ours_sk(sk))
		bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	return 0;
}

static __always_inline void holder_fill(struct rec_holder *holder, struct task_struct *task)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	holder->header.size = sizeof(*holder);
	holder->header.kind = REC_HOLDER;
	holder->header.source = SOURCE_SNAPSHOT;
	holder->header.probe = PROBE_ITERATOR;
	holder->header.flags = REC_F_TASK;
	holder->header.time_ns = bpf_ktime_get_boot_ns();
	holder->task.pid = BPF_CORE_READ(task, tgid);
	holder->task.tid = BPF_CORE_READ(task, pid);
	holder->task.start_ns = BPF_CORE_READ(leader, start_boottime);
	holder->task.uid = BPF_CORE_READ(task, cred, uid.val);
	holder->task.cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	bpf_core_read_str(holder->task.comm, sizeof(holder->task.comm), &leader->comm);
}

SEC("iter/task_file")
int snapshot_files(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	struct task_struct *task = ctx->task;
	struct rec_socket_row row = {};
	struct rec_holder holder = {};
	struct socket *socket;
	struct sock *sk;

	if (!file || !task)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk || !socket_is_ours_sk(sk) || !BPF_CORE_READ(sk, __sk_common.skc_num))
		return 0;
	row_begin(&row);
	row_fill_common(&row.fact.socket, (const void *)sk);
	row.fact.socket.cookie = bpf_get_socket_cookie(sk);
	if (row.fact.socket.netns != knob_netns || row.fact.socket.state == TCP_CLOSE) {
		row_fill_full(&row, sk);
		bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	}
	holder_fill(&holder, task);
	holder.cookie = row.fact.socket.cookie;
	holder.protocol = socket_protocol(sk);
	holder.fd = ctx->fd;
	bpf_seq_write(ctx->meta->seq, &holder, sizeof(holder));
	return 0;
}
