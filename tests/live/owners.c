/* SPDX-License-Identifier: GPL-2.0-only */
/* Who holds a socket without having acted on it: each change of the set is told, with its cause. */
#include "ledger.h"
#include "puppet.h"
#include "scenarios.h"
#include "truth.h"

#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct play {
	struct scene *scene;
	struct tool tool;
	struct puppet maker;
	struct prop closing, kept, datagrams; /* the maker's: closed on exec, kept on exec, UDP */
};

/* What is learnt by looking is marked, and told by the next look. */
static void expect(const struct play *play, const struct puppet *who, const struct prop *what, char sign,
		   const char *cause)
{
	bool observed = !strcmp(cause, "pass") || !strcmp(cause, "close");

	truth_log(play->scene, "holder cookie=%" PRIu64 " pid=%d change=%s cause=%s observed=%s source=%s",
		  what->cookie, who->pid, sign == '+' ? "added" : "removed", cause, observed ? "yes" : "-",
		  observed ? "poll" : "event");
}

/* The last one lets go: that is the socket's own event. */
static void expect_close(const struct play *play, const struct puppet *who, const struct prop *what)
{
	truth_log(play->scene, "close cookie=%" PRIu64 " pid=%d", what->cookie, who->pid);
}

/* Until all that is expected was told. What is missing is for the comparison to tell. */
static void await(struct play *play)
{
	tool_await_count(&play->tool, EVENT_HOLDER, truth_count(play->scene->truth, "holder"));
	tool_await_count(&play->tool, EVENT_CLOSE, truth_count(play->scene->truth, "close"));
}

/* Until the tool has looked. */
static void await_look(struct play *play, const char *what)
{
	uint64_t begun = scene_clock_ns();

	await(play);
	scene_note(play->scene, "%s: seen after %.1f s", what, (double)(scene_clock_ns() - begun) / 1e9);
}

static void expect_all(const struct play *play, const struct puppet *who, char sign, const char *cause)
{
	expect(play, who, &play->closing, sign, cause);
	expect(play, who, &play->kept, sign, cause);
	expect(play, who, &play->datagrams, sign, cause);
}

static void begin(struct play *play)
{
	puppet_start(play->scene, &play->maker);
	play->closing = puppet_listen(&play->maker, "127.0.0.1", 8600, 0);
	play->kept = puppet_listen(&play->maker, "127.0.0.1", 8601, 0);
	play->datagrams = puppet_bind(&play->maker, SOCK_DGRAM, "127.0.0.1", 8602);
	puppet_keep_on_exec(&play->maker, play->kept.fd);
}

static void fork_exec_kill(struct play *play)
{
	struct puppet child;

	puppet_fork(&play->maker, &child);
	expect_all(play, &child, '+', "fork");
	await(play);
	puppet_exec(&child);
	expect(play, &child, &play->closing, '-', "exec");
	expect(play, &child, &play->datagrams, '-', "exec");
	await(play);
	puppet_kill(&child);
	expect(play, &child, &play->kept, '-', "exit");
	await(play);
}

static void fork_exit(struct play *play)
{
	struct puppet child;

	puppet_fork(&play->maker, &child);
	puppet_exit(&child);
	expect_all(play, &child, '+', "fork");
	expect_all(play, &child, '-', "exit");
	await(play);
}

/* Neither is a change of the set. */
static void duplicate(struct play *play)
{
	int copy = puppet_dup(&play->maker, play->kept.fd);

	puppet_close(&play->maker, play->kept.fd);
	play->kept.fd = copy;
}

/* Who acts on a socket has it: connect and accept say so themselves. */
static void act(struct play *play, struct puppet *server, int listener)
{
	struct puppet client;
	struct prop outgoing, incoming;

	puppet_start(play->scene, &client);
	outgoing = puppet_connect(&client, "127.0.0.1", 8600);
	incoming = puppet_accept(server, listener);
	puppet_close(&client, outgoing.fd);
	puppet_close(server, incoming.fd);
	expect_close(play, &client, &outgoing);
	expect_close(play, server, &incoming);
	await(play);
	puppet_exit(&client);
}

static void pass_and_close(struct play *play)
{
	struct puppet stranger, child;
	struct link link;
	int fd;

	puppet_start(play->scene, &stranger);
	link = puppet_link(&play->maker, &stranger);
	puppet_give(&play->maker, &link, play->closing.fd);
	fd = puppet_take(&stranger, &link);
	expect(play, &stranger, &play->closing, '+', "pass");
	await_look(play, "a descriptor that was passed");
	puppet_close(&play->maker, play->closing.fd);
	expect(play, &play->maker, &play->closing, '-', "close");
	await_look(play, "one that one of two closed");
	act(play, &stranger, fd);
	/* What it was passed, its child inherits. */
	puppet_fork(&stranger, &child);
	expect(play, &child, &play->closing, '+', "fork");
	await(play);
	puppet_exit(&stranger);
	expect(play, &stranger, &play->closing, '-', "exit");
	await(play);
	puppet_close(&child, fd);
	expect_close(play, &child, &play->closing);
	await(play);
	puppet_exit(&child);
}

static void end(struct play *play)
{
	struct tool_result result;

	puppet_exit(&play->maker);
	expect(play, &play->maker, &play->kept, '-', "exit");
	expect(play, &play->maker, &play->datagrams, '-', "exit");
	expect_close(play, &play->maker, &play->kept);
	expect_close(play, &play->maker, &play->datagrams);
	/* One more look, which has nothing to tell. */
	tool_run(play->scene, &result, NULL, "ls", "--sync", NULL);
	tool_result_free(&result);
	tool_settle(&play->tool);
	tool_end(&play->tool);
	ledger_check(&play->tool, "bind listen connect accept autobind");
}

void owners_events(struct scene *scene)
{
	struct play play = {.scene = scene};

	tool_start(&play.tool, scene, "--holders", NULL);
	begin(&play);
	fork_exec_kill(&play);
	fork_exit(&play);
	duplicate(&play);
	pass_and_close(&play);
	end(&play);
}
