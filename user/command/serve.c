/* SPDX-License-Identifier: GPL-2.0-only */
#include "command/serve.h"

#include "core/dump.h"
#include "core/freshness.h"
#include "io/run_socket.h"
#include "system/proc.h"

#include <errno.h>
#include <portsnoop/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS_MAX 16
#define ANSWER_MAX  (256u << 20) /* bytes that a client does not take; then it must walk itself */
#define EARLY_BYTES 131072u
#define PATIENCE_NS 10000000000 /* for a client that neither asks nor takes */
#define AGAIN_NS    20000000	/* while somebody else's look is under way */

enum client_state { CLIENT_NONE, CLIENT_ASKING, CLIENT_WAITING, CLIENT_WALKING, CLIENT_TAKING };

struct client {
	struct serve *serve;
	enum client_state state;
	int fd;
	uint64_t active_ns; /* when it did something last */
	union {
		struct rec_ask ask;
		char bytes[sizeof(struct rec_ask)];
	} question;
	size_t got;   /* bytes of the question */
	bool looking; /* the walk that is under way is a whole one */
	bool looked;  /* a whole walk has been made for it */
	char *answer;
	size_t length, room, sent;
	size_t tried; /* the length when sending was tried last, while the answer grows */
};

struct serve {
	struct serve_plan plan;
	struct run_socket socket;
	struct client clients[CLIENTS_MAX];
	int again;		/* timer */
	struct client *walking; /* whom the walk is for that is under way; NULL: nobody, or it has gone */
};

static void client_gone(struct client *client)
{
	if (client->serve->walking == client)
		client->serve->walking = NULL;
	loop_remove_fd(client->serve->plan.loop, client->fd);
	close(client->fd);
	free(client->answer);
	*client = (struct client){.serve = client->serve, .fd = -1};
}

/* --- the answer -------------------------------------------------------------------------------------------
 */

/* 0 when all has been taken or no more is now, or a negative errno. */
static int send_some(struct client *client)
{
	while (client->sent < client->length) {
		ssize_t n = send(client->fd, client->answer + client->sent, client->length - client->sent,
				 MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n <= 0)
			return -EPIPE;
		client->sent += (size_t)n;
		client->active_ns = proc_boottime_ns();
	}
	return 0;
}

/* What is there goes already: the client puts it into its tables meanwhile, and here it takes no room. */
static int send_early(struct client *client)
{
	int error;

	if (client->length - client->tried < EARLY_BYTES)
		return 0;
	error = send_some(client);
	if (client->sent == client->length)
		client->sent = client->length = 0;
	client->tried = client->length;
	return error;
}

static int keep(void *context, const void *record, size_t size)
{
	struct client *client = context;
	int error = send_early(client);

	if (error)
		return error;
	if (client->length + size > client->room) {
		size_t room = client->room ? 2 * client->room : 65536;
		char *answer = room <= ANSWER_MAX ? realloc(client->answer, room) : NULL;

		if (!answer)
			return -ENOMEM;
		client->answer = answer;
		client->room = room;
	}
	memcpy(client->answer + client->length, record, size);
	client->length += size;
	return 0;
}

static int send_more(void *context)
{
	struct client *client = context;

	if (send_some(client) || client->sent == client->length)
		client_gone(client);
	return 0;
}

static int read_question(void *context);

static void answer(struct client *client)
{
	const struct rec_ask *ask = &client->question.ask;
	const struct dump_options options = {
		.now_ns = proc_boottime_ns(),
		.connections = ask->flags & ASK_CONNECTIONS,
		.destinations = ask->flags & ASK_WITH_PORTS,
		.port = ask->port,
	};

	client->state = CLIENT_TAKING;
	if (dump_model(client->serve->plan.model, &options, keep, client)) {
		client_gone(client); /* it will look for itself */
		return;
	}
	loop_remove_fd(client->serve->plan.loop, client->fd);
	if (loop_add_fd(client->serve->plan.loop, client->fd, LOOP_WRITABLE, send_more, client))
		client_gone(client);
}

/* --- the question -----------------------------------------------------------------------------------------
 */

static int serve_next(struct serve *serve);

static struct freshness freshness_of(const struct serve *serve)
{
	return (struct freshness){
		.age_ns = proc_boottime_ns() - model_repairs(serve->plan.model)->holders_as_of_ns,
		.took_ns = repair_whole_took_ns(serve->plan.repair),
		.damaged = repair_is_due(serve->plan.repair),
	};
}

static bool needs_look(const struct client *client)
{
	struct freshness freshness = freshness_of(client->serve);

	freshness.wanted = client->question.ask.flags & ASK_SYNC;
	return !client->looked && freshness_look_first(&freshness);
}

static int walk_for(struct client *client);

static int walked(void *context, int error)
{
	struct serve *serve = context;
	struct client *client = serve->walking;
	struct freshness freshness;

	serve->walking = NULL;
	if (client && error) {
		client_gone(client); /* it will look for itself */
		client = NULL;
	}
	if (client && client->looking) {
		client->looking = false;
		return walk_for(client);
	}
	if (client && client->question.ask.flags & ASK_CONNECTIONS)
		model_forget_old_remains(serve->plan.model, client->question.ask.port);
	if (client)
		answer(client);
	if (!serve->plan.keeps_remains)
		model_forget_remains(serve->plan.model);
	freshness = freshness_of(serve);
	if (freshness_look_afterwards(&freshness))
		repair_look(serve->plan.repair);
	return serve_next(serve);
}

/*
 * Holders that were looked at long ago are looked at again, by a walk over everything. Then what no event
 * tells of connections: requests, those not yet accepted, TIME_WAIT, counters. Ports alone have their events,
 * and what happened before the question is in the answer.
 */
static int walk_for(struct client *client)
{
	const struct rec_ask *ask = &client->question.ask;
	struct snapshot_walk what = {.source = SOURCE_POLL,
				     .partial = true,
				     .port = ask->port,
				     .with_ports = ask->flags & ASK_WITH_PORTS};
	int result;

	client->looking = needs_look(client);
	client->looked = true;
	if (client->looking)
		what = (struct snapshot_walk){.source = SOURCE_POLL};
	client->state = CLIENT_WALKING;
	client->serve->walking = client;
	if (!client->looking && !(ask->flags & ASK_CONNECTIONS)) {
		result = client->serve->plan.catch_up(client->serve->plan.context);
		return result ? result : walked(client->serve, 0);
	}
	if (repair_ask(client->serve->plan.repair, &what, walked, client->serve, &result))
		return result;
	client->state = CLIENT_WAITING;
	client->looked = client->looking = false;
	client->serve->walking = NULL;
	return loop_timer_in(client->serve->plan.loop, client->serve->again, AGAIN_NS);
}

static int serve_next(struct serve *serve)
{
	struct client *next = NULL;

	for (struct client *client = serve->clients; client < serve->clients + CLIENTS_MAX; client++)
		if (client->state == CLIENT_WAITING && (!next || client->active_ns < next->active_ns))
			next = client;
	return next ? walk_for(next) : 0;
}

static int try_again(void *context)
{
	struct serve *serve = context;

	return serve->walking ? 0 : serve_next(serve);
}

static bool is_sound(const struct rec_ask *ask)
{
	return ask->header.size == sizeof(*ask) && ask->header.kind == REC_ASK &&
	       ask->schema == PORTSNOOP_SCHEMA;
}

static int read_question(void *context)
{
	struct client *client = context;
	ssize_t n = read(client->fd, client->question.bytes + client->got,
			 sizeof(client->question) - client->got);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0 || client->state != CLIENT_ASKING) {
		client_gone(client); /* it hung up, or says more than it has to */
		return 0;
	}
	client->got += (size_t)n;
	client->active_ns = proc_boottime_ns();
	if (client->got < sizeof(client->question))
		return 0;
	if (!is_sound(&client->question.ask)) {
		client_gone(client);
		return 0;
	}
	client->state = CLIENT_WAITING;
	return client->serve->walking ? 0 : serve_next(client->serve);
}

static int client_comes(void *context)
{
	struct serve *serve = context;
	int fd = run_socket_accept(&serve->socket);

	if (fd < 0)
		return 0;
	for (struct client *client = serve->clients; client < serve->clients + CLIENTS_MAX; client++) {
		if (client->state != CLIENT_NONE)
			continue;
		*client = (struct client){
			.serve = serve, .state = CLIENT_ASKING, .fd = fd, .active_ns = proc_boottime_ns()};
		if (loop_add_fd(serve->plan.loop, fd, LOOP_READABLE, read_question, client))
			client_gone(client);
		return 0;
	}
	close(fd); /* too many at once: it will look for itself */
	return 0;
}

/* --- from beginning to end --------------------------------------------------------------------------------
 */

int serve_open(const struct serve_plan *plan, struct serve **ret_serve)
{
	struct serve *serve = calloc(1, sizeof(*serve));

	*ret_serve = NULL;
	if (!serve)
		return -ENOMEM;
	serve->plan = *plan;
	serve->again = loop_add_timer(plan->loop, try_again, serve);
	if (serve->again < 0) {
		free(serve);
		return -ENOSPC;
	}
	if (run_socket_open(&serve->socket)) {
		free(serve);
		return 0;
	}
	if (loop_add_fd(plan->loop, serve->socket.listen_fd, LOOP_READABLE, client_comes, serve)) {
		run_socket_close(&serve->socket);
		free(serve);
		return 0;
	}
	*ret_serve = serve;
	return 0;
}

void serve_tick(struct serve *serve)
{
	uint64_t now = proc_boottime_ns();

	if (!serve)
		return;
	for (struct client *client = serve->clients; client < serve->clients + CLIENTS_MAX; client++)
		if ((client->state == CLIENT_ASKING || client->state == CLIENT_TAKING) &&
		    now - client->active_ns > PATIENCE_NS)
			client_gone(client);
}

void serve_close(struct serve *serve)
{
	if (!serve)
		return;
	for (struct client *client = serve->clients; client < serve->clients + CLIENTS_MAX; client++)
		if (client->state != CLIENT_NONE)
			client_gone(client);
	loop_remove_fd(serve->plan.loop, serve->socket.listen_fd);
	run_socket_close(&serve->socket);
	free(serve);
}
