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
	const char *cgroup; /* cgroup v2 path; tells the container too */
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

/* Names that the language takes and the core does not know. Each returns 0 or -ENOENT. A NULL callback knows
 * no name, except field and netns. */
struct filter_resolver {
	int (*user)(void *context, const char *name, uint32_t *ret_uid);
	int (*service)(void *context, const char *name, uint16_t *ret_port); /* host order */
	void *context;
	/* Is there such a JSON field in any line? NULL: every well-formed dotted name is taken. */
	int (*field)(void *context, const char *name);
	/* Is there such a network namespace? NULL: every name is taken. What matches is the name that the
	 * subject has, since inodes are used again. */
	int (*netns)(void *context, const char *name);
};

/* Where and why a parse failed. */
struct filter_error {
	size_t column;	   /* byte offset into text; at most its length */
	char text[256];	   /* the words as one line, control characters blanked; of a long one, what is
			    * around column */
	char message[256]; /* what was found and what was expected */
};

/*
 * Parses the words of argv into *ret_filter (NULL when there are no words, or blank ones only: everything
 * matches). resolver and error may be NULL. Returns 0, -EINVAL with *error filled, or -ENOMEM. The caller
 * frees with filter_free().
 *
 * An argv word after a key is its value whole; any other word is lexed, so that one quoted filter and many
 * words mean the same. What follows a key is its value even if it reads `and`, `or` or `not`.
 *
 * In a value, whole or lexed, a comma separates alternatives and N-M is a range where numbers are expected.
 * "…" keeps commas, blanks and parentheses from separating; in lexed text '…' does so too, in a whole value
 * an apostrophe is an ordinary byte. A backslash before " ' \ * ? or a comma takes that byte as it is, before
 * anything else it is an ordinary byte (systemd's cgroup names have \x2d). Quotes do not stop * and ? from
 * being wildcards. Fixed names (states, events, protocols, errnos, …) may be written in any case.
 *
 * Bounds: parentheses FILTER_DEPTH_MAX deep, FILTER_SIZE_MAX comparisons with their operators, and as many
 * values.
 */
#define FILTER_DEPTH_MAX 64
#define FILTER_SIZE_MAX	 4096
int filter_parse(char *const words[], size_t n_words, const struct filter_resolver *resolver,
		 struct filter **ret_filter, struct filter_error *error);

/*
 * NULL matches everything. Never allocates, never recurses; the cost is that of the comparisons made.
 *
 * pid matches in the initial pid namespace or in the process's own. A comm of more than 15 bytes without
 * wildcards matches what the kernel keeps of it. container matches the name, the ID, or an ID that begins
 * with the 4 or more hexadecimal digits given. serves is false for the side that connected: it does not
 * receive.
 */
bool filter_match(const struct filter *filter, const struct filter_subject *subject);

void filter_free(struct filter *filter);

/*
 * Writes message, text and a line with a caret under column to buf, NUL-terminated unless size is 0, without
 * a newline at the end. Returns the length of the whole like snprintf().
 */
#define FILTER_ERROR_SIZE 800 /* holds any error uncut */
int filter_error_format(const struct filter_error *error, char *buf, size_t size);

#endif
