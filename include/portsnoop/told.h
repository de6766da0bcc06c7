/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Functions of the kernel that tell calls: what the programs on them and user space agree on. */
#ifndef PORTSNOOP_TOLD_H
#define PORTSNOOP_TOLD_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* What is told by functions is told by them alone: each of these entirely or not at all. */
enum told {
	TOLD_BIND = 0x01, /* binds that get a port */
	TOLD_LISTEN = 0x02,
	TOLD_CONNECT = 0x04,
	TOLD_AUTOBIND = 0x08,
	TOLD_ACCEPT = 0x10,
	TOLD_BIND_ERROR = 0x20, /* binds that fail, or put off their port */
	/* All that a return of a call can tell; binds with a port have hooks that need no return. */
	TOLD_CALLS = TOLD_BIND_ERROR | TOLD_LISTEN | TOLD_CONNECT | TOLD_ACCEPT,
};
#define TOLD_GROUPS 6

/* Functions that kprobes are set on. */
enum probed_function {
	PROBED_NONE,
	PROBED_MAY_BIND, /* security modules are asked */
	PROBED_MAY_LISTEN,
	PROBED_MAY_CONNECT,
	PROBED_PRE_CONNECT4, /* programs of control groups are asked */
	PROBED_PRE_CONNECT6,
	PROBED_NO_LISTEN, /* what datagram sockets have for listen(2) */
	PROBED_BIND4,
	PROBED_BIND6,
	PROBED_LISTEN,
	PROBED_CONNECT_UDP,
	PROBED_CONNECT_TCP4,
	PROBED_CONNECT_TCP6,
	PROBED_AUTOBIND,
	PROBED_GRAFT, /* of accept(2): the new socket is made known to security modules */
};

/* The cookie with which the programs of a function are attached is one of them, these, and its group. */
#define PROBED_FUNCTION 0xff  /* enum probed_function */
#define PROBED_OF_SOCK	0x100 /* its first argument is a struct sock, otherwise a struct socket */
#define PROBED_OF_ANY	0x200 /* sockets of all kinds pass it */
#define PROBED_ASKS	0x400 /* with 0 the call goes on, to another function */
#define PROBED_TOLD	16    /* from this bit on: TOLD_* */

/* What a function was called with, kept until it returns, by (TOLD_* << 32 | thread). */
struct probed_call {
	__u64 begun_ns; /* CLOCK_BOOTTIME */
	__u64 first;	/* pointer: struct socket or struct sock */
	__u64 address;	/* pointer: the kernel's copy of a sockaddr, where the function has one */
	__u32 length;	/* of it */
	__u32 cookie;	/* of the function */
	__u16 port;	/* of the socket, host order; PROBED_AUTOBIND only */
	__u16 reserved[3];
};

/* How far kprobes are: in `control.probing`. */
enum probing {
	PROBING_NOT,
	PROBING_BEGUN, /* what calls begin with is kept */
	PROBING_ALL,   /* so long that every call that ends has begun since */
};

#endif
