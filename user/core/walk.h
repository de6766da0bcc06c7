/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A walk over the kernel's sockets as it comes in: what it has seen, which namespaces it covered, and which
 * sockets ended while it was under way and must not come back with a row that was read before. It judges what
 * is gone; the tables are the model's.
 */
#ifndef PORTSNOOP_CORE_WALK_H
#define PORTSNOOP_CORE_WALK_H

#include "core/model.h"

struct walk;

/* NULL when there is no memory. */
struct walk *walk_new(void);
void walk_free(struct walk *walk);

/* Takes a part's record. True at the end of a walk that can be judged. */
bool walk_take(struct walk *walk, const struct rec_walk *record);
bool walk_is_active(const struct walk *walk);

/* A socket ended for good. */
void walk_socket_ended(struct walk *walk, const struct rec_socket *socket);
/* Whether a row that was found may be put into the tables. */
bool walk_may_add(struct walk *walk, const struct rec_socket *socket, bool remains);
void walk_saw_socket(const struct walk *walk, struct socket_row *row);
/* Whether the last walk, or the one under way, has seen it. */
bool walk_just_saw(const struct walk *walk, const struct socket_row *row);
/* True for the first of its descriptors. */
bool walk_saw_holder(const struct walk *walk, struct holder *holder);

/* Whether it has listed the sockets of this network namespace, and not only looked at descriptors. */
bool walk_covers(const struct walk *walk, uint32_t netns);

enum verdict { VERDICT_THERE, VERDICT_DOUBT, VERDICT_GONE };
/* At the end. In doubt: one walk has missed it, the next one decides. */
enum verdict walk_judge_socket(const struct walk *walk, const struct socket_row *row);
bool walk_misses_holder(const struct walk *walk, const struct holder *holder);
/* Whether differences are repairs: not in the first walk, before which nothing was known. */
bool walk_repairs(const struct walk *walk);
uint64_t walk_holders_as_of_ns(const struct walk *walk);
/* What is counted; walk_take() and the model write it. */
struct repairs *walk_counts(struct walk *walk);

#endif
