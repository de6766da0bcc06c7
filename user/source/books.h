/* SPDX-License-Identifier: GPL-2.0-only */
/* The books: what the kernel side emitted, dropped and could not run, and what of it was told already. */
#ifndef PORTSNOOP_SOURCE_BOOKS_H
#define PORTSNOOP_SOURCE_BOOKS_H

#include "core/settled.h"
#include "source/sink.h"

#include <bpf/libbpf.h>
#include <portsnoop/counters.h>
#include <stdbool.h>
#include <stdint.h>

#define BOOKS_PROGRAMS 32

/* One whose misses count. */
struct books_program {
	int fd; /* -1: the end of the list */
	enum paired_program pair;
};

struct books {
	const struct cpu_counters *cpus; /* mapped */
	unsigned n_cpus;
	struct books_program programs[BOOKS_PROGRAMS];
	bool misses_known; /* this kernel counts them (5.12) */
	const struct bpf_object *object;
	int begin_fd;	   /* of the program on the beginning of functions (kprobes); -1: none */
	uint64_t given_up; /* calls whose end it did not see */
	struct settled skipped;
	uint64_t told[LOSS_STAGE_COUNT];
	uint64_t told_ns;    /* time of the last look */
	bool news;	     /* a loss was told; whoever reads it takes it back */
	uint64_t table_full; /* rows left out, as the tables' owner says */
};

/* Maps the counters and finds the programs whose misses are losses. 0 or a negative errno. */
int books_open(struct books *books, struct bpf_object *object, int cpus_fd, unsigned n_cpus);
void books_close(struct books *books);
/* Before the losses are told: looks after calls whose end was not seen. */
void books_look_at_calls(struct books *books);
/* Whether misses can be read with the privileges of now. */
bool books_can_read(const struct books *books);
/* What the kernel side sent so far by kind, what was dropped on the way included. */
void books_read_emitted(const struct books *books, uint64_t ret_emitted[SUMMARY_KINDS]);
/* Losses so far by stage; what was skipped, as of the last time that losses were told. */
void books_read(const struct books *books, uint64_t ret_lost[LOSS_STAGE_COUNT]);
/* A `lost` record for each stage that grew since the last time. final: no program runs any more. */
int books_tell(struct books *books, bool final, const struct sink *sink);
int books_put_summary(struct books *books, const struct sink *sink);
/* Bit per stage that this kernel cannot count. */
uint32_t books_uncountable(const struct books *books);

#endif
