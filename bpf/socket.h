/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading a kernel socket into a record. Where it is not said otherwise, every read is a probe read, so that
 * all program types share it. */
#ifndef PORTSNOOP_BPF_SOCKET_H
#define PORTSNOOP_BPF_SOCKET_H

#include "compat.h"
#include "maps.h"

#include <bpf/bpf_endian.h>

#define AF_INET	    2
#define AF_INET6    10
#define SOCK_STREAM 1
#define SOCK_DGRAM  2

/* The facts are about ports of TCP and UDP; raw and ICMP sockets have none. */
static __always_inline bool socket_is_ours(__u16 type, __u16 protocol, __u16 family)
{
	if (family != AF_INET && family != AF_INET6)
		return false;
	return (type == SOCK_STREAM && protocol == IPPROTO_TCP) ||
	       (type == SOCK_DGRAM && protocol == IPPROTO_UDP);
}

static __always_inline __u16 socket_protocol(const struct sock *sk)
{
	return BPF_CORE_READ(sk, sk_protocol);
}

static __always_inline bool socket_is_ours_sk(const struct sock *sk)
{
	return socket_is_ours(BPF_CORE_READ(sk, sk_type), socket_protocol(sk),
			      BPF_CORE_READ(sk, __sk_common.skc_family));
}

static __always_inline __u8 socket_options(const struct sock *sk)
{
	__u8 options = 0;

	/* SK_FORCE_REUSE is 2: what the kernel sets for itself is not the option. */
	if (BPF_CORE_READ_BITFIELD_PROBED(sk, __sk_common.skc_reuse) == 1)
		options |= SOCKOPT_REUSEADDR;
	if (BPF_CORE_READ_BITFIELD_PROBED(sk, __sk_common.skc_reuseport))
		options |= SOCKOPT_REUSEPORT;
	if (BPF_CORE_READ_BITFIELD_PROBED(sk, __sk_common.skc_ipv6only))
		options |= SOCKOPT_V6ONLY;
	if (compat_inet_freebind(sk))
		options |= SOCKOPT_FREEBIND;
	if (compat_inet_transparent(sk))
		options |= SOCKOPT_TRANSPARENT;
	return options;
}

/*
 * Filling a record costs a helper call a field with probe reads. A program that the verifier gave a typed
 * pointer (tp_btf) loads directly, and state changes are where it counts: the same code, two ways to read.
 */
#define READ_PROBED(sk, field) BPF_CORE_READ(sk, field)
#define READ_TYPED(sk, field)  ((sk)->field)

/*
 * The local port: skc_num while bound; at ->CLOSE it is already 0 unless the port was bound explicitly, and
 * inet_sport (behind struct sock, so always probed) still has it. Everything is filled but cookie, creator
 * and options.
 */
#define DEFINE_SOCKET_FILL(name, READ)                                                                       \
	static __always_inline void name(struct rec_socket *to, const struct sock *sk)                       \
	{                                                                                                    \
		__u16 family = READ(sk, __sk_common.skc_family), port = READ(sk, __sk_common.skc_num);       \
                                                                                                             \
		if (!port)                                                                                   \
			port = bpf_ntohs(BPF_CORE_READ((const struct inet_sock *)sk, inet_sport));           \
		to->netns = READ_NETNS_##READ(sk);                                                           \
		to->family = family;                                                                         \
		to->state = READ(sk, __sk_common.skc_state);                                                 \
		to->protocol = READ(sk, sk_protocol);                                                        \
		to->local_port = port;                                                                       \
		to->peer_port = bpf_ntohs(READ(sk, __sk_common.skc_dport));                                  \
		if (family == AF_INET) {                                                                     \
			*(__u32 *)to->local_addr = READ(sk, __sk_common.skc_rcv_saddr);                      \
			*(__u32 *)to->peer_addr = READ(sk, __sk_common.skc_daddr);                           \
		} else {                                                                                     \
			*(struct in6_addr *)to->local_addr = READ(sk, __sk_common.skc_v6_rcv_saddr);         \
			*(struct in6_addr *)to->peer_addr = READ(sk, __sk_common.skc_v6_daddr);              \
		}                                                                                            \
	}
#define READ_NETNS_READ_PROBED(sk) BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum)
#define READ_NETNS_READ_TYPED(sk)  ((sk)->__sk_common.skc_net.net->ns.inum)

DEFINE_SOCKET_FILL(socket_fill, READ_PROBED)
DEFINE_SOCKET_FILL(socket_fill_typed, READ_TYPED)

/* Valid once somebody asked for it: cgroup/sock_create and the state change of a child do. */
static __always_inline __u64 socket_cookie_of(const struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
}

/* The cookie in a program with a typed socket: made if it is not there yet. */
static __always_inline __u64 socket_cookie_typed(struct sock *sk)
{
	__u64 cookie = sk->__sk_common.skc_cookie.counter;

	return cookie ? cookie : bpf_get_socket_cookie(sk);
}

/* The socket of an open descriptor of the current process, or NULL. */
static __always_inline struct sock *socket_of_fd(int fd)
{
	struct fdtable *table = bpf_get_current_task_btf()->files->fdt;
	struct file *file = NULL;
	struct socket *socket;

	if (fd < 0 || (__u32)fd >= table->max_fds)
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), table->fd + fd);
	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & 0170000) != 0140000) /* S_IFSOCK */
		return NULL;
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
}

#endif
