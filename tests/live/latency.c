/* SPDX-License-Identifier: GPL-2.0-only */
/* How soon an event shows, how often an idle tool wakes up, and whether a wake-up is ever lost. */
#include "act.h"
#include "scenarios.h"
#include "tool.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void pause_ns(uint64_t ns)
{
	struct timespec pause = {.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};

	nanosleep(&pause, NULL);
}

/* The tool's own wake-ups so far. */
static uint64_t switches_of(const struct scene *scene, pid_t pid)
{
	static const char key[] = "\nvoluntary_ctxt_switches:";
	char path[64], *text, *at;
	uint64_t count = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	text = file_read(scene, path, NULL);
	at = strstr(text, key);
	if (at)
		count = strtoull(at + sizeof(key) - 1, NULL, 10);
	free(text);
	return count;
}

/* The time from a bind to its line. Each address is used once, so that the line is known. */
static uint64_t lone_bind(struct scene *scene, struct tool *tool, unsigned number)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(8200)};
	char text[64];
	uint64_t begun;
	int fd = act_socket(scene, AF_INET, SOCK_STREAM);

	address.sin_addr.s_addr = htonl(0x7f4e0000 + number);
	snprintf(text, sizeof(text), "\"address\":\"%s\"", inet_ntoa(address.sin_addr));
	tool_expect(tool, text);
	begun = scene_clock_ns();
	scene_must(scene, bind(fd, (struct sockaddr *)&address, sizeof(address)), "bind");
	begun = tool_await(tool) - begun;
	close(fd);
	return begun;
}

/* Numbers for people: nothing here depends on how fast the machine is. */
void lone_event(struct scene *scene)
{
	uint64_t worst = 0, sum = 0, latency, before;
	struct tool tool;

	tool_start(&tool, scene, NULL);
	pause_ns(1500000000); /* what is measured is the idle tool */
	before = switches_of(scene, tool.pid);
	pause_ns(5000000000);
	scene_note(scene, "idle: %.1f wake-ups a second",
		   (double)(switches_of(scene, tool.pid) - before) / 5);
	for (unsigned i = 0; i < 10; i++) {
		pause_ns(300000000);
		latency = lone_bind(scene, &tool, 1 + i);
		sum += latency;
		worst = latency > worst ? latency : worst;
	}
	scene_note(scene, "a lone event shows after %.2f ms on average, %.2f ms at worst",
		   (double)sum / 10 / 1e6, (double)worst / 1e6);
	tool_end(&tool);
}

/* --- lost wake-ups ----------------------------------------------------------------------------------------
 */

#define IDLE_TICK_NS 900000000 /* the tool's tick is a second: what shows only then was not woken for */

/*
 * Bursts with pauses around the reader's timer, so that it goes to sleep again and again while events come. A
 * lost wake-up leaves the last event of a burst lying until the idle tick.
 */
void wakeups(struct scene *scene)
{
	unsigned bursts = scene_count(scene, 2000), late = 0, seed = 4711;
	uint64_t worst = 0, latency;
	struct tool tool;

	tool_start(&tool, scene, NULL);
	for (unsigned i = 0; i < bursts; i++) {
		int others = rand_r(&seed) % 4;

		for (int j = 0; j < others; j++) {
			union address address = address_of("127.0.0.1", (uint16_t)(8210 + j));
			int fd = act_socket(scene, AF_INET, SOCK_DGRAM);

			scene_must(scene, bind(fd, &address.any, address_length(&address)), "bind");
			close(fd);
		}
		latency = lone_bind(scene, &tool, 1000 + i);
		late += latency >= IDLE_TICK_NS;
		worst = latency > worst ? latency : worst;
		/* Mostly about the reader's timer of 4 ms, now and then far beyond. */
		pause_ns((i % 8 ? 500000 + (uint64_t)rand_r(&seed) % 9500000
				: 5000000 + (uint64_t)rand_r(&seed) % 55000000));
	}
	scene_note(scene, "%u bursts, the slowest showed after %.2f ms", bursts, (double)worst / 1e6);
	tool_end(&tool);
	if (late)
		scene_fail(scene, "%u of %u bursts showed only at the idle tick", late, bursts);
}
