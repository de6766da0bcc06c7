/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doctor's self-test: which records its own acts must bring, and which came. A record counts only with the
 * right socket, ports, error and process, so that nobody else's traffic is taken for it. Pure.
 */
#ifndef PORTSNOOP_CORE_SELF_TEST_H
#define PORTSNOOP_CORE_SELF_TEST_H

#include <portsnoop/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPECTATIONS_MAX 48

enum self_test_outcome { SELF_TEST_SKIPPED, SELF_TEST_FIRED, SELF_TEST_SILENT };

/* Of one fact. */
struct self_test_result {
	enum self_test_outcome outcome;
	char reason[200]; /* skipped: why; silent: what did not come; empty for one that fired */
};

/* Whose process a record must name. */
enum self_test_actor { ACTOR_ANY, ACTOR_SELF, ACTOR_CHILD };

struct expectation {
	enum fact fact;
	const char *act; /* for people: "an accept that asks for no address" */
	enum rec_kind kind;
	enum self_test_actor actor;
	int error;			/* positive errno that the record must have */
	uint64_t cookie;		/* 0: the record has none */
	uint16_t local_port, peer_port; /* 0: any */
	bool came;			/* as it must be */
	bool wrong;			/* one came, but with another port or process */
};

struct self_test {
	/* This process, as it knows itself. */
	uint32_t netns, pid_ns, pid;
	/* As the kernel calls them in the initial pid namespace; 0: not known yet. */
	uint32_t kernel_pid, kernel_child;
	uint32_t unhooked; /* bit per fact that has no hook: nothing is expected of it */
	struct expectation expectations[EXPECTATIONS_MAX];
	unsigned n_expectations;
	char skipped[FACT_COUNT][160]; /* why an act could not be done */
};

void self_test_expect(struct self_test *test, struct expectation expectation);
/* An act that could not be done; the first reason stays. */
void self_test_skip(struct self_test *test, enum fact fact, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A record from the kernel, of whomever. */
void self_test_see(struct self_test *test, const void *record, size_t size);
/* Whether everything came. */
bool self_test_is_over(const struct self_test *test);
/*
 * What became of a fact. Where a part of it is known to be unseen (gaps), it is enough that something of it
 * came.
 */
struct self_test_result self_test_result_of(const struct self_test *test, enum fact fact, bool gaps);
/* "fired", "silent", "skipped" */
const char *self_test_outcome_name(enum self_test_outcome outcome);

#endif
