/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the kernel asks when somebody wants to bind a port, read from its own tables: the bind bucket of a
 * TCP port with its owners, the hash chains of a UDP port, in their order. Crosses from bpf/bind_table to
 * user space only; it is no record, and no recording keeps it.
 *
 * Addresses as in event.h; ports and users in host order.
 */
#ifndef PORTSNOOP_BIND_TABLE_H
#define PORTSNOOP_BIND_TABLE_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* What to read. */
struct bind_ask {
	__s32 fd; /* of the caller: a socket of that protocol in the namespace that is asked about */
	__u16 port;
	__u8 udp;
	__u8 all_of_port;   /* not what a bind looks at: TCP in all VRFs, UDP by its port alone */
	__u32 l3mdev;	    /* index of the VRF that the wish is in; 0: none */
	__u32 skip;	    /* sockets that were read before */
	__u8 address[4][4]; /* UDP: asked for, as four words of an IPv6 address; IPv4 as ::ffff:a.b.c.d */
};

/* Where a socket was found. */
enum bind_chain {
	BIND_CHAIN_OWNERS,  /* TCP: of the bucket */
	BIND_CHAIN_PORT,    /* UDP: all with this hash of the port */
	BIND_CHAIN_ADDRESS, /* UDP: with this hash of address and port */
	BIND_CHAIN_ANY,	    /* UDP: with the hash of the wildcard and port */
	BIND_CHAIN_COUNT
};

#define BIND_ROW_REUSEADDR 0x01 /* also when the kernel set it for itself */
#define BIND_ROW_REUSEPORT 0x02
#define BIND_ROW_V6ONLY	   0x04
#define BIND_ROW_ORPHAN	   0x08 /* no file refers to it */
#define BIND_ROW_TIMER	   0x10 /* left_jiffies is filled: TIME_WAIT */
#define BIND_ROW_FILED_V4  0x20 /* its bind2 bucket is one of IPv4, where the kernel keeps them apart */
#define BIND_ROW_COUNTERS  0x40 /* bytes, retransmits and rtt_us are filled */

/* A socket on this port. */
struct bind_row {
	__u64 cookie; /* 0: nobody has asked for it yet */
	__u8 local_addr[16];
	__u8 peer_addr[16];
	__u8 filed_addr[16]; /* TCP since 6.1: of its bind2 bucket; IPv4 as ::ffff:a.b.c.d */
	__u32 local_v4;	     /* sk_rcv_saddr, network order: of an IPv6 socket what the kernel compares */
	__u32 uid;	     /* init user namespace */
	__u32 device;	     /* SO_BINDTODEVICE; 0: none */
	__u16 peer_port;
	__u8 family;
	__u8 state;    /* enum tcp_state; TIME_WAIT also for what is left of a FIN_WAIT2 */
	__u8 substate; /* TIME_WAIT: what of */
	__u8 chain;    /* enum bind_chain */
	__u16 flags;   /* BIND_ROW_* */
	__u8 options;  /* SOCKOPT_*, as in event.h */
	__u8 reserved[3];
	__s64 left_jiffies;   /* until the timer ends it */
	__u64 bytes_sent;     /* payload, without retransmissions */
	__u64 bytes_received; /* payload */
	__u32 retransmits;
	__u32 rtt_us;
	__u32 drops;	    /* datagrams, or connections that a listener did not take */
	__u32 queue_length; /* of a listener: connections to be accepted */
	__u32 queue_limit;
	__u32 requests; /* of a listener: SYNs that it answered, in no bucket yet */
};

/* TCP: struct inet_bind_bucket. */
struct bind_bucket {
	__u8 fast_addr[16]; /* of IPv6 */
	__u32 fast_v4;	    /* network order */
	__u32 fast_uid;
	__u16 fast_family;
	__u8 fast_v6only;
	__s8 fastreuse;
	__s8 fastreuseport;
	__u8 found;
	__u8 reserved[2];
};

#define BIND_HAS_BIND2	      0x01 /* buckets by address and port: since 6.1 (28044fc1d495) */
#define BIND_HAS_MAPPED_BIND2 0x02 /* IPv4-mapped addresses use them: since 6.8 (5e07e672412b) */

struct bind_answer {
	__u64 jiffies;
	__u32 rows;  /* in the map, at most BIND_ROWS_MAX */
	__u32 seen;  /* all that came by, rows and skipped ones */
	__u8 whole;  /* the end of every chain was reached: nothing more to read */
	__u8 torn;   /* a chain led elsewhere: read again */
	__u8 failed; /* no such socket, or its tables were not found */
	__u8 features;
	__u32 unprivileged_start;	      /* ip_unprivileged_port_start */
	__u32 chain_length[BIND_CHAIN_COUNT]; /* UDP: of the whole slot, all ports */
	struct bind_bucket bucket;
	__u32 reserved;
};

#define BIND_ROWS_MAX 16384

#endif
