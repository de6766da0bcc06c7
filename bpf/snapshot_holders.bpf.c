// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who holds the kernel's sockets now, and sockets that only their holders lead to: task_file sees every
 * process, and so every socket with a descriptor in every namespace; the storage of sockets also those whose
 * descriptor is under way in a message, and so do the queues of Unix sockets.
 */
#include "emit.h"
#include "notes.h"
#include "snapshot.h"

/*
 * Reading what MPTCP's sockets consist of takes the verifier as long as all the rest, and few machines have
 * any: one-shot commands only notice them, and then load the object that reads them (SNAPSHOT_MPTCP).
 */
#if !defined(SNAPSHOT_LEAN) || defined(SNAPSHOT_MPTCP)
#define READS_MPTCP 1
#else
#define READS_MPTCP 0
#endif

#define SCM_MAX_FD 253 /* of one message */

/* The namespaces whose hashed sockets this walk has listed: the other iterators leave those to tcp and udp.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, WALK_NETNS_MAX);
	__type(key, __u32);
	__type(value, __u32);
} covered SEC(".maps");

char LICENSE[] SEC("license") = "GPL";

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

/* A TCP socket that is bound and no more has its port from bind. Of connections here it is not known. */
static __always_inline void row_add_bound(struct rec_socket_row *row, const struct sock *sk)
{
	if (row->fact.socket.protocol == IPPROTO_TCP && row->fact.socket.state != TCP_CLOSE)
		return;
	row_add_chosen(row, sk);
	if (row->fact.socket.protocol == IPPROTO_TCP)
		row->fact.header.flags |= SOCKET_F_EXCLUSIVE;
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
	if (walk.with_ports)
		row_add_bound(&row, sk);
	return bpf_seq_write(seq, &row, sizeof(row));
}

/* With a port, and of the kinds that this is about. */
static __always_inline bool has_port(const struct sock *sk)
{
	return sk->__sk_common.skc_num &&
	       socket_is_ours(sk->sk_type, sk->sk_protocol, sk->__sk_common.skc_family);
}

static __always_inline bool is_connection(__u16 protocol, __u8 state)
{
	return protocol == IPPROTO_TCP && state != TCP_LISTEN && state != TCP_CLOSE;
}

#ifndef SNAPSHOT_LEAN
/* Of the live trace, when there is one. */
struct notes_map notes SEC(".maps");
#ifdef OLD_KERNEL
struct origins_map origins SEC(".maps");
#endif
struct processes_map processes SEC(".maps");

const volatile bool knob_adopt = false;

/*
 * Older than the trace: from now on its storage lists it, wherever its descriptors go, and its holder is one
 * whose forks and execs matter. A listener's note tells its children where they come from.
 */
static __always_inline void adopt_holder(const struct rec_task *task)
{
	struct known_process known = {.start_ns = task->start_ns};
	__u32 pid = task->pid;

	bpf_map_update_elem(&processes, &pid, &known, BPF_NOEXIST);
}

static __always_inline void adopt(struct note *note, __u8 state, __u64 cookie)
{
	if (note && state == TCP_LISTEN)
		note_is_of_listener(note, cookie);
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

/* --- sockets that are no typed pointers -------------------------------------------------------------------
 */

/* Too large for the stack. Like `walk`, they are one walk's at a time; what is in flight may be read beside
 * descriptors. */
struct {
	struct rec_holder holder;
	struct rec_socket_row socket;
} found = {};
struct rec_socket_row found_in_flight = {};

/*
 * Reads one. It may end meanwhile, and its memory be another's. 0: nothing with a port and an identity: here
 * a cookie can only be read. A function, so that its types are relocated once.
 */
static __noinline int find_socket(struct rec_socket_row *to, const struct sock *sk, __u16 flags)
{
	struct rec_socket *socket = &to->fact.socket;

	zero(to, sizeof(*to));
	header_begin(&to->fact.header, sizeof(*to), REC_SOCKET, flags);
	socket->cookie = socket_cookie_of(sk);
	socket_fill(socket, sk);
	socket->local_port = BPF_CORE_READ(sk, __sk_common.skc_num); /* not one that was given back */
	socket->options = socket_options(sk);
	return socket->cookie && socket->local_port && socket_cookie_of(sk) == socket->cookie;
}

/* --- under way in a message (SCM_RIGHTS) -------------------------------------------------------------------
 */

#define MESSAGES_MAX 4096 /* of one receiver */

struct messages {
	const struct sk_buff *at, *end;
	const struct scm_fp_list *files; /* of the message */
	struct seq_file *seq;
};

/* A file is a socket's if what it leads to leads back to it. NULL: it is not. Of MPTCP, the first subflow. */
static __always_inline const struct sock *socket_in_flight(const struct file *file)
{
	const struct socket *socket = BPF_CORE_READ(file, private_data);
	struct sock *sk = BPF_CORE_READ(socket, sk);

	if (BPF_CORE_READ(socket, file) != file || BPF_CORE_READ(sk, sk_socket) != socket)
		return NULL;
#if READS_MPTCP
	return socket_with_port(sk);
#else
	if (socket_protocol(sk) == IPPROTO_MPTCP)
		walk.mptcp_unread = 1;
	return sk;
#endif
}

static __always_inline void say_in_flight(struct seq_file *seq, const struct file *file)
{
	const struct sock *sk = socket_in_flight(file);

	if (sk && socket_is_ours_sk(sk) &&
	    find_socket(&found_in_flight, sk, REC_F_SOCKET | SOCKET_F_IN_FLIGHT))
		bpf_seq_write(seq, &found_in_flight, sizeof(found_in_flight));
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

/* As if it were the one inside of a cgroup_root: its name has a place of its own (snapshot.h). */
static __always_inline __u64 cgroup_of(const struct task_struct *task)
{
	const char *cgroup = (const char *)BPF_CORE_READ(task, cgroups, dfl_cgrp);
	const struct kernfs_node *node = NULL;

	bpf_probe_read_kernel(&node, sizeof(node),
			      cgroup + (bpf_core_field_offset(struct cgroup_root, cgrp.kn) -
					bpf_core_field_offset(struct cgroup_root, cgrp)));
	return BPF_CORE_READ(node, id);
}

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
	to->cgroup_id = cgroup_of(task);
	bpf_probe_read_kernel_str(to->comm, sizeof(to->comm), &leader->comm);
}

static __always_inline void holder_begin(__u32 fd)
{
	zero(&found.holder, sizeof(found.holder));
	header_begin(&found.holder.header, sizeof(found.holder), REC_HOLDER, REC_F_TASK);
	found.holder.task = walk.task;
	found.holder.fd = fd;
}

static __always_inline int say_holder(struct seq_file *seq, __u64 cookie, __u16 protocol)
{
	found.holder.cookie = cookie;
	found.holder.protocol = protocol;
	return bpf_seq_write(seq, &found.holder, sizeof(found.holder));
}

#if READS_MPTCP
/*
 * MPTCP: the descriptor leads to a socket above, and its subflows have the ports. One that has no cookie yet
 * is bound and no more since before anybody looked: nothing here can give it one.
 */
static __always_inline void say_subflow(struct seq_file *seq, const struct sock *subflow)
{
	const struct rec_socket *socket = &found.socket.fact.socket;

	if (!find_socket(&found.socket, subflow, REC_F_SOCKET)) {
		walk.passed_over |= socket->local_port && !socket->cookie;
		return;
	}
	if (walk.port && socket->local_port != walk.port)
		return;
	if (walk.ports_only && socket->state != TCP_LISTEN && socket->state != TCP_CLOSE)
		return;
	if (walk.with_ports)
		row_add_bound(&found.socket, subflow);
	if (!listed_elsewhere(socket))
		bpf_seq_write(seq, &found.socket, sizeof(found.socket));
	say_holder(seq, socket->cookie, IPPROTO_TCP);
}

struct subflow_walk {
	struct subflows subflows;
	struct seq_file *seq;
};

/* 1 after the last. */
static long look_at_subflow(__u32 number, struct subflow_walk *subflow_walk)
{
	const struct sock *subflow = socket_next_subflow(&subflow_walk->subflows);

	if (!subflow)
		return 1;
	say_subflow(subflow_walk->seq, subflow);
	return 0;
}

/* In a bpf_loop(), the verifier looks at it but once. */
static __always_inline void say_subflows(struct seq_file *seq, const struct sock *sk)
{
	struct subflow_walk subflow_walk = {.subflows = socket_subflows(sk), .seq = seq};

	if (!subflow_walk.subflows.list)
		return;
	if (compat_has_loop()) {
		bpf_loop(SUBFLOWS_MAX, look_at_subflow, &subflow_walk, 0);
		return;
	}
	for (__u32 i = 0; i < SUBFLOWS_MAX; i++)
		if (look_at_subflow(i, &subflow_walk))
			return;
}
#endif

static __always_inline int say_mptcp(const struct on_file *ctx, const struct task_struct *task,
				     const struct sock *sk)
{
#if READS_MPTCP
	describe_task(task);
	holder_begin(ctx->fd);
	say_subflows(ctx->all->out, sk);
#else
	walk.mptcp_unread = 1;
#endif
	return 0;
}

#ifndef OLD_KERNEL
/* With a port, and one that is asked for. */
static __always_inline bool is_wanted(const struct sock *sk)
{
	return has_port(sk) && !(walk.port && sk->__sk_common.skc_num != walk.port) &&
	       !(walk.ports_only && is_connection(sk->sk_protocol, sk->__sk_common.skc_state));
}

static __always_inline void say_socket(struct seq_file *seq, struct sock *sk)
{
	__u64 cookie = COOKIE(sk, &sk->__sk_common);

#ifndef SNAPSHOT_LEAN
	if (knob_adopt) {
		adopt_holder(&walk.task);
		adopt(note_adopt(sk), sk->__sk_common.skc_state, cookie);
	}
#endif
	row_if_unlisted(seq, sk, cookie);
	say_holder(seq, cookie, sk->sk_protocol);
}

static __always_inline int say_file(const struct on_file *ctx, const struct task_struct *task,
				    struct file *file)
{
	struct socket *socket;
	struct sock *sk;

	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk)
		return 0;
	if (socket_is_mptcp(sk->sk_type, sk->sk_protocol))
		return say_mptcp(ctx, task, sk);
	if (!is_wanted(sk))
		return 0;
	describe_task(task);
	holder_begin(ctx->fd);
	say_socket(ctx->all->out, sk);
	return 0;
}
#else

/*
 * Nothing leads from a file to a typed socket. One that is bound and no more is told by no netlink dump
 * either: without a cookie, user space is asked to make it.
 */
static __always_inline void say_read_socket(struct seq_file *seq, const struct sock *sk)
{
	struct rec_socket *socket = &found.socket.fact.socket;
	bool known = find_socket(&found.socket, sk, REC_F_SOCKET);

	if (!socket->local_port || (walk.port && socket->local_port != walk.port) ||
	    (walk.ports_only && is_connection(socket->protocol, socket->state)))
		return;
	if (!socket->cookie)
		say_holder(seq, 0, socket->protocol);
	if (!known)
		return;
	if (knob_adopt) {
		adopt_holder(&walk.task);
		adopt(note_make(socket->cookie), socket->state, socket->cookie);
	}
	if (walk.with_ports)
		row_add_bound(&found.socket, sk);
	if (!listed_elsewhere(socket))
		bpf_seq_write(seq, &found.socket, sizeof(found.socket));
	say_holder(seq, socket->cookie, socket->protocol);
}

static __always_inline int say_file(const struct on_file *ctx, const struct task_struct *task,
				    struct file *file)
{
	const struct sock *sk = socket_held(file);

	if (!sk)
		return 0;
	if (socket_is_mptcp(BPF_CORE_READ(sk, sk_type), socket_protocol(sk)))
		return say_mptcp(ctx, task, sk);
	if (!socket_is_ours_sk(sk))
		return 0;
	describe_task(task);
	holder_begin(ctx->fd);
	say_read_socket(ctx->all->out, sk);
	return 0;
}
#endif

/* Each thread with a descriptor table of its own, and each leader. */
SEC("iter/task_file")
int snapshot_files(struct on_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;

	if (!file || !task)
		return 0;
	return say_file(ctx, task, file);
}
