/* SPDX-License-Identifier: GPL-2.0-only */
/* The command of `trace -- COMMAND`: made before the hooks, let go when they are ready. */
#ifndef PORTSNOOP_COMMAND_CHILD_H
#define PORTSNOOP_COMMAND_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid; /* 0: none */
	int gate;  /* a byte lets the command begin; -1: it has begun */
	bool ended;
	int status; /* as waitpid(2) has it */
};

/* Forks; the child waits at the gate. 0 or a negative errno. */
int child_start(struct child *child, char **argv);
void child_let_go(struct child *child);
/* Takes note if it has ended, without waiting. */
void child_check(struct child *child);
/* Its exit status, or 128 and the signal, as a shell says it. */
int child_exit_status(const struct child *child);
/* Ends a child that still waits at the gate: true, the command was never run. */
bool child_abandon(struct child *child);

#endif
