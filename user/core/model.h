/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tables: sockets, processes, names. model_apply() turns one record into the new state and says what
 * changed. No I/O, no clock, no globals: what the outside says comes in as meta records, so a recording
 * replays exactly.
 */
#ifndef PORTSNOOP_CORE_MODEL_H
#define PORTSNOOP_CORE_MODEL_H

#include "core/port_set.h"
#include "core/process.h"
#include "core/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct model;
struct names;
struct destinations;

/* A process that holds a socket: an edge between the two tables. */
struct holder {
	struct process *process;
	struct socket_row *socket;
	struct holder *next;		      /* of the same socket, in the order in which they came */
	struct holder *next_held, *prev_held; /* of the same process */
	uint64_t since_ns;
	int32_t fd;    /* one of its descriptors; -1: not known */
	uint8_t cause; /* enum holder_cause */
	uint8_t mark;  /* of the walk that saw it last */
	bool kept;     /* an exec that is under way found it open */
};

/* What made a process begin or cease to hold a socket: `cause` of a `holder` event. */
enum holder_change {
	CHANGE_ACTED, /* it made, bound, connected or accepted the socket: another event says so */
	CHANGE_FORK,
	CHANGE_EXEC,
	CHANGE_EXIT,
	CHANGE_PASS,
	CHANGE_CLOSE,
	CHANGE_REPAIR,
	CHANGE_COUNT
};

struct holder_event {
	const struct socket_row *socket;
	const struct holder *holder;
	uint64_t time_ns;
	enum holder_change change;
	bool added;    /* or removed */
	bool observed; /* learnt by looking */
};
typedef void model_holder_fn(void *context, const struct holder_event *event);

/* A socket as the tables have it. */
struct socket_row {
	struct rec_socket socket; /* cookie, addresses, ports, state, options as last seen */
	uint64_t since_ns;	  /* port got, or connection established; 0: before we looked */
	uint64_t accepts;	  /* listeners: since we looked */
	uint64_t bytes_sent, bytes_received;
	uint64_t touched_ns;		    /* last event; 0: only walks have seen it */
	uint32_t queue_length, queue_limit; /* listeners; limit 0: not known */
	uint32_t rtt_us, retransmits;
	struct holder *holders;
	uint32_t n_holders;
	uint32_t next_tuple;  /* core/tuples */
	uint8_t direction;    /* enum rec_direction */
	uint8_t mark;	      /* of the walk that saw it last */
	bool orphan;	      /* no file refers to it */
	bool remains;	      /* no whole socket: a request, TIME_WAIT; ends without an event */
	bool seen_from_start; /* its birth was seen: counts are complete */
	bool absent;	      /* the last walk did not find it */
	bool fresh : 1;	      /* the walk that is under way put it here */
	bool in_flight : 1;   /* a descriptor of it is under way in a message */
	bool flight_seen : 1; /* by the walk that is under way */
	bool port_read : 1;   /* the next two are known */
	bool exclusive : 1;   /* TCP: bind or listen got the port, the kernel gives it to no connect */
	bool chosen : 1;      /* by its number, not as any port */
	bool counted : 1;     /* bytes were read */
};

#define LET_GO_MAX 8
struct let_go {
	const struct socket_row *rows[LET_GO_MAX]; /* ports first; there may have been more */
	size_t n;
};

/* What one record meant. Pointers stay valid until the next model_apply(). */
struct change {
	struct record record;
	const struct process *process; /* who acted; NULL when not known */
	const struct socket_row
		*socket; /* as it is now; at its end, as it was; NULL when not in the tables */
	bool released;	 /* the row goes with the next record */
	uint64_t bytes;	 /* payload, both ways, that this record tells beyond what was known of the socket */
	const struct holder_event *holder; /* what a `holder` event tells; NULL for all others */
	const struct let_go *let_go;	   /* what a process that exited let go of; NULL for all others */
};

struct model_limits {
	size_t sockets;	  /* rows; 0: the default, 1,048,576; twice as many edges to holders */
	size_t processes; /* 0: the default, 65,536 */
	size_t past;	  /* remembered last holders; 0: the default, 16,384 */
};

struct model *model_new(const struct model_limits *limits);
/* Empty, as it was made, with the same limits. 0, or -ENOMEM: then it can only be freed. */
int model_clear(struct model *model);
void model_free(struct model *model);

/* 0, or -ENOMEM; a full table is counted and is no error. */
int model_apply(struct model *model, const struct record *record, struct change *ret_change);

/* Who is told when a process begins or ceases to hold a socket; one listener. */
void model_on_holder(struct model *model, model_holder_fn *callback, void *context);

/* What walks over the kernel's sockets repaired since the model began. */
struct repairs {
	uint64_t added, removed;   /* sockets */
	uint64_t owner_changed;	   /* edges added or removed */
	uint32_t netns_skipped;	   /* namespaces that the last walk could not enter */
	uint32_t in_doubt;	   /* sockets that only one walk has missed: the next one decides */
	bool incomplete;	   /* the last walk could not be applied whole: walk again */
	uint64_t holders_as_of_ns; /* when the last whole walk looked at descriptors; 0: never */
};
const struct repairs *model_repairs(const struct model *model);
bool model_walking(const struct model *model);

/* Who held a socket last, and when it let go. */
struct past_holder {
	uint64_t start_ns, until_ns;
	uint32_t pid, uid;
	char comm[REC_COMM_LEN];
};
/* Of a connection without holders (by cookie), or of a port that is free or in TIME_WAIT. NULL: not known. */
const struct past_holder *model_past_of_socket(const struct model *model, const struct rec_socket *socket);
const struct past_holder *model_past_of_port(const struct model *model, const struct rec_socket *socket);
/*
 * Each port that was given back and is remembered, from the one longest ago on, until the callback returns
 * something else than 0. Of place, netns, protocol and the local end are known.
 */
typedef int model_past_port_fn(void *context, const struct rec_socket *place,
			       const struct past_holder *holder);
int model_each_past_port(const struct model *model, model_past_port_fn *callback, void *context);

const struct process *model_process(const struct model *model, uint32_t pid, uint64_t start_ns);
/* The whole socket, or else something that is left of it. */
const struct socket_row *model_socket(const struct model *model, uint64_t cookie, uint16_t protocol);
/* What this connection has left in TIME_WAIT, or its request; the socket may have gone on to something else.
 */
const struct socket_row *model_remains(const struct model *model, const struct rec_socket *socket);
/* The socket at the other end of a connection that stays on this host and in its namespace; NULL: not known.
 */
const struct socket_row *model_peer(const struct model *model, const struct socket_row *row);
/* The one process that holds it; NULL when nobody or more than one does. */
const struct process *model_peer_process(const struct model *model, const struct socket_row *row);
int model_each_socket(const struct model *model, int (*callback)(const struct socket_row *, void *),
		      void *context);
int model_each_process(const struct model *model, int (*callback)(const struct process *, void *),
		       void *context);
size_t model_socket_count(const struct model *model);
size_t model_process_count(const struct model *model);
/* Most rows that each may have. */
struct model_limits model_limits(const struct model *model);
/* Rows that a full table could not take. */
uint64_t model_rows_left_out(const struct model *model);
/* Processes that had to make room for others. */
uint64_t model_processes_evicted(const struct model *model);

/* What events told of where connections went. */
const struct destinations *model_destinations(const struct model *model);

/* Takes out what ends without an event: requests, TIME_WAIT. */
void model_forget_remains(struct model *model);
/* The same of those that the walk which has just ended did not find; port: it looked at this one alone, 0: at
 * all.
 */
void model_forget_old_remains(struct model *model, uint16_t port);
int model_each_name(const struct model *model,
		    int (*callback)(void *context, enum meta_type type, uint64_t key, const char *text),
		    void *context);
int64_t model_clock_offset_ns(const struct model *model); /* CLOCK_REALTIME - CLOCK_BOOTTIME */

/* Names and settings from meta records. NULL or false: not known. */
const struct names *model_names(const struct model *model);
const char *model_user_name(const struct model *model, uint32_t uid);
int model_user_id(const struct model *model, const char *name, uint32_t *ret_uid);
const char *model_cgroup_path(const struct model *model, uint64_t cgroup_id);
const char *model_netns_name(const struct model *model, uint32_t netns);
const char *model_service_name(const struct model *model, uint16_t protocol, uint16_t port);
int model_service_port(const struct model *model, const char *name, uint16_t *ret_port);
const char *model_host(const struct model *model);
const char *model_version(const struct model *model); /* of the portsnoop that traced */
/* CLOCK_REALTIME of a CLOCK_BOOTTIME instant, ns since the epoch. */
int64_t model_wall_ns(const struct model *model, uint64_t boot_ns);
bool model_following(const struct model *model); /* a command is followed: only its processes are shown */

/* The range that the kernel assigns from, above 1023; IANA's dynamic ports (49152 to 65535) where it is not
 * known. */
void model_ephemeral_ports(const struct model *model, uint32_t netns, uint16_t *ret_low, uint16_t *ret_high);
/* Whether the range was told, not taken from IANA. */
bool model_range_known(const struct model *model, uint32_t netns);
/* Ports that the kernel assigns to nobody. False: not known, and the set is empty. */
bool model_reserved_ports(const struct model *model, uint32_t netns, struct port_set *ret_ports);
/* tcp_tw_reuse: 0 off, 1 on, 2 on loopback only; -1: not known. */
int model_tw_reuse(const struct model *model, uint32_t netns);
/* "well-known" (0-1023), "ephemeral" (model_ephemeral_ports()), "registered" otherwise. */
const char *model_port_class(const struct model *model, uint32_t netns, uint16_t port);

#endif
