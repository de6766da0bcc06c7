/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The one record format. The ring buffer, iterator snapshots, user-space enrichment and recordings all
 * carry these records; nothing else crosses the border between kernel, user space and a file.
 *
 * Rules: fixed-width types, size and kind first, explicit padding, native byte order (a recording says
 * which), every record a multiple of 8 bytes. Enumerations are append-only, since recordings keep them.
 * Addresses are 16 bytes in network order (IPv4 as the first four bytes, the rest zero). Ports are in
 * host order. Times are CLOCK_BOOTTIME nanoseconds. Zero means unknown unless a field says otherwise.
 */
#ifndef PORTSNOOP_EVENT_H
#define PORTSNOOP_EVENT_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* Grows with any change that an older reader would misread. Stands in `ready` and in recordings. */
#define PORTSNOOP_SCHEMA 1

#define REC_COMM_LEN 16
#define REC_PATH_MAX 512
#define REC_ARGS_MAX 512
/* The longest record: REC_PROCESS. Readers may refuse anything longer. */
#define REC_SIZE_MAX 1280

/* X(NAME, text): public events first named by their JSON event_name, then what only enriches them. */
#define REC_KIND_LIST(X)                                                                                     \
	X(PROCESS, "process")                                                                                \
	X(FORK, "fork")                                                                                      \
	X(EXIT, "exit")                                                                                      \
	X(BIND, "bind")                                                                                      \
	X(LISTEN, "listen")                                                                                  \
	X(ATTEMPT, "attempt")                                                                                \
	X(CONNECT, "connect")                                                                                \
	X(AUTOBIND, "autobind")                                                                              \
	X(ACCEPT, "accept")                                                                                  \
	X(CLOSE, "close")                                                                                    \
	X(REFUSE, "refuse")                                                                                  \
	X(OVERFLOW, "overflow")                                                                              \
	X(SOCKET, "socket")                                                                                  \
	X(HOLDER, "holder")                                                                                  \
	X(META, "meta")                                                                                      \
	X(READY, "ready")                                                                                    \
	X(LOST, "lost")                                                                                      \
	X(RESYNC, "resync")                                                                                  \
	X(SUMMARY, "summary")                                                                                \
	X(EXEC, "exec")                                                                                      \
	X(WALK, "walk")                                                                                      \
	X(PAST, "past")                                                                                      \
	X(ASK, "ask")                                                                                        \
	X(DESTINATION, "destination")                                                                        \
	X(CONFLICTS, "conflicts")

enum rec_kind {
	REC_NONE,
#define X(name, text) REC_##name,
	REC_KIND_LIST(X)
#undef X
		REC_KIND_COUNT
};

/* Where a record comes from: `portsnoop.source`. */
enum rec_source { SOURCE_EVENT, SOURCE_SNAPSHOT, SOURCE_RESYNC, SOURCE_POLL, SOURCE_COUNT };

/* How the fact was learnt: `portsnoop.probe`. */
enum rec_probe {
	PROBE_NONE,
	PROBE_TRACEPOINT, /* syscall or socket tracepoint */
	PROBE_CGROUP,	  /* cgroup program */
	PROBE_FENTRY,	  /* fentry or fexit */
	PROBE_KPROBE,	  /* kprobe or kretprobe */
	PROBE_ITERATOR,	  /* BPF iterator */
	PROBE_PROC,	  /* /proc, read by user space */
	PROBE_COUNT
};

struct rec_header {
	__u16 size;   /* bytes of the whole record, this header included, multiple of 8 */
	__u8 kind;    /* enum rec_kind */
	__u8 source;  /* enum rec_source */
	__u8 probe;   /* enum rec_probe */
	__u8 cpu_low; /* low bits of the CPU that wrote it; a hint for people, never an identity */
	__u16 flags;  /* REC_F_*, and per kind */
	__u64 time_ns;
};

#define REC_F_TASK	0x0001 /* the acting process is known: seen in process context */
#define REC_F_SOCKET	0x0002 /* the socket part is filled */
#define REC_F_LATE	0x0004 /* learnt at release only */
#define REC_F_TID	0x0008 /* task.tid is the thread that acted, not just some thread of the process */
#define REC_F_TRUNCATED 0x0010 /* a text was cut */
/* Flags from here on belong to one kind each. */
#define BIND_F_DEFERRED	    0x0100 /* IP_BIND_ADDRESS_NO_PORT: the port comes at connect */
#define BIND_F_REQUESTED    0x0200 /* requested_port is known; it may be 0, which asks for any port */
#define LISTEN_F_AUTOBOUND  0x0100 /* the socket was unbound: listen chose the port */
#define CONNECT_F_AUTOBOUND 0x0100 /* connect chose the port */
#define AUTOBIND_F_CONNECT  0x0100 /* by connect(2), otherwise by a send */
#define CLOSE_F_COUNTERS    0x0100 /* bytes, retransmits and rtt are filled (TCP) */
#define CLOSE_F_STILL_BOUND 0x0200 /* the connection ended, the socket goes on holding its port */
#define CLOSE_F_RELEASED    0x0400 /* the last descriptor is gone */
#define SOCKET_F_COUNTERS   0x0100 /* bytes, retransmits and rtt are filled (TCP) */
#define SOCKET_F_ORPHAN	    0x0200 /* no file refers to it: TIME_WAIT, FIN_WAIT, not yet accepted */
#define SOCKET_F_REMAINS                                                                                     \
	0x0400 /* no whole socket: a request, or what TIME_WAIT keeps; ends without a record */
#define SOCKET_F_IN_FLIGHT 0x0800 /* a descriptor of it is under way in a message (SCM_RIGHTS) */
#define SOCKET_F_PORT_READ 0x1000 /* the next two were looked at */
#define SOCKET_F_EXCLUSIVE 0x2000 /* TCP: bind or listen got its port, the kernel gives it to no connect */
#define SOCKET_F_CHOSEN	   0x4000 /* by its number, not as any port */
#define HOLDER_F_EXEC	   0x0100 /* found in the descriptor table by an exec, before its REC_EXEC */
#define EXEC_F_INCOMPLETE  0x0100 /* not every descriptor was looked at */

/* A process at the moment it acted, as seen in process context, in the initial pid namespace. */
struct rec_task {
	__u64 start_ns;	 /* task->group_leader->start_boottime; with pid the identity of a process */
	__u64 cgroup_id; /* cgroup v2; 0 where there is none */
	__u32 pid;
	__u32 tid;
	__u32 uid; /* init user namespace */
	__u32 reserved;
	char comm[REC_COMM_LEN]; /* hostile bytes, NUL-terminated */
};

/* Options of a socket when the fact was recorded. */
#define SOCKOPT_REUSEADDR   0x01
#define SOCKOPT_REUSEPORT   0x02
#define SOCKOPT_FREEBIND    0x04
#define SOCKOPT_TRANSPARENT 0x08
#define SOCKOPT_V6ONLY	    0x10

struct rec_socket {
	__u64 cookie;		/* sk->sk_cookie; with protocol the identity of a socket */
	__u64 creator_start_ns; /* who called socket(2) */
	__u32 creator_pid;
	__u32 netns; /* inode number of the network namespace */
	__u8 local_addr[16];
	__u8 peer_addr[16];
	__u16 local_port;
	__u16 peer_port;
	__u16 protocol; /* IPPROTO_* */
	__u8 family;	/* AF_INET or AF_INET6 of the socket; IPv4-mapped addresses stay mapped here */
	__u8 state;   /* TCP_* of the kernel, as enum tcp_state; UDP uses TCP_ESTABLISHED and TCP_CLOSE too */
	__u8 options; /* SOCKOPT_* */
	__u8 reserved[3];
	__u32 device; /* index it is bound to (SO_BINDTODEVICE); 0: none. Of binds with EADDRINUSE only */
};

/* Why a connection ended: `reason`. */
enum close_reason { CLOSE_UNKNOWN, CLOSE_LOCAL, CLOSE_PEER, CLOSE_RESET, CLOSE_TIMEOUT, CLOSE_REASON_COUNT };

enum rec_direction { DIRECTION_UNKNOWN, DIRECTION_IN, DIRECTION_OUT };

/* What every socket fact begins with. */
struct rec_fact {
	struct rec_header header;
	struct rec_task task;	  /* valid with REC_F_TASK */
	struct rec_socket socket; /* valid with REC_F_SOCKET */
};

/* bind(2) ended. socket.local_*: asked for on failure, got on success. */
struct rec_bind {
	struct rec_fact fact;
	__s32 error; /* 0 or a positive errno */
	__u16 requested_port;
	__u16 reserved;
	__u64 search_ns; /* what the kernel took to choose a port, or to find none; 0: not known */
};

/* listen(2) ended. */
struct rec_listen {
	struct rec_fact fact;
	__s32 error;
	__u32 backlog; /* as the kernel keeps it: sk_max_ack_backlog */
};

/* A connect began (REC_ATTEMPT), or its outcome is known (REC_CONNECT). */
#define CONNECT_ABORTED (-1) /* closed by its own side before an outcome; the kernel has no errno for it */
struct rec_connect {
	struct rec_fact fact;
	__u64 duration_ns; /* from SYN to outcome */
	__s32 error;	   /* 0, a positive errno, or CONNECT_ABORTED */
	__u32 reserved;
	__u64 search_ns; /* as in rec_bind */
};

/* A UDP socket got its port without bind(2). */
struct rec_autobind {
	struct rec_fact fact;
};

/* accept(2) returned a connection. Without REC_F_SOCKET's cookie, only listener and process are known. */
struct rec_accept {
	struct rec_fact fact;
	__u64 queue_ns; /* time in the accept queue */
	__u64 listener; /* cookie */
};

/* A socket gave up its port or its connection. fact.task is the releaser. */
struct rec_close {
	struct rec_fact fact;
	__u64 duration_ns;
	__u64 bytes_sent;     /* payload, without retransmission */
	__u64 bytes_received; /* payload */
	__u64 owner_start_ns; /* connector or accepter, where known */
	__u32 owner_pid;
	__u32 retransmits; /* segments */
	__u32 rtt_us;	   /* smoothed; 0 when never measured */
	__u8 reason;	   /* enum close_reason */
	__u8 direction;	   /* enum rec_direction */
	__u8 reserved[2];
	__u64 listener; /* cookie of the listener that it came through */
};

/* An inbound SYN met a closed port. No process. */
struct rec_refuse {
	struct rec_fact fact;
	__u64 count; /* SYNs to this port since the last record of it */
};

/* A SYN or handshake was dropped because an accept queue was full. */
struct rec_overflow {
	struct rec_fact fact;
	__u64 count;
	__u32 queue_length;
	__u32 queue_limit;
};

/* A socket as an iterator found it. */
struct rec_socket_row {
	struct rec_fact fact;
	__u64 bytes_sent;
	__u64 bytes_received;
	__u32 retransmits;
	__u32 rtt_us;
	__u32 queue_length; /* listeners: accept queue */
	__u32 queue_limit;
	__u64 drops; /* sk_drops */
	/* What only who watched can know; 0 from an iterator. */
	__u64 since_ns; /* port got, or connection established */
	__u64 accepts;	/* listeners: since somebody watched */
	__u8 direction; /* enum rec_direction */
	__u8 reserved[7];
};

/* How a process came to hold a socket. */
enum holder_cause {
	HOLDER_MADE,
	HOLDER_CONNECTED,
	HOLDER_ACCEPTED,
	HOLDER_OBSERVED,
	HOLDER_INHERITED,
	HOLDER_CAUSE_COUNT
};

/* A process holds a socket: one descriptor. Without HOLDER_F_EXEC a walk found it. */
struct rec_holder {
	struct rec_header header;
	struct rec_task task;
	__u64 cookie;
	__u16 protocol;
	__u16 reserved;
	__s32 fd;	/* -1: not known */
	__u64 since_ns; /* 0: not known */
	__u8 cause;	/* enum holder_cause + 1; 0: it was found */
	__u8 reserved2[7];
};

/*
 * A process, once per generation (pid, start, exec), at its first socket act.
 * path: components of the executable's path from leaf to root, each NUL-terminated, path_length bytes in
 * all; with PROCESS_F_TEXT_PATH one ordinary path. args: NUL-separated, args_length bytes.
 */
#define PROCESS_F_TEXT_PATH 0x0100
#define PROCESS_F_PATH_CUT  0x0200
#define PROCESS_F_ARGS_CUT  0x0400
#define PROCESS_F_NO_ARGS   0x0800 /* user memory was not resident */
struct rec_process {
	struct rec_header header;
	struct rec_task task;
	__u64 parent_start_ns;
	__u32 parent_pid;
	__u32 pid_ns; /* inode of the pid namespace that it lives in; 0: not known */
	__u32 ns_pid; /* its pid there */
	__u16 path_length;
	__u16 args_length;
	char path[REC_PATH_MAX];
	char args[REC_ARGS_MAX];
};

/*
 * A process that holds sockets, or is followed, or a child of one: it forked, executed another program or
 * ended. REC_EXEC comes after a REC_HOLDER with HOLDER_F_EXEC for each descriptor of a socket that it kept.
 */
struct rec_lifecycle {
	struct rec_header header;
	struct rec_task task; /* REC_FORK: the parent; else the process itself */
	__u64 child_start_ns;
	__u32 child_pid;
	__u32 reserved;
};

/* What the outside says: names and settings, so that a recording replays exactly. */
enum meta_type {
	META_NONE,
	META_CLOCK,	 /* key: CLOCK_REALTIME - CLOCK_BOOTTIME, ns, two's complement */
	META_VERSION,	 /* text: portsnoop's version */
	META_HOST,	 /* text: host name */
	META_NETNS,	 /* key: inode of the namespace portsnoop runs in */
	META_RANGE,	 /* key: netns; text: "low high", ip_local_port_range */
	META_USER,	 /* key: uid; text: name */
	META_SERVICE,	 /* key: protocol << 16 | port; text: name */
	META_CGROUP,	 /* key: cgroup id; text: path */
	META_FOLLOW,	 /* key: pid: this process and its descendants are followed */
	META_NETNS_NAME, /* key: inode; text: name as `ip netns` knows it */
	META_RESERVED,	 /* key: netns; text: "8080,9000-9099", ip_local_reserved_ports; empty: none */
	META_TW_REUSE,	 /* key: netns; text: "0", "1" or "2", tcp_tw_reuse */
	META_TYPE_COUNT
};
struct rec_meta {
	struct rec_header header;
	__u64 key;
	__u16 type;   /* enum meta_type */
	__u16 length; /* of text, without NUL */
	__u32 reserved;
	char text[]; /* padded with zeros to a multiple of 8 */
};

/* The facts that a hook can give; the index into rec_ready.probes. */
#define FACT_LIST(X)                                                                                         \
	X(BIND, "bind")                                                                                      \
	X(BIND_ERROR, "bind_error")                                                                          \
	X(LISTEN, "listen")                                                                                  \
	X(CONNECT, "connect")                                                                                \
	X(ACCEPT, "accept")                                                                                  \
	X(AUTOBIND, "autobind")                                                                              \
	X(CLOSE, "close")                                                                                    \
	X(RELEASE, "release")                                                                                \
	X(REFUSE, "refuse")                                                                                  \
	X(OVERFLOW, "overflow")                                                                              \
	X(IO_URING, "io_uring")                                                                              \
	X(PROCESS, "process")
enum fact {
#define X(name, text) FACT_##name,
	FACT_LIST(X)
#undef X
		FACT_COUNT
};

enum rec_scope { SCOPE_HOST, SCOPE_CONTAINER };

/* Every hook is attached and the snapshot is merged. */
struct rec_ready {
	struct rec_header header;
	__u32 schema;
	__u32 uncountable; /* bit per enum loss_stage that this kernel cannot count */
	__u32 sockets;	   /* in the snapshot */
	__u32 processes;
	__u32 namespaces;
	__u8 scope; /* enum rec_scope */
	__u8 reserved[3];
	__u8 probes[16]; /* enum rec_probe by enum fact; PROBE_NONE: not available */
};

struct rec_lost {
	struct rec_header header;
	__u64 count;
	__u64 interval_ns;
	__u32 stage; /* enum loss_stage, counters.h */
	__u32 reserved;
};

/* The end, with the books: per kind emitted = delivered + dropped. */
#define SUMMARY_KINDS  24 /* what the kernel side sends is below */
#define SUMMARY_STAGES 8
struct rec_summary {
	struct rec_header header;
	__u64 emitted[SUMMARY_KINDS];
	__u64 dropped[SUMMARY_KINDS];
	__u64 lost[SUMMARY_STAGES];
};

#define REC_ASSERT_SIZE(type, bytes) _Static_assert(sizeof(struct type) == (bytes), #type " has changed size")
REC_ASSERT_SIZE(rec_header, 16);
REC_ASSERT_SIZE(rec_task, 48);
REC_ASSERT_SIZE(rec_socket, 72);
REC_ASSERT_SIZE(rec_fact, 136);
REC_ASSERT_SIZE(rec_bind, 152);
REC_ASSERT_SIZE(rec_listen, 144);
REC_ASSERT_SIZE(rec_connect, 160);
REC_ASSERT_SIZE(rec_autobind, 136);
REC_ASSERT_SIZE(rec_accept, 152);
REC_ASSERT_SIZE(rec_close, 192);
REC_ASSERT_SIZE(rec_refuse, 144);
REC_ASSERT_SIZE(rec_overflow, 152);
REC_ASSERT_SIZE(rec_socket_row, 200);
REC_ASSERT_SIZE(rec_holder, 96);
REC_ASSERT_SIZE(rec_process, 1112);
REC_ASSERT_SIZE(rec_lifecycle, 80);
REC_ASSERT_SIZE(rec_meta, 32);
REC_ASSERT_SIZE(rec_ready, 56);
REC_ASSERT_SIZE(rec_lost, 40);
REC_ASSERT_SIZE(rec_summary, 464);
_Static_assert((int)REC_EXEC < SUMMARY_KINDS, "summary has no room for every kind that is counted");
_Static_assert((int)REC_KIND_COUNT >= SUMMARY_KINDS, "summary has room for what is no kind");
_Static_assert((int)FACT_COUNT <= 16, "ready has no room for every fact");
_Static_assert(sizeof(struct rec_process) <= REC_SIZE_MAX, "REC_SIZE_MAX is too small");

#include <portsnoop/event_user.h>

#endif
