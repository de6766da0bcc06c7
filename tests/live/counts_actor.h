/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An actor that does many of the things that are counted and tallies them itself, from what its calls
 * returned. It is a program of its own, under a name that nobody else on the machine has.
 */
#ifndef LIVE_COUNTS_ACTOR_H
#define LIVE_COUNTS_ACTOR_H

#include "scene.h"

/* What it did. */
struct tally {
	unsigned long long binds, any_port_binds, bind_errors;
	unsigned long long connects, connect_errors, accepts, sends;
	unsigned long long client_sent, server_sent; /* payload bytes */
};

/* A copy of this program, called name[]; to be unlinked. */
struct counts_actor {
	pid_t pid;
	unsigned rounds;
	char name[32], path[600], truth[640];
};

/* Begins `rounds` rounds on ports from `port` on, in the namespace of the caller. */
void counts_actor_start(struct scene *scene, struct counts_actor *actor, unsigned port, unsigned rounds);
/* Waits for it to have done them; it goes on living with its listener until it is ended. */
struct tally counts_actor_wait(struct scene *scene, struct counts_actor *actor);
void counts_actor_end(struct scene *scene, struct counts_actor *actor);

/* The part of exec_actor: PORT ROUNDS. */
void counts_actor_part(struct scene *scene, const char *truth, unsigned port, unsigned rounds);

#endif
