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

/*
 * MPTCP: what a program holds is a socket of that protocol, and what has the port is a TCP socket that the
 * kernel made for it and no descriptor leads to, a subflow. Facts are about subflows; acts on the socket
 * above are told of the first.
 */
#define SUBFLOWS_MAX 8 /* as many as the kernel makes (MPTCP_SUBFLOWS_MAX) */

static __always_inline bool socket_is_mptcp(__u16 type, __u16 protocol)
{
	return type == SOCK_STREAM && protocol == IPPROTO_MPTCP;
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
 * Filling a record: the same code, two ways to read. A program that the verifier gave a typed pointer
 * (tp_btf) loads directly, and state changes are where it counts. Everybody else copies the whole of
 * sock_common by one probe read and takes the fields from the copy: a helper call a field would be half of
 * the cost of an accept.
 */
#define COMMON_BYTES                                                                                         \
	144 /* at least sizeof(struct sock_common), of any kernel; struct sock goes on behind it */

struct common_copy {
	char bytes[COMMON_BYTES] __attribute__((aligned(8)));
};

#define COMMON_TYPED(sk, copy, field) ((sk)->__sk_common.field)
#define COMMON_PROBED(sk, copy, field)                                                                       \
	(*(typeof(((struct sock_common *)0)->field) *)((copy).bytes +                                        \
						       bpf_core_field_offset(struct sock_common, field)))
#define COPY_TYPED(sk, copy)	   ((void)(copy))
#define COPY_PROBED(sk, copy)	   bpf_probe_read_kernel(&(copy), sizeof(copy), sk)
#define PROTOCOL_TYPED(sk)	   ((sk)->sk_protocol)
#define PROTOCOL_PROBED(sk)	   socket_protocol(sk)
#define TCP_TYPED(sk)		   socket_as_tcp(sk)
#define TCP_PROBED(sk)		   NULL
#define SPORT_TYPED(sk, tcp)	   ((tcp) ? (tcp)->inet_conn.icsk_inet.inet_sport : 0)
#define SPORT_PROBED(sk, tcp)	   BPF_CORE_READ((const struct inet_sock *)(sk), inet_sport)
#define NETNS_TYPED(sk, tcp, copy) socket_netns_of_tcp(tcp)
#define NETNS_PROBED(sk, tcp, copy)                                                                          \
	({                                                                                                   \
		const struct net *net = COMMON_PROBED(sk, copy, skc_net.net);                                \
		BPF_CORE_READ(net, ns.inum);                                                                 \
	})

static __always_inline const struct tcp_sock *socket_as_tcp(const struct sock *sk)
{
	return bpf_skc_to_tcp_sock((void *)sk);
}

/*
 * For each pointer that is followed from a trusted one (what a tracepoint gives) the verifier of 6.2 and
 * later searches all of the kernel's types by name, half a millisecond each time that it comes by. What the
 * helper returns is not trusted, and no worse to read.
 */
static __always_inline __u32 socket_netns_of_tcp(const struct tcp_sock *tcp)
{
	return tcp ? tcp->inet_conn.icsk_inet.sk.__sk_common.skc_net.net->ns.inum : 0;
}

/*
 * The local port: skc_num while bound; at ->CLOSE it is already 0 unless the port was bound explicitly, and
 * inet_sport still has it. Everything is filled but cookie, creator
 * and options.
 */
#define DEFINE_SOCKET_FILL(name, WAY)                                                                        \
	static __always_inline void name(struct rec_socket *to, const struct sock *sk)                       \
	{                                                                                                    \
		const struct tcp_sock *tcp = TCP_##WAY(sk);                                                  \
		struct common_copy copy;                                                                     \
		__u16 family, port;                                                                          \
                                                                                                             \
		(void)tcp;                                                                                   \
		COPY_##WAY(sk, copy);                                                                        \
		family = COMMON_##WAY(sk, copy, skc_family);                                                 \
		port = COMMON_##WAY(sk, copy, skc_num);                                                      \
		if (!port)                                                                                   \
			port = bpf_ntohs(SPORT_##WAY(sk, tcp));                                              \
		to->netns = NETNS_##WAY(sk, tcp, copy);                                                      \
		to->family = family;                                                                         \
		to->state = COMMON_##WAY(sk, copy, skc_state);                                               \
		to->protocol = PROTOCOL_##WAY(sk);                                                           \
		to->local_port = port;                                                                       \
		to->peer_port = bpf_ntohs(COMMON_##WAY(sk, copy, skc_dport));                                \
		if (family == AF_INET) {                                                                     \
			*(__u32 *)to->local_addr = COMMON_##WAY(sk, copy, skc_rcv_saddr);                    \
			*(__u32 *)to->peer_addr = COMMON_##WAY(sk, copy, skc_daddr);                         \
		} else {                                                                                     \
			*(struct in6_addr *)to->local_addr = COMMON_##WAY(sk, copy, skc_v6_rcv_saddr);       \
			*(struct in6_addr *)to->peer_addr = COMMON_##WAY(sk, copy, skc_v6_daddr);            \
		}                                                                                            \
	}

DEFINE_SOCKET_FILL(socket_fill, PROBED)
DEFINE_SOCKET_FILL(socket_fill_typed, TYPED)

/* SYN and FIN are not counted in bytes_sent; a FIN that has come is in bytes_received. */
static __always_inline __u64 payload_sent(const struct tcp_sock *tcp)
{
	return tcp->bytes_sent - tcp->bytes_retrans;
}

static __always_inline __u64 payload_received(const struct tcp_sock *tcp)
{
	__u64 received = tcp->bytes_received;
	bool ended = tcp->inet_conn.icsk_inet.sk.__sk_common.skc_flags >> SOCK_DONE & 1;

	return received && ended ? received - 1 : received;
}

/* Valid once somebody asked for it: cgroup/sock_create and the state change of a child do. */
static __always_inline __u64 socket_cookie_of(const struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
}

/*
 * The cookie in a program with a typed socket. Most have one. Those that nobody asked get one: without, a
 * socket has no identity. A request socket gives its cookie to the connection, and the connection its own to
 * the TIME_WAIT that is left of it.
 */
#define COOKIE(typed, skc)                                                                                   \
	({                                                                                                   \
		__u64 cookie = (skc)->skc_cookie.counter;                                                    \
		cookie ? cookie : compat_cookie_typed(typed, skc);                                           \
	})

static __always_inline __u64 socket_cookie_typed(struct sock *sk)
{
	return COOKIE(sk, &sk->__sk_common);
}

static __always_inline bool socket_is_subflow(const struct sock *sk)
{
	return socket_protocol(sk) == IPPROTO_TCP && compat_is_subflow(sk);
}

/* The one with the port, of one that a program holds. NULL: there is none. */
static __always_inline struct sock *socket_with_port(struct sock *sk)
{
	return socket_protocol(sk) == IPPROTO_MPTCP ? compat_mptcp_first(sk) : sk;
}

/*
 * All subflows, one after the other. What changes in a bpf_loop() must not begin as a constant: before 6.7
 * the verifier takes it for one in all rounds, and leaves out what would be done with others (seen on 6.1).
 */
struct subflows {
	const void *list, *at;
};

static __always_inline struct subflows socket_subflows(const struct sock *sk)
{
	const void *list = compat_mptcp_list(sk);

	return (struct subflows){.list = list, .at = list};
}

/* NULL: no more. */
static __always_inline const struct sock *socket_next_subflow(struct subflows *subflows)
{
	const struct mptcp_subflow_context *context = compat_mptcp_next(subflows->list, subflows->at);

	subflows->at = context;
	return context ? compat_mptcp_subflow(context) : NULL;
}

/* The socket of a file, or NULL. */
static __always_inline struct sock *socket_held(const struct file *file)
{
	struct socket *socket;

	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & 0170000) != 0140000) /* S_IFSOCK */
		return NULL;
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
}

/* The one with the port. */
static __always_inline struct sock *socket_of_file(const struct file *file)
{
	struct sock *sk = socket_held(file);

	return sk ? socket_with_port(sk) : NULL;
}

#endif
