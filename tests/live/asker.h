/* SPDX-License-Identifier: GPL-2.0-only */
/* Who comes to the socket of a portsnoop that runs: the tool itself, and those who do it wrong. */
#ifndef LIVE_ASKER_H
#define LIVE_ASKER_H

#include "tool.h"

#include <portsnoop/event.h>
#include <stdatomic.h>

#define NOBODY 65534

/* Where it serves. Returns path. */
const char *asker_path(char path[108]);

/* What the tool said: exit code 0, no complaint, and so many rows of this namespace. Frees the result. */
void asker_expect_rows(struct scene *scene, struct tool_result *result, unsigned rows);
/* Somebody who could not look for himself gets an answer, with so many rows, or none. */
void asker_expect_answer(struct scene *scene, unsigned rows);
void asker_expect_refusal(struct scene *scene);

int asker_connect(struct scene *scene);
/* -1: nobody listens. */
int asker_try_to_connect(void);
void asker_say(struct scene *scene, int fd, const void *data, size_t size);
void asker_ask(struct scene *scene, int fd, unsigned schema);
/* What events alone can tell, as `ls ports` does. */
void asker_ask_of_ports(struct scene *scene, int fd);
/* After either: whether the answer has this TCP port of the scenario's namespace. Closes. */
bool asker_hears_of_port(struct scene *scene, int fd, uint16_t port);
/* As asker_ask(), if it is still listened to. */
void asker_try_to_ask(int fd);
/* Waits until the other side has hung up, and closes. Fails if it answers with an end. */
void asker_await_end(struct scene *scene, int fd);
/* A process that is killed when it has asked half, or has read so many bytes of its answer. */
void asker_die_in_the_middle(struct scene *scene, size_t read);

void asker_become_nobody(struct scene *scene);
/* Listens where a portsnoop would, as another account; counts, in shared memory, who came and asked. */
struct asked {
	_Atomic unsigned came, questions;
};
pid_t asker_start_impostor(struct scene *scene, struct asked *asked);

#endif
