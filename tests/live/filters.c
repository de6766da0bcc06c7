/* SPDX-License-Identifier: GPL-2.0-only */
/* Filters on a live trace print exactly the events that match; the options of trace do what they say. */
#include "act.h"
#include "ledger.h"
#include "scenarios.h"
#include "truth.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void tcp_pair(struct scene *scene)
{
	union address address = address_of("127.0.0.1", 8602);
	int server = act_listener(scene, &address, 8), fd = act_socket(scene, AF_INET, SOCK_STREAM);

	act_connect(scene, fd, &address);
	act_close_pair(scene, fd, act_accept(scene, server, ACCEPT_NULL));
	act_close(scene, server, NULL, "reason=local direction=- state=listen accepts=1");
}

/* A bit of everything: success and failure, TCP and UDP, chosen and given ports. */
static void act_variously(struct scene *scene)
{
	union address fixed = address_of("127.0.0.1", 8600), any = address_of("127.0.0.2", 0);
	union address nobody = address_of("127.0.0.1", 8603);
	int first = act_socket(scene, AF_INET, SOCK_STREAM), second = act_socket(scene, AF_INET, SOCK_STREAM);
	int udp_fd = act_socket(scene, AF_INET, SOCK_DGRAM);

	act_bind(scene, first, &fixed);
	act_bind(scene, second, &fixed);
	act_bind(scene, second, &any);
	act_bind(scene, udp_fd, &fixed);
	act_close(scene, first, NULL, "reason=local direction=-");
	act_close(scene, second, NULL, "reason=local direction=-");
	act_close(scene, udp_fd, NULL, "reason=local direction=-");
	udp_fd = act_socket(scene, AF_INET, SOCK_DGRAM);
	act_sendto(scene, udp_fd, &nobody, "x", 1);
	act_close(scene, udp_fd, NULL, "reason=local direction=-");
	tcp_pair(scene);
	first = act_socket(scene, AF_INET, SOCK_STREAM);
	act_connect(scene, first, &nobody);
	close(first);
}

/* --- what a filter means for a line of truth --------------------------------------------------------------
 */

static bool is(const char *line, const char *event)
{
	return !strncmp(line, event, strlen(event)) && line[strlen(event)] == ' ';
}

static bool keep_port(const char *line)
{
	return strstr(line, ":8602 ") || strstr(line, ":8602\n");
}

static bool keep_bind(const char *line)
{
	return is(line, "bind");
}

static bool keep_failed(const char *line)
{
	return strstr(line, "error=E");
}

static bool keep_in_use(const char *line)
{
	return strstr(line, "error=EADDRINUSE");
}

static bool keep_udp(const char *line)
{
	return strstr(line, "proto=udp");
}

static bool keep_others(const char *line)
{
	return !is(line, "bind") && !is(line, "close");
}

static bool keep_other_address(const char *line)
{
	return strstr(line, "local=127.0.0.2:");
}

static bool keep_listen_or_accept(const char *line)
{
	return is(line, "listen") || is(line, "accept");
}

static bool keep_out(const char *line)
{
	return is(line, "connect") || (is(line, "close") && strstr(line, "direction=out"));
}

static bool keep_all(const char *line)
{
	return true;
}

static bool keep_none(const char *line)
{
	return false;
}

#define ASSIGNED_MAX 64

/* The sockets whose port the kernel chose, in the order of the truth. */
static unsigned long long assigned[ASSIGNED_MAX];
static unsigned n_assigned;

static unsigned long long cookie_in(const char *line)
{
	const char *cookie = strstr(line, "cookie=");

	return cookie ? strtoull(cookie + strlen("cookie="), NULL, 10) : 0;
}

/* What the kernel chose, and when it took that back. */
static bool keep_assigned(const char *line)
{
	if (strstr(line, "by=bind") || strstr(line, "by=connect") || strstr(line, "by=listen") ||
	    strstr(line, "by=send")) {
		if (n_assigned < ASSIGNED_MAX)
			assigned[n_assigned++] = cookie_in(line);
		return true;
	}
	for (unsigned i = 0; is(line, "close") && i < n_assigned; i++)
		if (assigned[i] == cookie_in(line))
			return true;
	return false;
}

/* The truth without the lines that the filter holds back. */
static void filter_truth(struct scene *scene, bool (*keep)(const char *line))
{
	char *lines[512];
	size_t position = 0, length, count = 0;
	const char *line;

	while ((line = truth_next(scene->truth, &position, &length)) && count < 512) {
		char *copy = strndup(line, length);

		if (keep(copy))
			lines[count++] = copy;
		else
			free(copy);
	}
	truth_clear(scene->truth);
	for (size_t i = 0; i < count; i++) {
		lines[i][strlen(lines[i]) - 1] = '\0';
		truth_log(scene, "%s", lines[i]);
		free(lines[i]);
	}
}

/* The mark that ends the run has to pass too. */
static void run(struct scene *scene, const char *filter, bool (*keep)(const char *line))
{
	char with_mark[256];
	struct tool tool;
	unsigned differences;

	snprintf(with_mark, sizeof(with_mark), "( %s ) or laddr 127.77.0.0/16", filter);
	tool_start(&tool, scene, with_mark, NULL);
	act_variously(scene);
	filter_truth(scene, keep);
	tool_settle(&tool);
	tool_end(&tool);
	differences = ledger_compare(scene, tool.out_path, NULL);
	if (differences)
		scene_fail(scene, "filter %s: %u differences, see %s", filter, differences, tool.out_path);
	truth_clear(scene->truth);
}

void filters(struct scene *scene)
{
	char pid[32], netns[32], user[] = "user root and comm live";

	snprintf(pid, sizeof(pid), "pid %d", getpid());
	snprintf(netns, sizeof(netns), "netns %u", scene->netns);
	run(scene, "port 8602", keep_port);
	run(scene, "event bind", keep_bind);
	run(scene, "failed", keep_failed);
	run(scene, "errno EADDRINUSE", keep_in_use);
	run(scene, "proto udp and not event refuse", keep_udp);
	run(scene, "not event bind,close,refuse", keep_others);
	run(scene, "laddr 127.0.0.2", keep_other_address);
	run(scene, "addr 127.0.0.0/8 (event listen or event accept)", keep_listen_or_accept);
	run(scene, "out", keep_out);
	run(scene, pid, keep_all);
	run(scene, netns, keep_all);
	run(scene, user, keep_all);
	run(scene, "pid 1 or lport 1", keep_none);
}

/* --- options ----------------------------------------------------------------------------------------------
 */

static void count_stops(struct scene *scene)
{
	struct tool tool;
	int status;

	tool_start(&tool, scene, "--count", "3", "laddr", "127.0.0.0/8", NULL);
	act_variously(scene);
	status = tool_join(&tool);
	if (status || tool.lines != 5 || tool.all[EVENT_READY] != 1 || tool.all[EVENT_SUMMARY] != 1)
		scene_fail(scene, "--count 3: exit code %d, %u lines with ready and summary", status,
			   tool.lines);
	truth_clear(scene->truth);
}

static void duration_stops(struct scene *scene)
{
	uint64_t begun = scene_clock_ns();
	struct tool tool;
	int status;

	tool_start(&tool, scene, "--duration", "300ms", NULL);
	status = tool_join(&tool);
	if (status || tool.all[EVENT_SUMMARY] != 1 || scene_clock_ns() - begun < 300000000)
		scene_fail(scene, "--duration: exit code %d, after %llu ns", status,
			   (unsigned long long)(scene_clock_ns() - begun));
}

static void only_ephemeral(struct scene *scene)
{
	struct tool tool;

	tool_start(&tool, scene, "--ephemeral", NULL);
	act_variously(scene);
	filter_truth(scene, keep_assigned);
	/* A refused connect was assigned a port too; the truth leaves open by whom. */
	tool_settle(&tool);
	tool_end(&tool);
	ledger_check(&tool, "connect");
	if (tool.counts[EVENT_CONNECT] != 2)
		scene_fail(scene, "--ephemeral shows %u connects of 2", tool.counts[EVENT_CONNECT]);
	truth_clear(scene->truth);
}

static void with_attempts(struct scene *scene)
{
	union address nobody = address_of("127.0.0.1", 8603);
	char text[ADDRESS_TEXT];
	struct tool tool;
	int fd;

	tool_start(&tool, scene, "--attempts", NULL);
	fd = act_socket(scene, AF_INET, SOCK_STREAM);
	truth_log(scene, "attempt cookie=%llu proto=tcp/ipv4 pid=%d tid=%d peer=%s error=-",
		  (unsigned long long)cookie_of(scene, fd), getpid(), thread_id(),
		  address_text(&nobody, text));
	act_connect(scene, fd, &nobody);
	close(fd);
	tool_settle(&tool);
	tool_end(&tool);
	ledger_check(&tool, NULL);
	truth_clear(scene->truth);
}

static bool keep_no_send(const char *line)
{
	return !strstr(line, "by=send");
}

static void without_udp_send(struct scene *scene)
{
	struct tool tool;

	tool_start(&tool, scene, "--no-udp-send", NULL);
	act_variously(scene);
	filter_truth(scene, keep_no_send);
	tool_settle(&tool);
	tool_end(&tool);
	ledger_check(&tool, NULL);
	truth_clear(scene->truth);
}

static void strict(struct scene *scene, bool lossy, int expected)
{
	struct tool tool;
	char size[24];
	int status;

	tool_start(&tool, scene, "--strict", "--ring-size", lossy ? scene_smallest_ring(size) : "1M", NULL);
	if (lossy)
		kill(tool.pid, SIGSTOP);
	for (long i = 0; i < sysconf(_SC_PAGESIZE) / 800; i++)
		act_variously(scene);
	kill(tool.pid, SIGCONT);
	truth_clear(scene->truth);
	kill(tool.pid, SIGTERM);
	status = tool_join(&tool);
	if (status != expected)
		scene_fail(scene, "--strict %s loss: exit code %d", lossy ? "with" : "without", status);
}

void trace_options(struct scene *scene)
{
	count_stops(scene);
	duration_stops(scene);
	only_ephemeral(scene);
	with_attempts(scene);
	without_udp_send(scene);
	strict(scene, false, 0);
	strict(scene, true, 4);
}
