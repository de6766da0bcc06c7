// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's sockets as they are now: iterators that write the same records as the hooks. tcp and udp see
 * the network namespace of the thread that reads; which namespaces there are, the tasks tell.
 */
#include "snapshot.h"

#ifndef SNAPSHOT_LEAN
struct walk_state walk = {};
#endif

char LICENSE[] SEC("license") = "GPL";

/* fastreuse is negative when the bucket was made by a connect, which shares the port with others. */
static __always_inline void row_add_bucket(struct rec_socket_row *row, const struct inet_bind_bucket *bucket)
{
	row->fact.header.flags |= SOCKET_F_PORT_READ;
	if (bucket && (BPF_CORE_READ(bucket, fastreuse) >= 0 || BPF_CORE_READ(bucket, fastreuseport) >= 0))
		row->fact.header.flags |= SOCKET_F_EXCLUSIVE;
}

SEC("iter/tcp")
int snapshot_tcp(struct on_tcp *ctx)
{
	struct sock_common *skc = ctx->skc;
	struct rec_socket_row row = {};
	struct tcp_sock *tcp;

	if (!skc || (walk.port && skc->skc_num != walk.port))
		return 0;
	tcp = bpf_skc_to_tcp_sock(skc);
	if (tcp ? walk.remains_only : walk.no_remains)
		return 0;
	row_begin(&row, skc);
	row.fact.socket.netns = walk.netns;
	row.fact.socket.cookie = COOKIE(skc, skc);
	if (is_without_identity(row.fact.socket.cookie))
		return 0;
	if (tcp) {
		row_add_full(&row, &tcp->inet_conn.icsk_inet.sk);
		row_add_tcp(&row, tcp);
		if (walk.with_ports) {
			row_add_bucket(&row, BPF_CORE_READ(tcp, inet_conn.icsk_bind_hash));
			row_add_chosen(&row, (const struct sock *)tcp);
		}
	} else {
		row_add_remains(&row, skc);
		if (walk.with_ports && skc->skc_state == TCP_TIME_WAIT)
			row_add_bucket(&row, BPF_CORE_READ((const struct inet_timewait_sock *)skc, tw_tb));
	}
	bpf_seq_write(ctx->all->out, &row, sizeof(row));
	return 0;
}

SEC("iter/udp")
int snapshot_udp(struct on_udp *ctx)
{
	struct rec_socket_row row = {};
	struct sock *sk = ctx->sk;

	if (!sk)
		return 0;
	if (walk.port && sk->__sk_common.skc_num != walk.port)
		return 0;
	if (!socket_is_ours(sk->sk_type, sk->sk_protocol, sk->__sk_common.skc_family))
		return 0;
	row_begin(&row, &sk->__sk_common);
	row.fact.socket.netns = walk.netns;
	row.fact.socket.cookie = COOKIE(sk, &sk->__sk_common);
	if (is_without_identity(row.fact.socket.cookie))
		return 0;
	row_add_full(&row, sk);
	if (walk.with_ports)
		row_add_chosen(&row, sk);
	bpf_seq_write(ctx->all->out, &row, sizeof(row));
	return 0;
}

/* --- the namespaces there are -----------------------------------------------------------------------------
 */

/* Its number in the pid namespace of the process that reads. */
static __always_inline __u32 number_for_reader(const struct task_struct *task)
{
	__u32 level = BPF_CORE_READ(compat_current_task(), thread_pid, level);
	const struct pid *pid = BPF_CORE_READ(task, thread_pid);
	const char *numbers = (const char *)&pid->numbers[0];

	return BPF_CORE_READ((const struct upid *)(numbers + level * sizeof(struct upid)), nr);
}

SEC("iter/task")
int snapshot_tasks(struct on_task *ctx)
{
	struct task_struct *task = ctx->task;
	struct walk_task found;

	if (!task)
		return 0;
#ifndef SNAPSHOT_LEAN
	walk.notes_kill = compat_storage_iterator_dies();
#endif
	found.netns = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum); /* 0 for one that has ended */
	if (!found.netns)
		return 0;
	if (found.netns != walk.last_netns)
		walk.neighbours = 0;
	else if (walk.neighbours == WALK_NETNS_TASKS)
		return 0;
	found.tid = number_for_reader(task);
	if (bpf_seq_write(ctx->all->out, &found, sizeof(found)))
		return 0;
	walk.last_netns = found.netns;
	walk.neighbours++;
	return 0;
}
