/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads what the kernel side counted, and what the kernel says of the programs that counted it. */
#ifndef PORTSNOOP_SOURCE_COUNTERS_H
#define PORTSNOOP_SOURCE_COUNTERS_H

#include <portsnoop/counts.h>
#include <stdbool.h>
#include <stdint.h>

struct bpf_object;

/* The tables of a live source: borrowed. */
struct counters {
	int counts_fd, spans_fd, counts_other_fd, spans_other_fd, names_fd;
	struct counting *counting; /* mapped */
	const struct bpf_object *object;
};

/* Who is told, row by row. In a row of what found no room (other) only the key's kind says something. */
struct counters_reader {
	/* text: COUNT_NAME_LEN bytes at most, NUL-terminated, hostile. */
	int (*name)(void *context, uint32_t number, const char *text);
	int (*count)(void *context, const struct count_key *key, const struct count *count, bool other);
	int (*span)(void *context, const struct count_key *key, const struct span *span, bool other);
	void *context;
};

/*
 * Names first, then what counts them. A key that comes meanwhile may be left to the next time. 0, what a
 * callback returned, or a negative errno.
 */
int counters_read(const struct counters *counters, const struct counters_reader *reader);

/* Keys that the tables have: a number that grows whenever a new one came. */
uint64_t counters_keys(const struct counters *counters);

/* Whether the kinds whose keys have a control group have used half of their room. */
bool counters_crowded(const struct counters *counters);
/* Takes out those keys for whose control group gone() is true. 0 or a negative errno. */
int counters_retire(const struct counters *counters, bool (*gone)(void *context, uint64_t cgroup_id),
		    void *context);

/* One of our programs, as the kernel has it. */
struct counters_program {
	const char *name;
	uint64_t missed;	    /* runs that the kernel skipped; where it counts them */
	uint64_t runs, run_time_ns; /* while somebody has the kernel measure that */
};
/* Each program that is loaded, until the callback returns something else than 0. */
int counters_each_program(const struct counters *counters,
			  int (*callback)(void *context, const struct counters_program *program),
			  void *context);
/* Lets the kernel measure its BPF programs, all of the machine's, until the descriptor is closed. That or a
 * negative errno. */
int counters_measure_programs(void);

/* "1.1". */
const char *counters_libbpf_version(void);

#endif
