/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * More calls in one function at a time than a return probe of the kernel has room for (kretprobes: as many as
 * processors, or ten): those that it does not see return are counted as lost, and the others are told.
 */
#include "act.h"
#include "scenarios.h"
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PORT 7530

/* Sends from a page that is not there: the kernel keeps the socket locked until somebody puts it there. */
struct sender {
	int fd, faults;
	char *page;
	size_t size;
};

struct caller {
	pthread_t thread;
	_Atomic pid_t tid;
	int fd, error;
};

static void open_faults(struct scene *scene, struct sender *sender)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register registered = {.mode = UFFDIO_REGISTER_MODE_MISSING};

	sender->size = (size_t)sysconf(_SC_PAGESIZE);
	sender->page = mmap(NULL, sender->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sender->faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (sender->faults < 0)
		scene_skip(scene, "userfaultfd: %s", strerror(errno));
	registered.range.start = (uintptr_t)sender->page;
	registered.range.len = sender->size;
	scene_must(scene, ioctl(sender->faults, UFFDIO_API, &api), "UFFDIO_API");
	scene_must(scene, ioctl(sender->faults, UFFDIO_REGISTER, &registered), "UFFDIO_REGISTER");
}

static void *send_page(void *context)
{
	struct sender *sender = context;

	return (void *)(intptr_t)send(sender->fd, sender->page, sender->size, MSG_NOSIGNAL);
}

static void put_page(struct scene *scene, const struct sender *sender)
{
	struct uffdio_zeropage zero = {
		.range = {.start = (uintptr_t)sender->page, .len = sender->size},
	};

	scene_must(scene, ioctl(sender->faults, UFFDIO_ZEROPAGE, &zero), "UFFDIO_ZEROPAGE");
}

/* The socket is connected: it fails, but only when the lock was had. */
static void *call_bind(void *context)
{
	struct caller *caller = context;
	union address address = address_of("127.0.0.1", PORT + 1);

	caller->tid = thread_id();
	caller->error = bind(caller->fd, &address.any, address_length(&address)) ? errno : 0;
	return NULL;
}

static bool waits_for_lock(struct scene *scene, const struct caller *caller)
{
	char path[64], *text, *state;
	bool waits;

	if (!caller->tid)
		return false;
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", caller->tid);
	text = file_read(scene, path, NULL);
	state = strrchr(text, ')');
	waits = state && !strncmp(state, ") D", 3);
	free(text);
	return waits;
}

struct crowd {
	int fd;
	unsigned size;
};

static void start_callers(struct scene *scene, struct caller *callers, const struct crowd *crowd)
{
	for (unsigned i = 0; i < crowd->size; i++) {
		callers[i].fd = crowd->fd;
		if (pthread_create(&callers[i].thread, NULL, call_bind, &callers[i]))
			scene_fail(scene, "no thread");
	}
	for (unsigned i = 0; i < crowd->size; i++)
		while (!waits_for_lock(scene, &callers[i]))
			usleep(1000);
}

/* All of the crowd are in bind(2) at once. */
static void bind_all(struct scene *scene, void *context)
{
	const struct crowd *crowd = context;
	struct caller *callers = calloc(crowd->size, sizeof(*callers));
	struct sender sender = {.fd = crowd->fd};
	struct uffd_msg fault;
	pthread_t thread;

	open_faults(scene, &sender);
	if (!callers || pthread_create(&thread, NULL, send_page, &sender))
		scene_fail(scene, "no thread");
	scene_must(scene, read(sender.faults, &fault, sizeof(fault)), "read of the fault");
	start_callers(scene, callers, crowd);
	put_page(scene, &sender);
	pthread_join(thread, NULL);
	for (unsigned i = 0; i < crowd->size; i++) {
		pthread_join(callers[i].thread, NULL);
		if (callers[i].error != EINVAL)
			scene_fail(scene, "bind of a connection: %s", errno_text(callers[i].error));
	}
	free(callers);
}

/* By how it was lost. */
struct losses {
	unsigned probe;	  /* a return that was not seen */
	unsigned skipped; /* the kernel did not run a program, which may have had nothing to tell */
};

static void add_lost(struct scene *scene, const json_t *event, void *context)
{
	struct losses *losses = context;
	unsigned count;

	if (strcmp(event_string(event, "event_name"), "lost"))
		return;
	count = (unsigned)event_number(event, "portsnoop.count");
	if (!strcmp(event_string(event, "portsnoop.stage"), "probe"))
		losses->probe += count;
	else if (!strcmp(event_string(event, "portsnoop.stage"), "skipped"))
		losses->skipped += count;
	else
		scene_fail(scene, "lost at stage %s", event_string(event, "portsnoop.stage"));
}

void probes_run_out(struct scene *scene)
{
	struct crowd crowd = {.size = 16 + 4 * (unsigned)sysconf(_SC_NPROCESSORS_CONF)};
	union address address = address_of("127.0.0.1", PORT);
	struct losses lost = {0};
	unsigned told;
	struct tool tool;
	int listener;

	tool_start(&tool, scene, NULL);
	listener = act_listener(scene, &address, 5);
	crowd.fd = act_socket(scene, AF_INET, SOCK_STREAM);
	act_connect(scene, crowd.fd, &address);
	act_accept(scene, listener, ACCEPT_NULL);
	actor_join(scene, actor_start(scene, bind_all, &crowd));
	tool_settle(&tool); /* those that are told are told before its mark */
	tool_end(&tool);
	told = tool.counts[EVENT_BIND] - 1;
	tool_each_line(scene, tool.out_path, add_lost, &lost);
	scene_note(scene, "of %u binds at once %u are told, %u lost, at most %u skipped", crowd.size, told,
		   lost.probe, lost.skipped);
	if (told + lost.probe > crowd.size || told + lost.probe + lost.skipped < crowd.size)
		scene_fail(scene, "of %u binds %u are told, %u lost, %u skipped", crowd.size, told,
			   lost.probe, lost.skipped);
}
