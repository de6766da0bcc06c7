/* SPDX-License-Identifier: GPL-2.0-only */
/* All about one row of top, as lines for people: what `who` tells, what was counted, and what happened
 * lately. */
#include "view/top_details.h"
#include "view/event.h"
#include "view/top_print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SOCKETS_SHOWN 40 /* of a process, of each kind */

/* --- processes --------------------------------------------------------------------------------------------
 */

static void print_path(const struct who *who, const struct process *process)
{
	const struct actor actor = describe_process(process);
	const char *path = actor_path(&actor);
	struct text text = who_line(who);

	if (!path)
		return;
	text_put(&text, WHO_INDENT WHO_INDENT "exe ");
	text_name(&text, path, strlen(path));
	who_line_end(who, &text);
}

/* What has just ended is held until the next record comes. */
static bool is_shown(const struct who *who, const struct holder *held, enum row_kind kind)
{
	const struct rec_socket *socket = &held->socket->socket;

	return socket_row_kind(socket) == kind && model_socket(who->model, socket->cookie, socket->protocol);
}

static void print_socket(const struct who *who, const struct holder *held)
{
	struct text text = who_line(who);

	text_put(&text, WHO_INDENT);
	who_socket(&text, &held->socket->socket, held->socket->direction);
	text_put(&text, " ");
	who_state(&text, &held->socket->socket);
	who_since(&text, who, held->socket);
	who_holding(&text, who, held);
	who_line_end(who, &text);
}

static void print_sockets(const struct who *who, const struct process *process, enum row_kind kind,
			  const char *one, const char *many)
{
	unsigned shown = 0, all = 0;

	for (const struct holder *held = process->held; held; held = held->next_held)
		all += is_shown(who, held, kind);
	if (all)
		fprintf(who->out, "\n%u %s\n", all, all == 1 ? one : many);
	for (const struct holder *held = process->held; held && shown < SOCKETS_SHOWN;
	     held = held->next_held) {
		if (!is_shown(who, held, kind))
			continue;
		shown++;
		print_socket(who, held);
	}
	if (all > shown)
		fprintf(who->out, WHO_INDENT "and %u more\n", all - shown);
}

static void print_counts(const struct details *details, const struct rate_counts *counts)
{
	struct text text = who_line(&details->who);

	if (!counts)
		return;
	text_put(&text, "since we watch: ");
	text_count(&text, counts->total[RATE_CONNECTS], "connect, ", "connects, ");
	text_count(&text, counts->total[RATE_ACCEPTS], "accept, ", "accepts, ");
	text_count(&text, counts->total[RATE_ERRORS], "error, ", "errors, ");
	text_bytes(&text, counts->total[RATE_BYTES]);
	fputc('\n', details->who.out);
	who_title_end(&details->who, &text);
}

static void print_process(const struct details *details)
{
	const struct rec_task *task = &details->row->who;
	const struct process *process = model_process(details->source->model, task->pid, task->start_ns);
	struct text text = who_line(&details->who);
	struct actor actor = describe_process(process);

	if (!process) {
		fputs("this process is forgotten\n", details->who.out);
		return;
	}
	who_actor(&text, &actor);
	text_put(&text, "  ");
	text_user(&text, details->source->model, actor.uid, details->source->view.numeric);
	if (process->exited)
		text_put(&text, "  has ended");
	who_title_end(&details->who, &text);
	print_path(&details->who, process);
	who_process_lines(&details->who, process);
	print_sockets(&details->who, process, ROW_PORT, "port", "ports");
	print_sockets(&details->who, process, ROW_CONNECTION, "connection", "connections");
	print_counts(details, rates_of_process(details->source->rates, task->pid, task->start_ns));
}

/* --- sockets ----------------------------------------------------------------------------------------------
 */

/* The same port of another namespace is another one. */
static int print_port(const struct details *details)
{
	const struct rec_socket *socket = &details->row->socket;
	const struct port_spec spec = {
		.port = socket->local_port, .protocol = socket->protocol, .netns = socket->netns};
	struct who_options options = *details->who.options;
	bool held;
	int error;

	options.spec = &spec;
	error = who_print(details->who.out, details->source->model, &options, &held);
	if (error)
		return error;
	print_counts(details, rates_of_port(details->source->rates, socket));
	return 0;
}

static void print_counters(const struct details *details, const struct socket_row *socket)
{
	struct text text = who_line(&details->who);

	if (!describe_row_has_counters(socket))
		return;
	text_put(&text, WHO_INDENT "sent ");
	text_bytes(&text, socket->bytes_sent);
	text_put(&text, ", received ");
	text_bytes(&text, socket->bytes_received);
	if (socket->rtt_us) {
		text_put(&text, ", round trip ");
		text_duration(&text, socket->rtt_us * UINT64_C(1000));
	}
	text_put(&text, ", ");
	text_count(&text, socket->retransmits, "retransmit", "retransmits");
	who_line_end(&details->who, &text);
}

static void print_peer(const struct details *details, const struct socket_row *socket)
{
	const struct process *peer = model_peer_process(details->source->model, socket);
	const struct actor actor = describe_process(peer);
	struct text text = who_line(&details->who);

	if (!peer)
		return;
	text_put(&text, "\nat the other end: ");
	who_actor(&text, &actor);
	who_title_end(&details->who, &text);
	who_process_lines(&details->who, peer);
}

static void print_connection(const struct details *details)
{
	const struct rec_socket *id = &details->row->socket;
	const struct socket_row *socket = model_socket(details->source->model, id->cookie, id->protocol);
	struct text text = who_line(&details->who);

	who_socket(&text, id, details->row->direction);
	if (!socket) {
		text_put(&text, "  is over");
		who_title_end(&details->who, &text);
		return;
	}
	text_put(&text, "  ");
	who_state(&text, &socket->socket);
	who_since(&text, &details->who, socket);
	who_netns(&text, &details->who, &socket->socket);
	who_title_end(&details->who, &text);
	print_counters(details, socket);
	for (const struct holder *holder = socket->holders; holder; holder = holder->next)
		who_holder_lines(&details->who, holder, 0);
	if (!socket->holders)
		fprintf(details->who.out, WHO_INDENT "no process: %s\n",
			who_no_holder(&details->who, socket));
	print_peer(details, socket);
}

/* What shares the ports that the kernel assigns, and who uses most of them. */
static void print_destination(const struct details *details)
{
	const struct top_row *row = details->row;
	struct endpoint local = endpoint_local(&row->socket), peer = endpoint_peer(&row->socket);
	struct text text = who_line(&details->who);
	char buf[ENDPOINT_TEXT_MAX];

	text_format(&text, "%s from %s", protocol_name(&row->socket), endpoint_address_text(&local, buf));
	text_format(&text, " to %s", endpoint_text(&peer, buf));
	who_netns(&text, &details->who, &row->socket);
	who_title_end(&details->who, &text);
	text = who_line(&details->who);
	text_format(&text, WHO_INDENT "%u in use, %u in TIME_WAIT, %u free: %.1f %% used", row->in_use,
		    row->time_wait, row->available, 100 * row->used_ratio);
	who_line_end(&details->who, &text);
	if (!row->watched)
		return;
	text = who_line(&details->who);
	text_format(&text, WHO_INDENT "%.1f assigned a second, ", row->rate[RATE_CONNECTS]);
	text_count(&text, row->failed, "connect failed", "connects failed");
	if (row->will_be_exhausted) {
		text_put(&text, ", used up in ");
		top_put_age(&text, row->exhausted_in_seconds * UINT64_C(1000000000));
	}
	who_line_end(&details->who, &text);
}

static void print_ephemeral(const struct details *details)
{
	print_destination(details);
	if (!details->row->who.pid) {
		fputs("\nno process holds one now\n", details->who.out);
		return;
	}
	fputs("\nmostly by\n", details->who.out);
	print_process(details);
}

/* The event whole, then who did it. */
static int print_event(const struct details *details)
{
	struct view_options options = details->source->view;
	const struct view_tally tally = {0};
	struct change change;
	char *line;

	if (details->row->id.a < backlog_first(details->source->backlog) ||
	    !backlog_change(details->source->backlog, details->row->id.a, details->source->model, &change)) {
		fputs("this event is forgotten\n", details->who.out);
		return 0;
	}
	line = malloc(EVENT_TEXT_MAX);
	if (!line)
		return -ENOMEM;
	options.verbose = true;
	fwrite(line, 1, event_text(line, EVENT_TEXT_MAX, details->source->model, &change, &tally, &options),
	       details->who.out);
	free(line);
	if (!details->row->who.pid)
		return 0;
	fputc('\n', details->who.out);
	print_process(details);
	return 0;
}

int top_print_details(FILE *out, const struct top_row *row, enum top_view view,
		      const struct top_source *source)
{
	char room[WHO_LINE_MAX];
	const struct who_options options = {.list = {.view = source->view, .now_ns = source->now_ns},
					    .home_netns = source->home_netns};
	const struct details details = {
		.who = {.out = out, .model = source->model, .options = &options, .room = room},
		.source = source,
		.row = row,
		.view = view,
	};
	int error = 0;

	switch (view) {
	case TOP_PORTS:
		error = print_port(&details);
		break;
	case TOP_CONNECTIONS:
		print_connection(&details);
		break;
	case TOP_EVENTS:
		error = print_event(&details);
		break;
	case TOP_EPHEMERAL:
		print_ephemeral(&details);
		break;
	default:
		print_process(&details);
		break;
	}
	return error ? error : top_details_lately(&details);
}
