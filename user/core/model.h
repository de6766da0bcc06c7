/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tables: sockets, processes, names. model_apply() turns one record into the new state and says what
 * changed. No I/O, no clock, no globals: what the outside says comes in as meta records, so a recording
 * replays exactly.
 */
#ifndef PORTSNOOP_CORE_MODEL_H
#define PORTSNOOP_CORE_MODEL_H

#include "core/process.h"
#include "core/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct model;

/* A process that holds a socket, and how it came to be known. */
enum holder_cause { HOLDER_MADE, HOLDER_CONNECTED, HOLDER_ACCEPTED, HOLDER_OBSERVED };

struct holder {
	uint64_t start_ns;
	uint32_t pid;
	int32_t fd;    /* -1: not known */
	uint8_t cause; /* enum holder_cause */
};

/* A socket as the tables have it. */
struct socket_row {
	struct rec_socket socket; /* cookie, addresses, ports, state, options as last seen */
	uint64_t since_ns;	  /* port got, or connection established; 0: before we looked */
	uint64_t accepts;	  /* listeners: since we looked */
	uint64_t bytes_sent, bytes_received;
	uint32_t queue_length, queue_limit; /* listeners; limit 0: not known */
	uint32_t rtt_us, retransmits;
	uint8_t direction;	/* enum rec_direction */
	bool orphan;		/* no file refers to it */
	bool seen_from_start;	/* its birth was seen: counts are complete */
	struct holder *holders; /* owned; n_holders of them */
	uint32_t n_holders;
};

/* What one record meant. Pointers stay valid until the next model_apply(). */
struct change {
	struct record record;
	const struct process *process; /* who acted; NULL when not known */
	const struct socket_row
		*socket; /* as it is now; at its end, as it was; NULL when not in the tables */
	bool released;	 /* the row goes with the next record */
};

struct model_limits {
	size_t sockets;	  /* rows; 0: the default, 1,048,576 */
	size_t processes; /* 0: the default, 65,536 */
};

struct model *model_new(const struct model_limits *limits);
void model_free(struct model *model);

/* 0, or -ENOMEM; a full table is counted and is no error. */
int model_apply(struct model *model, const struct record *record, struct change *ret_change);

const struct process *model_process(const struct model *model, uint32_t pid, uint64_t start_ns);
const struct socket_row *model_socket(const struct model *model, uint64_t cookie, uint16_t protocol);
int model_each_socket(const struct model *model, int (*callback)(const struct socket_row *, void *),
		      void *context);
int model_each_process(const struct model *model, int (*callback)(const struct process *, void *),
		       void *context);
size_t model_socket_count(const struct model *model);
/* Rows that a full table could not take. */
uint64_t model_rows_left_out(const struct model *model);

/* Names and settings from meta records. NULL or false: not known. */
const char *model_user_name(const struct model *model, uint32_t uid);
int model_user_id(const struct model *model, const char *name, uint32_t *ret_uid);
const char *model_cgroup_path(const struct model *model, uint64_t cgroup_id);
const char *model_service_name(const struct model *model, uint16_t protocol, uint16_t port);
int model_service_port(const struct model *model, const char *name, uint16_t *ret_port);
bool model_ephemeral_range(const struct model *model, uint32_t netns, uint16_t *ret_low, uint16_t *ret_high);
const char *model_host(const struct model *model);
const char *model_version(const struct model *model); /* of the portsnoop that traced */
/* CLOCK_REALTIME of a CLOCK_BOOTTIME instant, ns since the epoch. */
int64_t model_wall_ns(const struct model *model, uint64_t boot_ns);
bool model_following(const struct model *model); /* a command is followed: only its processes are shown */

/* "well-known" (0-1023), "ephemeral" (as this namespace's range says), "registered" otherwise. IANA's dynamic
 * range beginning at 49152 counts as ephemeral where the range is not known. */
const char *model_port_class(const struct model *model, uint32_t netns, uint16_t port);

#endif
