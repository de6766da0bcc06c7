/* SPDX-License-Identifier: GPL-2.0-only */
/* What happened lately to the row whose details are shown: how its port came and went, and its last events.
 */
#include "view/event.h"
#include "view/top_details.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_SHOWN 30

struct lately {
	const struct details *details;
	char *room; /* EVENT_TEXT_MAX bytes, for one event */
};

static void print_event(const struct lately *lately, const struct change *change, uint64_t times)
{
	const struct details *details = lately->details;
	const struct view_options options = details->source->view;
	const struct view_tally tally = {0};
	size_t length =
		event_text(lately->room, EVENT_TEXT_MAX, details->source->model, change, &tally, &options);

	if (!length)
		return;
	fputs(WHO_INDENT, details->who.out);
	fwrite(lately->room, 1, length, details->who.out);
	if (times > 1)
		fprintf(details->who.out, WHO_INDENT WHO_INDENT "the last of %llu like that\n",
			(unsigned long long)times);
}

/* --- what is remembered of it alone -----------------------------------------------------------------------
 */

/* A view that stands still knows nothing of what came after. */
static bool happened(const struct lately *lately, const struct history_event *event)
{
	return ((const struct rec_header *)event->bytes)->time_ns <= lately->details->source->now_ns;
}

static void print_remembered(const struct lately *lately, const struct history_event *const *events, size_t n)
{
	struct change change;

	for (size_t i = 0; i < n; i++)
		if (happened(lately, events[i]) &&
		    backlog_meaning((const struct rec_header *)events[i]->bytes,
				    lately->details->source->model, &change))
			print_event(lately, &change, events[i]->times);
}

static size_t remembered(const struct details *details, const struct history_event **ret_events)
{
	const struct history *history = details->source->history;
	const struct rec_task *who = &details->row->who;

	if (!history || details->view == TOP_EPHEMERAL || details->view == TOP_CONNECTIONS)
		return 0;
	if (details->view == TOP_PORTS)
		return history_of_port(history, HISTORY_OF_TRAFFIC, &details->row->socket, ret_events);
	return who->pid ? history_of_process(history, who->pid, who->start_ns, ret_events) : 0;
}

/* --- the port ---------------------------------------------------------------------------------------------
 */

/* How it came to be there is not known of what is older than our watch. */
static void print_beginning(const struct details *details)
{
	if (!details->row->ended_ns && !details->row->since_ns)
		fputs(WHO_INDENT "it was there before anybody watched\n", details->who.out);
}

static void print_last_holder(const struct details *details)
{
	const struct past_holder *past = model_past_of_port(details->source->model, &details->row->socket);
	struct text text = who_line(&details->who);

	if (!past)
		return;
	text_put(&text, WHO_INDENT);
	who_until(&text, &details->who, past, " had it");
	who_line_end(&details->who, &text);
}

static void print_history(const struct lately *lately)
{
	const struct details *details = lately->details;
	const struct history_event *events[HISTORY_EVENTS];
	size_t n = details->source->history ? history_of_port(details->source->history, HISTORY_OF_PORT,
							      &details->row->socket, events)
					    : 0;

	fputs("\nhistory of the port\n", details->who.out);
	print_beginning(details);
	print_last_holder(details);
	print_remembered(lately, events, n);
}

/* --- last events ------------------------------------------------------------------------------------------
 */

/* The server's side too: a port's events are also those of the connections that come in through it. */
static bool is_on_port(const struct rec_socket *socket, const struct rec_socket *place)
{
	return socket->local_port == place->local_port && socket->protocol == place->protocol &&
	       socket->netns == place->netns;
}

static bool is_towards(const struct rec_socket *socket, const struct rec_socket *ends)
{
	return socket->peer_port == ends->peer_port && socket->netns == ends->netns &&
	       !memcmp(socket->peer_addr, ends->peer_addr, sizeof(ends->peer_addr));
}

/* How a port came and went is told by its history. */
static bool concerns(const struct details *details, const struct change *change)
{
	const struct rec_socket *socket = change->record.socket;
	const struct rec_task *task = change->record.task;
	const struct top_row *row = details->row;

	if (details->view == TOP_PROCESSES || (details->view == TOP_EVENTS && row->who.pid))
		return task && task->pid == row->who.pid && task->start_ns == row->who.start_ns;
	if (!socket)
		return false;
	if (details->view == TOP_CONNECTIONS)
		return socket->cookie == row->socket.cookie;
	if (details->view == TOP_EPHEMERAL)
		return is_towards(socket, &row->socket);
	return is_on_port(socket, &row->socket) &&
	       !(details->view == TOP_PORTS && history_is_of_port(change));
}

static bool concerns_number(const struct details *details, uint64_t number)
{
	struct change change;

	return backlog_change(details->source->backlog, number, details->source->model, &change) &&
	       concerns(details, &change);
}

/* Where the last so many of them begin, and how many they are. */
static uint64_t first_shown(const struct details *details, size_t *ret_n)
{
	uint64_t number = backlog_end(details->source->backlog);
	size_t n = 0;

	while (number > backlog_first(details->source->backlog) && n < EVENTS_SHOWN)
		n += concerns_number(details, --number);
	*ret_n = n;
	return number;
}

static void print_from(const struct lately *lately, uint64_t number)
{
	const struct details *details = lately->details;
	struct change change;

	for (; number < backlog_end(details->source->backlog); number++)
		if (concerns_number(details, number) &&
		    backlog_change(details->source->backlog, number, details->source->model, &change))
			print_event(lately, &change, 1);
}

/* Of all events as many as there are; where others have pushed them out, what is remembered of this row. */
static void print_last(const struct lately *lately)
{
	const struct history_event *events[HISTORY_EVENTS];
	size_t n, n_remembered = remembered(lately->details, events);
	uint64_t first = first_shown(lately->details, &n);

	if (lately->details->view == TOP_EVENTS && !lately->details->row->who.pid && !n)
		return;
	fputs("\nlast events\n", lately->details->who.out);
	if (n >= n_remembered)
		print_from(lately, first);
	else
		print_remembered(lately, events, n_remembered);
	if (!n && !n_remembered)
		fputs(WHO_INDENT "none is remembered\n", lately->details->who.out);
}

int top_details_lately(const struct details *details)
{
	const struct lately lately = {details, malloc(EVENT_TEXT_MAX)};

	if (!lately.room)
		return -ENOMEM;
	if (details->view == TOP_PORTS)
		print_history(&lately);
	print_last(&lately);
	free(lately.room);
	return 0;
}
