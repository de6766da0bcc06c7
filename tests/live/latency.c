/* SPDX-License-Identifier: GPL-2.0-only */
/* How soon an event shows, how often an idle tool wakes up, and whether a wake-up is ever lost. */
#include "act.h"
#include "scenarios.h"
#include "tool.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void pause_ns(uint64_t ns)
{
	struct timespec pause = {.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};

	nanosleep(&pause, NULL);
}

/* A number in what the kernel says of a process. */
static uint64_t status_of(const struct scene *scene, pid_t pid, const char *key)
{
	char path[64], line[64], *text, *at;
	uint64_t count = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	snprintf(line, sizeof(line), "\n%s:", key);
	text = file_read(scene, path, NULL);
	at = strstr(text, line);
	if (at)
		count = strtoull(at + strlen(line), NULL, 10);
	free(text);
	return count;
}

/* The tool's own wake-ups so far. */
static uint64_t switches_of(const struct scene *scene, pid_t pid)
{
	return status_of(scene, pid, "voluntary_ctxt_switches");
}

/*
 * A bind, and how long it takes to show. Each address is used once, so that the line is known; the socket
 * stays open, since a close would be an event more. *ret_shown_ns: when it showed.
 */
static uint64_t lone_bind(struct scene *scene, struct tool *tool, unsigned number, uint64_t *ret_shown_ns)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(8200)};
	char text[64];
	uint64_t begun;
	int fd = act_socket(scene, AF_INET, SOCK_DGRAM);

	address.sin_addr.s_addr = htonl(0x7f4e0000 + number);
	snprintf(text, sizeof(text), "\"address\":\"%s\"", inet_ntoa(address.sin_addr));
	tool_expect(tool, text);
	begun = scene_clock_ns();
	scene_must(scene, bind(fd, (struct sockaddr *)&address, sizeof(address)), "bind");
	*ret_shown_ns = tool_await(tool);
	return *ret_shown_ns - begun;
}

/* Numbers for people: nothing here depends on how fast the machine is. */
void lone_event(struct scene *scene)
{
	uint64_t worst = 0, sum = 0, latency, before, shown;
	struct tool tool;

	tool_start(&tool, scene, NULL);
	pause_ns(1500000000); /* what is measured is the idle tool */
	before = switches_of(scene, tool.pid);
	pause_ns(5000000000);
	scene_note(scene, "idle: %.1f wake-ups a second",
		   (double)(switches_of(scene, tool.pid) - before) / 5);
	for (unsigned i = 0; i < 10; i++) {
		pause_ns(300000000);
		latency = lone_bind(scene, &tool, 1 + i, &shown);
		sum += latency;
		worst = latency > worst ? latency : worst;
	}
	scene_note(scene, "a lone event shows after %.2f ms on average, %.2f ms at worst",
		   (double)sum / 10 / 1e6, (double)worst / 1e6);
	tool_end(&tool);
}

/* What loading needed is given back. The ring is not the tool's own memory; its page tables neither. */
void idle_memory(struct scene *scene)
{
	const uint64_t most_kib = 12 * 1024;
	struct tool tool;
	uint64_t kib;

#ifdef __SANITIZE_ADDRESS__
	scene_skip(scene, "a sanitizer's own memory would be counted, too");
#endif
	tool_start(&tool, scene, NULL);
	kib = status_of(scene, tool.pid, "RssAnon");
	tool_end(&tool);
	scene_note(scene, "idle: RssAnon %llu KiB", (unsigned long long)kib);
	if (!kib || kib > most_kib)
		scene_fail(scene, "RssAnon is %llu KiB, and at most %llu are allowed",
			   (unsigned long long)kib, (unsigned long long)most_kib);
}

/* --- lost wake-ups ----------------------------------------------------------------------------------------
 */

#define IDLE_TICK_NS	900000000 /* the tool's tick is a second: what shows only then was not woken for */
#define READER_TIMER_NS 4000000	  /* so long after the last record the tool makes up its mind to sleep */
#define SWEEP_NS	600000	  /* before and after that moment */
#define DESCRIPTORS	16384

struct stress {
	struct tool tool;
	unsigned number, late, seed;
	uint64_t worst;
};

static void note_latency(struct stress *stress, uint64_t latency)
{
	stress->late += latency >= IDLE_TICK_NS;
	stress->worst = latency > stress->worst ? latency : stress->worst;
}

/* Bursts with pauses that let the tool go to sleep again and again. */
static void bursts(struct scene *scene, struct stress *stress, unsigned count)
{
	uint64_t shown;

	for (unsigned i = 0; i < count; i++) {
		for (int others = rand_r(&stress->seed) % 4; others; others--) {
			union address address = address_of("127.0.0.1", (uint16_t)(8210 + others));
			int fd = act_socket(scene, AF_INET, SOCK_DGRAM);

			scene_must(scene, bind(fd, &address.any, address_length(&address)), "bind");
			close(fd);
		}
		note_latency(stress, lone_bind(scene, &stress->tool, stress->number++, &shown));
		pause_ns(5000000 + (uint64_t)rand_r(&stress->seed) % 55000000);
	}
}

/*
 * The next event comes just when the tool has looked for the last time and is about to sleep: a moment of a
 * microsecond or two, so the time is waited for by spinning, and moved over it.
 */
static void at_the_worst_moment(struct scene *scene, struct stress *stress, unsigned count)
{
	uint64_t shown;

	note_latency(stress, lone_bind(scene, &stress->tool, stress->number++, &shown));
	for (unsigned i = 0; i < count; i++) {
		uint64_t until = shown + READER_TIMER_NS - SWEEP_NS + rand_r(&stress->seed) % (2 * SWEEP_NS);

		while (scene_clock_ns() < until)
			continue;
		note_latency(stress, lone_bind(scene, &stress->tool, stress->number++, &shown));
	}
}

/* A lost wake-up leaves an event lying until the idle tick, unless another comes. */
void wakeups(struct scene *scene)
{
	const struct rlimit limit = {DESCRIPTORS, DESCRIPTORS};
	struct stress stress = {.number = 1000, .seed = 4711};

	scene_must(scene, setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
	tool_start(&stress.tool, scene, NULL);
	bursts(scene, &stress, scene_count(scene, 300));
	at_the_worst_moment(scene, &stress, scene_count(scene, 3000));
	scene_note(scene, "%u events, the slowest showed after %.2f ms", stress.number - 1000,
		   (double)stress.worst / 1e6);
	tool_end(&stress.tool);
	if (stress.late)
		scene_fail(scene, "%u of %u events showed only at the idle tick", stress.late,
			   stress.number - 1000);
}
