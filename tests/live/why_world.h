/* SPDX-License-Identifier: GPL-2.0-only */
/* Random sockets on one port after the other: what a bind may meet, made by real calls. */
#ifndef LIVE_WHY_WORLD_H
#define LIVE_WHY_WORLD_H

#include "act.h"
#include "core/bind_conflict.h"

#include <stdbool.h>
#include <stdint.h>

#define WORLD_SOCKETS 24
#define WORLD_DEVICES 3

struct world {
	const struct scene *scene;
	uint64_t random;
	uint16_t port, protocol;
	int sockets[WORLD_SOCKETS]; /* open descriptors */
	unsigned n_sockets;
	int flight[2];	  /* a Unix socket pair; what was sent through it is nowhere else */
	unsigned n_flown; /* in the queue */
	uint32_t devices[WORLD_DEVICES];
	unsigned n_devices;
	int listener4, listener6; /* on another port, for connections out of this one */
	union address target4, target6;
	char story[4096]; /* of this situation, for who must understand a mismatch */
};

void world_begin(struct world *world, const struct scene *scene, uint64_t seed);
/* A port that nobody has, and nothing on it. */
void world_next(struct world *world, uint16_t port);
/* Something happens: a socket is connected, listens, is closed, changes its options, goes on a journey. */
void world_act(struct world *world);
/* A random wish for the port. */
struct bind_wish world_wish(struct world *world);
/* Makes the bind that is wished for. *ret_error: 0 or a positive errno. Returns the socket. */
int world_bind(struct world *world, const struct bind_wish *wish, int *ret_error);
/* Keeps it for the rest of the situation. */
void world_keep(struct world *world, int fd);
unsigned world_random(struct world *world, unsigned below);
void world_say(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
