/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The connections of a port: a line for each process with what it holds, since a server may have tens of
 * thousands; with -v a line for each of them too.
 */
#include "view/who_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define STATES 13 /* TCP_* of the kernel, with TCP_NEW_SYN_RECV */

/* Connections of one process, or without one for the same reason and with the same last holder. */
struct group {
	const struct process *process; /* NULL: nobody holds them */
	const char *reason;	       /* of who_no_holder() */
	const struct past_holder *past;
	const struct connection_row *first;
	const struct holder *holder; /* of the first */
	uint64_t n, states[STATES];
};

struct groups {
	const struct who *who;
	struct group *items;
	size_t n, capacity;
};

/* --- grouping ---------------------------------------------------------------------------------------------
 */

static bool same_past(const struct past_holder *a, const struct past_holder *b)
{
	return a == b || (a && b && a->pid == b->pid && a->start_ns == b->start_ns);
}

static bool same_group(const struct group *a, const struct group *b)
{
	return a->process == b->process && a->reason == b->reason && same_past(a->past, b->past);
}

static struct group *group_like(struct groups *groups, const struct group *wanted)
{
	struct group *more;

	/* Neighbours in the table often have the same holder as the latest. */
	for (size_t i = groups->n; i-- > 0;)
		if (same_group(&groups->items[i], wanted))
			return &groups->items[i];
	if (groups->n == groups->capacity) {
		groups->capacity = groups->capacity ? 2 * groups->capacity : 16;
		more = reallocarray(groups->items, groups->capacity, sizeof(*more));
		if (!more)
			return NULL;
		groups->items = more;
	}
	groups->items[groups->n] = *wanted;
	return &groups->items[groups->n++];
}

static int count(struct groups *groups, const struct connection_row *connection, const struct group *wanted)
{
	struct group *group = group_like(groups, wanted);
	unsigned state = connection->socket->socket.state;

	if (!group)
		return -ENOMEM;
	group->n++;
	group->states[state < STATES ? state : 0]++;
	/* Of several that let go, the latest is worth a word. */
	if (wanted->past && wanted->past->until_ns > group->past->until_ns)
		group->past = wanted->past;
	return 0;
}

static int take(struct groups *groups, const struct connection_row *connection)
{
	const struct socket_row *row = connection->socket;
	struct group wanted = {.first = connection};
	int error = 0;

	for (const struct holder *holder = row->holders; holder && !error; holder = holder->next) {
		wanted.process = holder->process;
		wanted.holder = holder;
		error = count(groups, connection, &wanted);
	}
	if (row->holders)
		return error;
	wanted.reason = who_no_holder(groups->who, row);
	wanted.past = describe_last_holder(groups->who->model, row);
	return count(groups, connection, &wanted);
}

/* --- printing ---------------------------------------------------------------------------------------------
 */

static void put_states(struct text *text, const struct group *group)
{
	size_t begin = text->length;

	for (uint8_t state = 0; state < STATES; state++) {
		const struct rec_socket like = {.protocol = IPPROTO_TCP, .state = state};
		const char *name = socket_state_name(&like, 1);

		if (!group->states[state])
			continue;
		text_next(text, begin);
		text_format(text, "%" PRIu64 " %s", group->states[state], name ? name : "?");
	}
}

/* The only one is told whole. */
static void put_connections(struct text *text, const struct who *who, const struct group *group)
{
	if (group->n > 1) {
		put_states(text, group);
		return;
	}
	who_socket(text, &group->first->socket->socket, group->first->direction);
	text_put(text, " ");
	who_state(text, &group->first->socket->socket);
	who_since(text, who, group->first->socket);
	who_netns(text, who, &group->first->socket->socket);
}

static void print_held(const struct who *who, const struct group *group)
{
	const struct actor actor = describe_holder(who->model, group->holder);
	struct text text = who_line(who);

	text_put(&text, WHO_INDENT);
	who_actor(&text, &actor);
	text_put(&text, "  ");
	text_user(&text, who->model, actor.uid, who->options->list.view.numeric);
	text_put(&text, "  ");
	put_connections(&text, who, group);
	if (group->n == 1)
		who_holding(&text, who, group->holder);
	who_line_end(who, &text);
	if (!who_is_introduced(who, group->process, who->table->n_ports))
		who_process_lines(who, group->process);
}

static void print_unheld(const struct who *who, const struct group *group)
{
	struct text text = who_line(who);

	text_put(&text, WHO_INDENT "no process: ");
	put_connections(&text, who, group);
	text_format(&text, "; %s", group->reason);
	who_last_holder(&text, who, group->first->socket, group->past);
	who_line_end(who, &text);
}

static void print_group(const struct who *who, const struct group *group)
{
	bool listed = who->options->list.view.verbose;

	if (!group->process && !listed)
		print_unheld(who, group);
	else if (group->process && !(listed && who_is_introduced(who, group->process, who->table->n_ports)))
		print_held(who, group);
}

static int print_groups(const struct who *who)
{
	struct groups groups = {.who = who};
	int error = 0;

	for (size_t i = 0; i < who->table->n_connections && !error; i++)
		error = take(&groups, &who->table->connections[i]);
	for (size_t i = 0; i < groups.n && !error; i++)
		print_group(who, &groups.items[i]);
	free(groups.items);
	return error;
}

static void print_each(const struct who *who)
{
	for (size_t i = 0; i < who->table->n_connections; i++) {
		const struct connection_row *connection = &who->table->connections[i];
		struct text text = who_line(who);

		text_put(&text, WHO_INDENT);
		who_row(&text, who, connection->socket, connection->direction);
		who_line_end(who, &text);
	}
}

int who_print_connections(const struct who *who)
{
	struct text text = who_line(who);

	if (!who->table->n_connections)
		return 0;
	if (who->table->n_ports)
		fputc('\n', who->out);
	text_count(&text, who->table->n_connections, "connection", "connections");
	who_title_end(who, &text);
	if (who->options->list.view.verbose)
		print_each(who);
	return print_groups(who);
}
