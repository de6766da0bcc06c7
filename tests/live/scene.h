/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a scenario is given: where the tool is, how much to do, a network namespace of its own, and the ways
 * to end with a failure, a skip or a remark. A scenario is a process; whatever fails in it or in one of its
 * actors ends it with the first reason.
 */
#ifndef LIVE_SCENE_H
#define LIVE_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct truth;

struct scene {
	const char *name;
	const char *tool;    /* path of portsnoop */
	const char *out_dir; /* where the tool's output is kept */
	const char *backend; /* of every trace, as --backend takes it */
	double scale;	     /* multiplies the counts */
	unsigned patience_s; /* how long to wait for what must come */
	uint32_t netns;	     /* inode of the scenario's own namespace */
	int home_netns;	     /* descriptor of the namespace that the tool runs in */
	int reason_fd;	     /* the first reason for a failure or skip goes here */
	unsigned runs;	     /* of the tool, so far */
	unsigned marks;	     /* acts that mark the end of something, so far */
	bool threaded;	     /* this process has a thread that reads from the tool */
	bool looked_at; /* others look at its actors' descriptors: a close may be told without its process */
	struct truth *truth;
};

#define SCENE_FAILED  1
#define SCENE_SKIPPED 77

/* Each ends the calling process. */
_Noreturn void scene_fail(const struct scene *scene, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
_Noreturn void scene_skip(const struct scene *scene, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A line for people, on standard output. */
void scene_note(const struct scene *scene, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The result of a call that has to work for the scenario to mean anything. */
long scene_must(const struct scene *scene, long result, const char *what);

/* n times the scale, at least 1. */
unsigned scene_count(const struct scene *scene, unsigned n);

/* The smallest ring that portsnoop takes, as --ring-size has it: a page. Returns buf. */
const char *scene_smallest_ring(char buf[24]);

/* A namespace of its own with lo up. Skips where the kernel refuses. */
void scene_isolate(struct scene *scene);
/* Writes a value below /proc/sys; false when there is no such setting. */
bool scene_set(const struct scene *scene, const char *path, const char *value);
void scene_must_set(const struct scene *scene, const char *path, const char *value);
void scene_need_program(const struct scene *scene, const char *name);
void scene_need_ipv6(const struct scene *scene);
uint64_t scene_clock_ns(void);

/* --- actors: processes that do something and put down what they did ---------------------------------------
 */

typedef void actor_body(struct scene *scene, void *context);
pid_t actor_start(struct scene *scene, actor_body *body, void *context);
/* Waits; a failed actor is a failed scenario. */
void actor_join(struct scene *scene, pid_t pid);
/* SIGKILL, and waits. */
void actor_kill(struct scene *scene, pid_t pid);

/* A counter that processes wait on: an eventfd. */
int gate_new(struct scene *scene);
void gate_post(const struct scene *scene, int gate);
void gate_wait(const struct scene *scene, int gate);
/* Zeroed memory that actors share. */
void *shared_new(const struct scene *scene, size_t size);

#endif
