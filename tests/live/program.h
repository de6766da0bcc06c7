/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs of the distribution as servers and clients, on private ports and in directories of their own. */
#ifndef LIVE_PROGRAM_H
#define LIVE_PROGRAM_H

#include "tool.h"

struct program {
	pid_t pid;
	char out_path[512];
};

/* argv is NULL-terminated; the program is looked for in PATH and in /usr/sbin. Ends with the scenario. */
void program_start(struct scene *scene, struct program *program, const char *const *argv);
/* Waits for the end, which must be with exit code 0; returns what it printed, to be freed. */
char *program_finish(struct scene *scene, struct program *program);
/* SIGTERM, and waits. */
void program_stop(struct scene *scene, struct program *program);
/* Whether `pid` is the program or one of its descendants, now. */
bool program_is(const struct scene *scene, const struct program *program, pid_t pid);
/* A new empty directory. */
void program_directory(const struct scene *scene, char path[512]);

/* --- what was said between a client and a server ----------------------------------------------------------
 */

struct exchange {
	uint16_t client_port; /* 0: any, and it is filled in */
	uint16_t server_port;
	pid_t client;
	int64_t sent, received; /* by the client; -1: whatever, but the same on both sides */
	/* filled in: */
	pid_t accepter;
};
/* Finds the connection in the tool's output, both its ends and their closes, and checks all of it. */
void exchange_check(const struct tool *tool, struct exchange *exchange);

#endif
