/* SPDX-License-Identifier: GPL-2.0-only */
/* The options of all commands in one table, and the values that they are read into. */
#ifndef PORTSNOOP_OPTIONS_H
#define PORTSNOOP_OPTIONS_H

#include "source/live.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPTIONS_LISTEN_MAX 8

enum colour_wish { COLOUR_AUTO, COLOUR_NEVER };

struct options {
	bool json, verbose, quiet, numeric, no_args;
	enum colour_wish colour;
	uint64_t ring_size;   /* bytes; 0: the default */
	uint64_t count;	      /* 0: without limit */
	uint64_t duration_ns; /* 0: without limit */
	bool no_instance, sync;
	bool ephemeral, attempts, holders, no_udp_send, strict;
	enum live_backend backend;
	const char *save; /* recording to write */
	const char *from; /* recording to read */
	bool no_pager;
	bool listening, free;	 /* what wait waits for */
	uint64_t timeout_ns;	 /* 0: without limit */
	bool watch;		 /* again and again */
	uint64_t batch;		 /* frames without a terminal; 0: with one */
	uint64_t delay_ns;	 /* between two refreshes; 0: not given */
	const char *view, *sort; /* of top; NULL: not given */
	bool ascii;
	uint64_t observe_ns;			/* trace for so long before showing; 0: not */
	bool reuseaddr, reuseport, v6only;	/* of the bind that why is about */
	const char *uid;			/* name or number; NULL: not given */
	uint64_t pid;				/* 0: not given */
	const char *netns;			/* pid, name or path; NULL: not given */
	const char *device;			/* NULL: none */
	const char *listen[OPTIONS_LISTEN_MAX]; /* addresses to serve metrics on */
	size_t n_listen;
	const char *web_config; /* who may connect, and how; NULL: everybody */
	const char *textfile;	/* to write metrics to; NULL: not given */
	bool once, no_events, bpf_stats;
	uint64_t interval_ns;		  /* between writes; 0: the default */
	uint64_t series;		  /* most of a family; 0: the default */
	uint64_t max_memory;		  /* bytes; 0: not limited */
	const char *labels, *drop_labels; /* lists; NULL: not given */
	bool help, version;
	char **words; /* what is no option: command, filter; points into argv */
	size_t n_words;
	char **child; /* after --: a command to follow; NULL-terminated, NULL: none */
};

/* Commands that an option belongs to: a bit each. */
#define FOR_TRACE     0x01
#define FOR_LS	      0x02
#define FOR_RECORD    0x04
#define FOR_REPLAY    0x08
#define FOR_WHO	      0x10
#define FOR_WAIT      0x20
#define FOR_DOCTOR    0x40
#define FOR_WHY	      0x80
#define FOR_EPHEMERAL 0x100
#define FOR_TOP	      0x200
#define FOR_EXPORT    0x400
#define FOR_ALL	      0x7ff

/*
 * Reads argv (reordered as getopt does; everything behind -- is child's). 0, or -EINVAL with a message that
 * names the option. *ret_used: bit per row of the table that was given, for options_check().
 */
int options_parse(int argc, char **argv, struct options *ret_options, uint64_t *ret_used, char *message,
		  size_t message_size);
/* Whether all options that were given belong to this command. 0, or -EINVAL with a message. */
int options_check(uint64_t used, unsigned command, const char *command_name, char *message,
		  size_t message_size);
/* The options of a command, a line each, to standard output. */
void options_print_help(unsigned command);

#endif
