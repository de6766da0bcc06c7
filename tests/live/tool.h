/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tool as a process: started, waited for by what it prints, ended. Nothing waits for time to pass: the
 * tool says `ready`, and an act that nobody else does (a bind to an address of 127.77.0.0/16) marks the end.
 */
#ifndef LIVE_TOOL_H
#define LIVE_TOOL_H

#include "event.h"
#include "scene.h"

#include <pthread.h>
#include <stdio.h>

#define TOOL_MAX_ARGUMENTS 32

struct tool {
	struct scene *scene;
	pid_t pid;
	FILE *from; /* the tool's standard output */
	FILE *copy; /* of all it printed */
	char out_path[512], err_path[512];
	pthread_t reader;
	pthread_mutex_t lock;
	pthread_cond_t news;
	/* Under the lock: */
	unsigned counts[EVENT_KIND_COUNT]; /* in the scenario's namespace, marks left out */
	unsigned all[EVENT_KIND_COUNT];	   /* wherever */
	unsigned lines;
	char ready[1024];    /* the line, or its beginning */
	char awaited[64];    /* a line that holds this text is waited for */
	uint64_t awaited_ns; /* when it came */
	bool came, ended;
};

/* Runs `trace --json ARGUMENTS...` (NULL ends them) and waits for its `ready`. */
void tool_start(struct tool *tool, struct scene *scene, ...) __attribute__((sentinel));
/* The same, but in the scenario's namespace. */
void tool_start_inside(struct tool *tool, struct scene *scene, ...) __attribute__((sentinel));
/* Fails unless its `ready` says that this hook tells this fact. */
void tool_expect_told_by(const struct tool *tool, const char *fact, const char *hook);
/* Begins to look for a line that holds this text; to be called before the act. */
void tool_expect(struct tool *tool, const char *text);
/* Waits for that line. Returns when it came, CLOCK_MONOTONIC ns. */
uint64_t tool_await(struct tool *tool);
/* Waits until so many events of a kind were printed; false when nothing more comes. */
bool tool_await_count(struct tool *tool, enum event_kind kind, unsigned count);
/* Waits for all that the truth says, then does the marking act and waits for its event. */
void tool_settle(struct tool *tool);
/* SIGTERM, and reads what still comes. Fails unless the exit code is 0 and the last line `summary`. */
void tool_end(struct tool *tool);
/* As tool_end(), without a signal: the tool ends by itself. Returns its exit code. */
int tool_join(struct tool *tool);

/* Every line that the tool printed, parsed. Fails on one that is no JSON object. */
typedef void tool_line(struct scene *scene, const json_t *event, void *context);
void tool_each_line(const struct scene *scene, const char *path, tool_line *body, void *context);
/* The last line of the tool's output. */
json_t *tool_summary(const struct tool *tool);

/* --- one run from beginning to end ------------------------------------------------------------------------
 */

struct tool_run {
	uid_t uid;		 /* 0: root */
	const char *stdout_path; /* NULL: into out_path */
	int stdout_fd;		 /* instead; 0: none */
	int (*prepare)(void);	 /* in the child, before exec; 0 when it worked */
};
struct tool_result {
	int status; /* exit code, or 128 + signal */
	char out_path[512], err_path[512];
	char *out, *err; /* NUL-terminated; to be freed by tool_result_free() */
	size_t out_length, err_length;
};
/* Runs the tool with these arguments; NULL ends them. options may be NULL. */
void tool_run(struct scene *scene, struct tool_result *result, const struct tool_run *options, ...)
	__attribute__((sentinel));
/* The same in two parts: the tool runs in between. */
pid_t tool_launch(struct scene *scene, struct tool_result *result, ...) __attribute__((sentinel));
void tool_reap(struct scene *scene, struct tool_result *result, pid_t pid);
void tool_result_free(struct tool_result *result);
/* The group `schema` validates what this run printed. */
void tool_keep_for_schema(const struct scene *scene, const struct tool_result *result);
/* A file's bytes and a NUL behind them. */
char *file_read(const struct scene *scene, const char *path, size_t *ret_length);

#endif
