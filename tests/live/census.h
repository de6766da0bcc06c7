/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every socket of some namespaces, as the processes that made them say and as /proc says who holds them,
 * against what `ls --json` prints: each once, and nothing else.
 */
#ifndef LIVE_CENSUS_H
#define LIVE_CENSUS_H

#include "act.h"

/* By the process that has the descriptor, in the socket's namespace: it is there, in this state. */
void census_socket(const struct scene *scene, int fd, const char *state);
/* The same of one that cannot say its peer yet. */
void census_connecting(const struct scene *scene, int fd, const char *peer, const char *state);
/* One without a descriptor. cookie 0: nobody can know it. */
void census_orphan(const struct scene *scene, const char *proto, uint64_t cookie, const char *local,
		   const char *peer, const char *state);
/* Runs the tool and fails the scenario at the first difference, in every namespace that was named above. */
void census_check(struct scene *scene);

#endif
