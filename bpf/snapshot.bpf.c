// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's sockets and their holders as they are now: iterators that write the same records as the hooks.
 * tcp and udp see the network namespace of the thread that reads; task_file sees every process, and so every
 * socket with a descriptor in every namespace; the storage of sockets also those whose descriptor is under
 * way in a message.
 *
 * Compiled twice: with SNAPSHOT_LEAN for one-shot commands, which have no notes to look at or to make.
 * An object is shown again when its rows did not fit the reader's buffer: nothing here may remember that
 * something was written before bpf_seq_write() said so.
 *
 * Plain fields are loaded, pointers are followed by probe reads: for each pointer that is loaded from a
 * trusted one, the verifier (6.2 and later) searches all of the kernel's BTF by name, half a millisecond a
 * time.
 */
#include "socket.h"

#include <portsnoop/walk.h>

#define SCM_MAX_FD 253 /* of one message */

/*
 * What the programs are given: words in this order, as long as there are iterators. The kernel looks up each
 * type to be relocated by its name among all it has, and remembers few: these need not be.
 */
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

/* The namespaces whose hashed sockets this walk has listed: the other iterators leave those to tcp and udp.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, WALK_NETNS_MAX);
	__type(key, __u32);
	__type(value, __u32);
} covered SEC(".maps");

/* Zeroed and set before each walk. */
struct {
	__u32 source;	     /* enum rec_source */
	__u32 netns;	     /* the one that tcp and udp list */
	__u32 last_netns;    /* of the task before */
	__u16 port;	     /* only sockets on this local port; 0: on all */
	__u8 ports_only;     /* no connections */
	__u8 no_remains;     /* nothing that is no whole socket: requests, TIME_WAIT */
	__u8 notes_kill;     /* said by snapshot_tasks: to look at notes would take the kernel down */
	__u64 last_start_ns; /* of the thread that `task` describes; descriptors come thread by thread */
	struct rec_task task;
} walk = {};

char LICENSE[] SEC("license") = "GPL";

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
		row->bytes_sent = tcp->bytes_sent - tcp->bytes_retrans;
		row->bytes_received = tcp->bytes_received;
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

/*
 * Most have a cookie. Those that nobody asked get one: without, a socket has no identity. A request socket
 * gives its cookie to the connection, and the connection its own to the TIME_WAIT that is left of it.
 */
#define COOKIE(typed, skc)                                                                                   \
	({                                                                                                   \
		__u64 cookie = (skc)->skc_cookie.counter;                                                    \
		cookie ? cookie : bpf_get_socket_cookie(typed);                                              \
	})

SEC("iter/tcp")
int snapshot_tcp(struct on_tcp *ctx)
{
	struct sock_common *skc = ctx->skc;
	struct rec_socket_row row = {};
	struct tcp_sock *tcp;

	if (!skc || (walk.port && skc->skc_num != walk.port))
		return 0;
	tcp = bpf_skc_to_tcp_sock(skc);
	if (!tcp && walk.no_remains)
		return 0;
	row_begin(&row, skc);
	row.fact.socket.netns = walk.netns;
	row.fact.socket.cookie = COOKIE(skc, skc);
	if (tcp) {
		row_add_full(&row, &tcp->inet_conn.icsk_inet.sk);
		row_add_tcp(&row, tcp);
	} else {
		row_add_remains(&row, skc);
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
	row_add_full(&row, sk);
	bpf_seq_write(ctx->all->out, &row, sizeof(row));
	return 0;
}

/* --- sockets that tcp and udp do not list -----------------------------------------------------------------
 */

/* TCP sockets are hashed from connect or listen on; one that is only bound is not. */
static __always_inline bool listed_elsewhere(const struct rec_socket *socket)
{
	__u32 netns = socket->netns;

	if (socket->protocol == IPPROTO_TCP && socket->state == TCP_CLOSE)
		return false;
	return bpf_map_lookup_elem(&covered, &netns);
}

static __always_inline int row_if_unlisted(struct seq_file *seq, struct sock *sk, __u64 cookie)
{
	struct rec_socket_row row = {};
	struct tcp_sock *tcp;

	row.fact.socket.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	row.fact.socket.state = sk->__sk_common.skc_state;
	row.fact.socket.protocol = sk->sk_protocol;
	if (listed_elsewhere(&row.fact.socket))
		return 0;
	row_begin(&row, &sk->__sk_common);
	row.fact.socket.cookie = cookie;
	row_add_full(&row, sk);
	tcp = bpf_skc_to_tcp_sock(sk);
	if (tcp)
		row_add_tcp(&row, tcp);
	return bpf_seq_write(seq, &row, sizeof(row));
}

/* With a port, and of the kinds that this is about. */
static __always_inline bool has_port(const struct sock *sk)
{
	return sk->__sk_common.skc_num &&
	       socket_is_ours(sk->sk_type, sk->sk_protocol, sk->__sk_common.skc_family);
}

static __always_inline bool is_connection(const struct sock *sk)
{
	return sk->sk_protocol == IPPROTO_TCP && sk->__sk_common.skc_state != TCP_LISTEN &&
	       sk->__sk_common.skc_state != TCP_CLOSE;
}

#ifndef SNAPSHOT_LEAN
/* Of the live trace, when there is one. */
struct notes_map notes SEC(".maps");
struct processes_map processes SEC(".maps");

const volatile bool knob_adopt = false;

/*
 * Older than the trace: from now on its storage lists it, wherever its descriptors go, and its holder is one
 * whose forks and execs matter. A listener's note tells its children where they come from.
 */
static __always_inline void adopt(struct sock *sk, __u64 cookie, const struct rec_task *task)
{
	struct known_process known = {.start_ns = task->start_ns};
	__u32 pid = task->pid;
	struct note *note;

	bpf_map_update_elem(&processes, &pid, &known, BPF_NOEXIST);
	note = bpf_sk_storage_get(&notes, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (note && sk->__sk_common.skc_state == TCP_LISTEN)
		note->listener = cookie;
}

SEC("iter/bpf_sk_storage_map")
int snapshot_noted(struct on_note *ctx)
{
	struct sock *sk = ctx->sk;

	if (sk && has_port(sk))
		row_if_unlisted(ctx->all->out, sk, COOKIE(sk, &sk->__sk_common));
	return 0;
}
#endif

/* --- under way in a message (SCM_RIGHTS) -------------------------------------------------------------------
 */

#define MESSAGES_MAX 4096 /* of one receiver */

struct messages {
	const struct sk_buff *at, *end;
	const struct scm_fp_list *files; /* of the message */
	struct seq_file *seq;
};

static __always_inline void say_in_flight(struct seq_file *seq, const struct file *file)
{
	struct rec_socket_row row = {};
	const struct socket *socket;
	const struct sock *sk;

	if ((BPF_CORE_READ(file, f_inode, i_mode) & 0170000) != 0140000) /* S_IFSOCK */
		return;
	socket = BPF_CORE_READ(file, private_data);
	sk = BPF_CORE_READ(socket, sk);
	if (!sk || !socket_is_ours_sk(sk) || !BPF_CORE_READ(sk, __sk_common.skc_num))
		return;
	header_begin(&row.fact.header, sizeof(row), REC_SOCKET, REC_F_SOCKET | SOCKET_F_IN_FLIGHT);
	socket_fill(&row.fact.socket, sk);
	row.fact.socket.cookie = socket_cookie_of(sk);
	row.fact.socket.options = socket_options(sk);
	if (row.fact.socket.cookie) /* here it can only be read */
		bpf_seq_write(seq, &row, sizeof(row));
}

static long look_at_file(__u32 number, struct messages *messages)
{
	struct file *file = NULL;

	if (number < SCM_MAX_FD)
		bpf_probe_read_kernel(&file, sizeof(file), &messages->files->fp[number]);
	if (file)
		say_in_flight(messages->seq, file);
	return 0;
}

static long look_at_message(__u32 number, struct messages *messages)
{
	const struct sk_buff *message = messages->at;
	const struct unix_skb_parms *parameters = (const void *)&message->cb;
	const struct scm_fp_list *files;

	if (!message || message == messages->end)
		return 1;
	messages->at = BPF_CORE_READ(message, next);
	files = BPF_CORE_READ(parameters, fp);
	messages->files = files;
	if (files)
		bpf_loop(BPF_CORE_READ(files, count), look_at_file, messages, 0);
	return 0;
}

/* What waits to be received is in the receiver's queue. */
SEC("iter/unix")
int snapshot_in_flight(struct on_unix *ctx)
{
	struct sock *receiver = ctx->sk;
	struct messages messages = {.seq = ctx->all->out};

	if (!receiver || !compat_has_loop())
		return 0;
	messages.end = (const void *)&receiver->sk_receive_queue;
	messages.at = BPF_CORE_READ(receiver, sk_receive_queue.next);
	if (messages.at != messages.end)
		bpf_loop(MESSAGES_MAX, look_at_message, &messages, 0);
	return 0;
}

/* --- who holds them ---------------------------------------------------------------------------------------
 */

static __always_inline void describe_task(const struct task_struct *task)
{
	struct rec_task *to = &walk.task;
	const struct task_struct *leader;

	if (to->tid == (__u32)task->pid && walk.last_start_ns == task->start_boottime)
		return;
	walk.last_start_ns = task->start_boottime;
	leader = BPF_CORE_READ(task, group_leader);
	to->pid = task->tgid;
	to->tid = task->pid;
	to->start_ns = BPF_CORE_READ(leader, start_boottime);
	to->uid = BPF_CORE_READ(task, cred, uid.val);
	to->cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	bpf_probe_read_kernel_str(to->comm, sizeof(to->comm), &leader->comm);
}

/* Each thread with a descriptor table of its own, and each leader. */
SEC("iter/task_file")
int snapshot_files(struct on_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct rec_holder holder = {};
	struct socket *socket;
	struct sock *sk;

	if (!file || !task)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk || !has_port(sk) || (walk.port && sk->__sk_common.skc_num != walk.port))
		return 0;
	if (walk.ports_only && is_connection(sk))
		return 0;
	describe_task(task);
	header_begin(&holder.header, sizeof(holder), REC_HOLDER, REC_F_TASK);
	holder.task = walk.task;
	holder.cookie = COOKIE(sk, &sk->__sk_common);
	holder.protocol = sk->sk_protocol;
	holder.fd = ctx->fd;
#ifndef SNAPSHOT_LEAN
	if (knob_adopt)
		adopt(sk, holder.cookie, &holder.task);
#endif
	row_if_unlisted(ctx->all->out, sk, holder.cookie);
	bpf_seq_write(ctx->all->out, &holder, sizeof(holder));
	return 0;
}

/* --- the namespaces there are -----------------------------------------------------------------------------
 */

/* Its number in the pid namespace of the process that reads. */
static __always_inline __u32 number_for_reader(const struct task_struct *task)
{
	__u32 level = BPF_CORE_READ(bpf_get_current_task_btf(), thread_pid, level);
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
	if (!found.netns || found.netns == walk.last_netns)
		return 0;
	found.tid = number_for_reader(task);
	if (bpf_seq_write(ctx->all->out, &found, sizeof(found)) == 0)
		walk.last_netns = found.netns;
	return 0;
}
