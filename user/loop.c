/* SPDX-License-Identifier: GPL-2.0-only */
#include "loop.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS 1000000u

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int loop_open(struct loop *loop)
{
	*loop = (struct loop){.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
	return loop->epoll_fd < 0 ? -errno : 0;
}

void loop_close(struct loop *loop)
{
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	loop->epoll_fd = -1;
}

static uint32_t events_of(enum loop_wish wish)
{
	switch (wish) {
	case LOOP_ONCE:
		return EPOLLONESHOT; /* armed by loop_rearm() */
	case LOOP_HANGUP:
		return 0; /* EPOLLERR and EPOLLHUP always come */
	case LOOP_WRITABLE:
		return EPOLLOUT;
	default:
		return EPOLLIN;
	}
}

static struct loop_fd *find(struct loop *loop, int fd)
{
	for (unsigned i = 0; i < loop->n_fds; i++)
		if (loop->fds[i].callback && loop->fds[i].fd == fd)
			return &loop->fds[i];
	return NULL;
}

/* A place that was given up, or a new one. */
static struct loop_fd *vacancy(struct loop *loop)
{
	for (unsigned i = 0; i < loop->n_fds; i++)
		if (!loop->fds[i].callback)
			return &loop->fds[i];
	return loop->n_fds < LOOP_FDS_MAX ? &loop->fds[loop->n_fds] : NULL;
}

static int control(const struct loop *loop, int operation, const struct loop_fd *place, int fd,
		   uint32_t events)
{
	struct epoll_event event = {.events = events, .data.u32 = (uint32_t)(place - loop->fds)};

	return epoll_ctl(loop->epoll_fd, operation, fd, &event) ? -errno : 0;
}

int loop_add_fd(struct loop *loop, int fd, enum loop_wish wish, loop_callback callback, void *context)
{
	struct loop_fd *place = vacancy(loop);
	int error;

	if (!place)
		return -ENOSPC;
	error = control(loop, EPOLL_CTL_ADD, place, fd, events_of(wish));
	if (error)
		return error;
	*place = (struct loop_fd){fd, callback, context};
	if (place == &loop->fds[loop->n_fds])
		loop->n_fds++;
	return 0;
}

int loop_rearm(struct loop *loop, int fd)
{
	const struct loop_fd *place = find(loop, fd);

	return place ? control(loop, EPOLL_CTL_MOD, place, fd, EPOLLIN | EPOLLONESHOT) : -ENOENT;
}

int loop_change_fd(struct loop *loop, int fd, enum loop_wish wish)
{
	const struct loop_fd *place = find(loop, fd);

	return place ? control(loop, EPOLL_CTL_MOD, place, fd, events_of(wish)) : -ENOENT;
}

void loop_remove_fd(struct loop *loop, int fd)
{
	struct loop_fd *place = find(loop, fd);

	if (!place)
		return;
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	*place = (struct loop_fd){.fd = -1};
}

int loop_add_timer(struct loop *loop, loop_callback callback, void *context)
{
	if (loop->n_timers == LOOP_TIMERS_MAX)
		return -ENOSPC;
	loop->timers[loop->n_timers] = (struct loop_timer){0, callback, context};
	return (int)loop->n_timers++;
}

int loop_timer_in(struct loop *loop, int timer, uint64_t delay_ns)
{
	if (timer < 0 || (unsigned)timer >= loop->n_timers)
		return -EINVAL;
	loop->timers[timer].deadline_ns = now_ns() + delay_ns;
	return 0;
}

/* Milliseconds until the next timer, rounded up so that it is due then, or as many as epoll_wait() takes; -1:
 * no timer. */
static int next_timeout(const struct loop *loop)
{
	uint64_t now = now_ns(), next = UINT64_MAX, delay_ms;

	for (unsigned i = 0; i < loop->n_timers; i++)
		if (loop->timers[i].deadline_ns && loop->timers[i].deadline_ns < next)
			next = loop->timers[i].deadline_ns;
	if (next == UINT64_MAX)
		return -1;
	if (next <= now)
		return 0;
	delay_ms = (next - now + NS_PER_MS - 1) / NS_PER_MS;
	return delay_ms < INT_MAX ? (int)delay_ms : INT_MAX;
}

static int run_timers(struct loop *loop)
{
	uint64_t now = now_ns();

	for (unsigned i = 0; i < loop->n_timers; i++) {
		struct loop_timer *timer = &loop->timers[i];
		int result;

		if (!timer->deadline_ns || timer->deadline_ns > now)
			continue;
		timer->deadline_ns = 0;
		result = timer->callback(timer->context);
		if (result)
			return result;
	}
	return 0;
}

int loop_run(struct loop *loop)
{
	struct epoll_event events[LOOP_FDS_MAX];
	int result = 0;

	while (!result) {
		int n = epoll_wait(loop->epoll_fd, events, LOOP_FDS_MAX, next_timeout(loop));

		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n && !result; i++) {
			const struct loop_fd *fd = &loop->fds[events[i].data.u32];

			if (fd->callback) /* or it was removed by another one's callback */
				result = fd->callback(fd->context);
		}
		if (!result)
			result = run_timers(loop);
	}
	return result;
}
