/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The filter language: one language for every command, always positional.
 *
 * filter_parse() turns argv words into a program; filter_match() evaluates it against a subject, which is
 * one event or one row reduced to the fields that the language knows. Pure: names (users, services) are
 * resolved through a callback, so that a recording filters the same everywhere.
 */
#ifndef PORTSNOOP_CORE_FILTER_H
#define PORTSNOOP_CORE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct filter;

/* Transport as the language names it; bit numbers of filter_subject.protocol are IPPROTO_* values. */

/* One process of a subject: the acting process of an event, or a holder of a row. Pointers may be NULL. */
struct filter_process {
	uint32_t pid;
	uint32_t ns_pid; /* in its own pid namespace; 0: the same or unknown */
	uint32_t uid;
	const char *comm;
	const char *cgroup; /* cgroup v2 path */
	const char *container_id;
	const char *container_name;
};

#define FILTER_HAS_LOCAL 0x01 /* local address and port */
#define FILTER_HAS_PEER	 0x02
#define FILTER_HAS_NETNS 0x04
#define FILTER_HAS_STATE 0x08

/* The fields of an event or a row. What is unknown is absent: a comparison on it is false. */
struct filter_subject {
	uint32_t present;	/* FILTER_HAS_* */
	const char *event;	/* "bind", "listen", …; NULL in rows */
	uint8_t family;		/* AF_INET, AF_INET6 or 0, after IPv4-mapped addresses became IPv4 */
	bool dual_stack;	/* an IPv6 wildcard that also serves IPv4 */
	uint16_t protocol;	/* IPPROTO_*, 0 unknown */
	uint8_t local_addr[16]; /* network order; IPv4 in the first four bytes */
	uint8_t peer_addr[16];
	uint16_t local_port; /* host order; 0 absent */
	uint16_t peer_port;
	const char *state; /* "listen", "established", …; "bound", "unconnected" */
	int direction;	   /* enum rec_direction */
	int error;	   /* 0 none, positive errno, negative: failed without errno */
	uint32_t netns;	   /* inode */
	const char *netns_name;
	const char *port_class; /* "well-known", "registered", "ephemeral"; NULL absent */
	const struct filter_process *processes;
	size_t n_processes;
	/* has FIELD: asks whether a dotted JSON field is present; NULL callback: absent */
	bool (*has_field)(const void *context, const char *field);
	const void *has_field_context;
};

/* Names that the language takes and the core does not know. Each returns 0 or -ENOENT. */
struct filter_resolver {
	int (*user)(void *context, const char *name, uint32_t *ret_uid);
	int (*service)(void *context, const char *name, uint16_t *ret_port); /* host order */
	void *context;
};

/* Where and why a parse failed. */
struct filter_error {
	size_t column;	   /* byte offset into text */
	char text[256];	   /* the filter as one line, as it was read */
	char message[192]; /* what was found and what was expected */
};

/*
 * Parses the words of argv into *ret_filter (NULL when there are no words: everything matches).
 * An argv word after a key is its value whole; any other word is lexed, so that one quoted filter and many
 * words mean the same. Returns 0, -EINVAL with *error filled, or -ENOMEM. The caller frees with
 * filter_free().
 */
int filter_parse(char *const words[], size_t n_words, const struct filter_resolver *resolver,
		 struct filter **ret_filter, struct filter_error *error);

/* NULL matches everything. Never allocates. */
bool filter_match(const struct filter *filter, const struct filter_subject *subject);

void filter_free(struct filter *filter);

#endif
