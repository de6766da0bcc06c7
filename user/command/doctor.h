/* SPDX-License-Identifier: GPL-2.0-only */
/* What doctor is made of: each part looks at something and notes it in the diagnosis. Private to doctor. */
#ifndef PORTSNOOP_COMMAND_DOCTOR_H
#define PORTSNOOP_COMMAND_DOCTOR_H

#include "core/diagnosis.h"
#include "core/self_test.h"
#include "source/live.h"
#include "source/snapshot.h"

/* Kernel, capabilities, settings and mounts. */
void doctor_look_at_machine(struct diagnosis *diagnosis);
/* Each kind of hook, by trying it. */
void doctor_try_ways(struct diagnosis *diagnosis);
/* The facts, as a trace that was just attached sees them, and the self-test. */
void doctor_test_facts(struct diagnosis *diagnosis, struct live *live, struct snapshot *snapshot);

/* --- the self-test's acts ---------------------------------------------------------------------------------
 */

#define ACTS_KEPT_MAX 8

/* Acts on loopback, in this process and a child; each puts down what records it must bring. */
struct acts {
	struct self_test *test;
	int family;		       /* of the acts that are under way */
	enum self_test_actor releaser; /* whether a close can name who did it */
	int kept[ACTS_KEPT_MAX];       /* descriptors that stay open until acts_end() */
	unsigned n_kept;
};

void acts_begin(struct acts *acts);
void acts_end(struct acts *acts);

/* What a socket's act must bring: a record with its cookie, its own port and its peer's, of this process. */
struct expectation acts_about(enum fact fact, enum rec_kind kind, const char *act, int fd);
/* One accept by io_uring. */
void acts_by_uring(struct acts *acts);

#endif
