/* SPDX-License-Identifier: GPL-2.0-only */
/* Text for people: a bounded buffer, columns, quantities in words. Hostile bytes go through text_name(). */
#ifndef PORTSNOOP_VIEW_TEXT_PARTS_H
#define PORTSNOOP_VIEW_TEXT_PARTS_H

#include "core/describe.h"
#include "view/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What does not fit is cut. Always NUL-terminated; size is at least 1. */
struct text {
	char *buf;
	size_t size, length;
};

struct text text_in(char *buf, size_t size);
void text_put(struct text *text, const char *string);
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_uint(struct text *text, uint64_t value);
/* Bytes that another process chose. */
void text_name(struct text *text, const char *name, size_t length);
/* Characters from an offset on: what a terminal shows as columns. */
size_t text_width(const struct text *text, size_t from);
/* Spaces until width columns from that offset are there, and one more. */
void text_pad(struct text *text, size_t from, size_t width);

/* "1 socket", "3 sockets" */
void text_count(struct text *text, uint64_t count, const char *one, const char *many);

/* Begins the next of several pieces: ", " unless it is the first since begin. */
void text_next(struct text *text, size_t begin);

/* 312 µs, 20.2 ms, 1.5 s, 5 m 3 s, 2 h 5 m, 3 d 4 h */
void text_duration(struct text *text, uint64_t ns);
/* The same as one word, for tables: 5m3s. */
void text_duration_word(struct text *text, uint64_t ns);
/* 5 B, 1.2 kB, 34 MB */
void text_bytes(struct text *text, uint64_t bytes);

/* tcp, tcp6, udp, udp6: as the socket was made, so an IPv4-mapped address stands beside tcp6. */
const char *protocol_name(const struct rec_socket *socket);
/* nginx(812,813) redis(5): neighbours of one name share it. */
void text_actors(struct text *text, const struct actor *actors, size_t n);
/* The lead, then those who hold it, some of them by name; nothing when nobody does. */
void text_holders(struct text *text, const struct model *model, const struct socket_row *row,
		  const char *lead);
/* The comm, "?" when it is not known. */
void text_comm(struct text *text, const struct actor *actor);
/* Name of the user, or the number; nothing when it is not known. */
void text_user(struct text *text, const struct model *model, uint32_t uid, bool numeric);
/* Name of the network namespace, or its inode. */
void text_netns(struct text *text, const struct model *model, uint32_t netns, bool numeric);
/* The short ID or the name of the container; nothing when there is none. */
void text_container(struct text *text, const struct cgroup_name *place, bool numeric);
/* The local address of what serves, as ss has it: * for both families, 0.0.0.0 and [::] for one. */
void text_served_address(struct text *text, const struct rec_socket *socket);
/* Names of the options, each behind the separator. */
void text_options(struct text *text, uint8_t socket_options, const char *separator);

/* What an event is to people: what colours tell. */
enum event_meaning {
	MEANS_NOTHING,
	MEANS_BEGIN,
	MEANS_END,
	MEANS_ASSIGNED, /* the kernel chose a port */
	MEANS_WARNING,
	MEANS_ERROR,
	MEANS_LOSS
};
enum event_meaning event_meaning(const struct record *record, const struct description *description);

/* An event about a socket: what stands behind the columns. */
void text_event_details(struct text *text, const struct model *model, const struct change *change,
			const struct description *description, const struct view_options *options);
/* Who is in the way of a bind that failed. */
void text_conflicts(struct text *text, const struct model *model, const struct rec_conflicts *record);
/* ready, lost, resync, summary: what stands behind time and kind. */
void text_trace_details(struct text *text, const struct model *model, const struct change *change,
			const struct view_tally *tally);

#endif
