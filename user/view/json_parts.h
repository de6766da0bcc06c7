/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pieces that JSON lines are made of, as docs/schema.json defines them. A piece without anything to say
 * writes nothing, its key neither.
 */
#ifndef PORTSNOOP_VIEW_JSON_PARTS_H
#define PORTSNOOP_VIEW_JSON_PARTS_H

#include "core/describe.h"
#include "io/json_writer.h"
#include "view/event.h"

#include <stdio.h>

/* A line of its own: what `row` names it, its fields between the two, then the newline. 0 or -errno. */
void json_row_begin(struct json_writer *w, const char *row);
int json_row_print(struct json_writer *w, FILE *out);

/* RFC 3339, UTC, nine decimals; wall_ns is since the epoch. */
void json_time(struct json_writer *w, const char *key, int64_t wall_ns);
/* An object with a single string, or nothing without value: {"type":"EADDRINUSE"}. */
void json_wrapped(struct json_writer *w, const char *object, const char *key, const char *value);
void json_network(struct json_writer *w, const struct description *description, bool with_state);
void json_process(struct json_writer *w, const struct model *model, const struct actor *actor,
		  const struct view_options *options);
/* `container` and `k8s`, beside `process`. */
void json_container(struct json_writer *w, const struct cgroup_name *place,
		    const struct view_options *options);
/* The systemd unit, under `portsnoop`. */
void json_unit(struct json_writer *w, const struct cgroup_name *place);
/* Unit and pid namespace, under `portsnoop`. */
void json_surroundings(struct json_writer *w, const struct cgroup_name *place, const struct actor *actor);
/* The network namespace by inode and name, under `portsnoop`. */
void json_netns(struct json_writer *w, const struct model *model, uint32_t netns,
		const struct view_options *options);
/* The process at the other end, where that is on this host and one process holds it. */
void json_peer_process(struct json_writer *w, const struct model *model, const struct socket_row *row);
/* [{"process":{…},"container":{…},"fd":6,"cause":"accepted"}] */
void json_holders(struct json_writer *w, const struct model *model, const struct socket_row *row,
		  const struct view_options *options);
/* Who had a connection last that nobody has now. */
void json_last_holder(struct json_writer *w, const struct model *model, const struct socket_row *row,
		      const struct view_options *options);
/* SOCKOPT_* as an array of names; nothing when none is set. */
void json_options(struct json_writer *w, uint8_t socket_options);
void json_counters(struct json_writer *w, uint64_t sent, uint64_t received, uint32_t retransmits,
		   uint32_t rtt_us);
void json_accept_queue(struct json_writer *w, uint32_t length, uint32_t limit);
/* Numbers that are absent when 0. */
void json_known(struct json_writer *w, const char *key, uint64_t value);

/* Those in the way of a bind that failed. */
void json_conflicts(struct json_writer *w, const struct model *model, const struct rec_conflicts *record,
		    const struct view_options *options);

/* ready, lost, resync and summary: what stands under `portsnoop` besides source and probe. */
void json_trace_fields(struct json_writer *w, const struct model *model, const struct change *change,
		       const struct view_tally *tally);

#endif
