/* SPDX-License-Identifier: GPL-2.0-only */
/* A small registry of descriptors and timers; knows nobody. One thread. */
#ifndef PORTSNOOP_LOOP_H
#define PORTSNOOP_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#define LOOP_FDS_MAX	32
#define LOOP_TIMERS_MAX 8

/* Non-zero ends loop_run(), which returns it. */
typedef int (*loop_callback)(void *context);

struct loop_fd {
	int fd;
	loop_callback callback;
	void *context;
};

struct loop_timer {
	uint64_t deadline_ns; /* CLOCK_MONOTONIC; 0: off */
	loop_callback callback;
	void *context;
};

struct loop {
	int epoll_fd;
	struct loop_fd fds[LOOP_FDS_MAX];
	unsigned n_fds;
	struct loop_timer timers[LOOP_TIMERS_MAX];
	unsigned n_timers;
};

/* 0 or a negative errno. */
int loop_open(struct loop *loop);
void loop_close(struct loop *loop);

enum loop_wish {
	LOOP_READABLE, /* whenever it is */
	LOOP_ONCE,     /* when it is, once for each loop_rearm() */
	LOOP_HANGUP,   /* when the other end is gone */
	LOOP_WRITABLE, /* whenever there is room */
};

/* 0 or a negative errno: -ENOSPC without room; a regular file, which cannot be waited for, is -EPERM. */
int loop_add_fd(struct loop *loop, int fd, enum loop_wish wish, loop_callback callback, void *context);
int loop_rearm(struct loop *loop, int fd);
/* Waits for something else. */
int loop_change_fd(struct loop *loop, int fd, enum loop_wish wish);
/* To be called before the descriptor is closed, also in a callback. */
void loop_remove_fd(struct loop *loop, int fd);

/* Returns the timer's number or -ENOSPC. It is off until loop_timer_in(). */
int loop_add_timer(struct loop *loop, loop_callback callback, void *context);
/* 0, or -EINVAL for a number that loop_add_timer() did not give: its error may be passed on unseen. */
int loop_timer_in(struct loop *loop, int timer, uint64_t delay_ns);

/* Runs until a callback returns non-zero, and returns that; a negative errno when waiting fails. */
int loop_run(struct loop *loop);

#endif
