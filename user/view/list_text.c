/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables of `ls` for people: ports and connections. */
#include "core/slab.h"
#include "view/actor_set.h"
#include "view/columns.h"
#include "view/command_line.h"
#include "view/list_print.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#define PREFETCH_AHEAD 8
#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))

/* One line of the table: a connection, or the ports that fold into it. */
struct line {
	const struct connection_row *connection; /* NULL: it is ports */
	const struct port_row *ports;		 /* n of them */
	size_t n;
};

/* The holders of the line that was asked for last: its cells come one after the other. */
struct holders_of {
	const struct line *line; /* NULL: none yet */
	struct actor_set set;
};

struct lines {
	const struct model *model;
	const struct list_options *options;
	struct line *items;
	size_t n;
	struct actor *room; /* for the holders of any one line */
	size_t n_room;
	struct holders_of *last;
};

static const struct socket_row *socket_at(const struct lines *lines, size_t row)
{
	const struct line *line = &lines->items[row];

	return line->connection ? line->connection->socket : line->ports[0].socket;
}

/* The set lies in the lines' room: good until the next line. */
static struct actor_set holders_at(const struct lines *lines, size_t row)
{
	const struct line *line = &lines->items[row];
	struct actor_set set = {.actors = lines->room};

	if (lines->last->line == line)
		return lines->last->set;
	if (line->connection)
		actor_set_add(&set, lines->model, line->connection->socket);
	for (size_t i = 0; i < line->n; i++)
		actor_set_add(&set, lines->model, line->ports[i].socket);
	actor_set_settle(&set);
	*lines->last = (struct holders_of){line, set};
	return set;
}

/* --- cells of both ----------------------------------------------------------------------------------------
 */

/*
 * Sorted neighbours lie anywhere in memory: what comes soon is asked for now. Always inline, since gcc takes
 * a function that does nothing else for one without effect.
 */
__attribute__((always_inline)) static inline void prefetch(const struct lines *lines, size_t row)
{
	const char *socket;

	if (row + PREFETCH_AHEAD >= lines->n)
		return;
	socket = (const void *)socket_at(lines, row + PREFETCH_AHEAD);
	__builtin_prefetch(socket);
	__builtin_prefetch(socket + 64);
	__builtin_prefetch(socket + 128);
}

static void cell_protocol(struct text *text, const void *context, size_t row)
{
	prefetch(context, row); /* of a connection it is the first cell */
	text_put(text, protocol_name(&socket_at(context, row)->socket));
}

static void cell_netns(struct text *text, const void *context, size_t row)
{
	const struct lines *lines = context;

	text_netns(text, lines->model, socket_at(context, row)->socket.netns, lines->options->view.numeric);
}

static void cell_pid(struct text *text, const void *context, size_t row)
{
	struct actor_set set = holders_at(context, row);

	actor_set_pid(text, &set);
}

static void cell_process(struct text *text, const void *context, size_t row)
{
	struct actor_set set = holders_at(context, row);

	actor_set_names(text, &set);
}

static void cell_user(struct text *text, const void *context, size_t row)
{
	const struct lines *lines = context;
	struct actor_set set = holders_at(context, row);

	actor_set_users(text, &set, lines->model, lines->options->view.numeric);
}

static void cell_container(struct text *text, const void *context, size_t row)
{
	const struct lines *lines = context;
	struct actor_set set = holders_at(context, row);

	actor_set_containers(text, &set, lines->model, lines->options->view.numeric);
}

static void cell_unit(struct text *text, const void *context, size_t row)
{
	const struct lines *lines = context;
	struct actor_set set = holders_at(context, row);

	actor_set_units(text, &set, lines->model);
}

static void cell_command(struct text *text, const void *context, size_t row)
{
	struct actor_set set = holders_at(context, row);
	char arguments[COMMAND_LINE_MAX];

	if (set.n)
		text_name(text, arguments, command_line(&set.actors[0], arguments));
}

/* --- cells of ports ---------------------------------------------------------------------------------------
 */

static void cell_port(struct text *text, const void *context, size_t row)
{
	text_format(text, "%u", socket_at(context, row)->socket.local_port);
}

static void cell_address(struct text *text, const void *context, size_t row)
{
	text_served_address(text, &socket_at(context, row)->socket);
}

static void cell_state(struct text *text, const void *context, size_t row)
{
	const struct lines *lines = context;
	const struct rec_socket *socket = &socket_at(context, row)->socket;
	const char *state = socket_state_name(socket, socket->local_port);

	if (state)
		text_put(text, state);
	if (lines->items[row].n > 1)
		text_format(text, "(%zu)", lines->items[row].n);
}

static void cell_service(struct text *text, const void *context, size_t row)
{
	const struct lines *lines = context;
	const struct rec_socket *socket = &socket_at(context, row)->socket;
	const char *service = model_service_name(lines->model, socket->protocol, socket->local_port);

	if (service && !lines->options->view.numeric)
		text_name(text, service, strlen(service));
}

static void cell_queue(struct text *text, const void *context, size_t row)
{
	const struct socket_row *socket = socket_at(context, row);

	if (socket->queue_limit)
		text_format(text, "%u/%u", socket->queue_length, socket->queue_limit);
}

static void cell_active(struct text *text, const void *context, size_t row)
{
	const struct lines *lines = context;

	if (socket_at(context, row)->socket.state == TCP_LISTEN)
		text_format(text, "%" PRIu64, lines->items[row].ports->active);
}

/* --- cells of connections ---------------------------------------------------------------------------------
 */

static void cell_local(struct text *text, const void *context, size_t row)
{
	struct endpoint local = endpoint_local(&socket_at(context, row)->socket);
	char buf[ENDPOINT_TEXT_MAX];

	text_put(text, endpoint_text(&local, buf));
}

static void cell_peer(struct text *text, const void *context, size_t row)
{
	struct endpoint peer = endpoint_peer(&socket_at(context, row)->socket);
	char buf[ENDPOINT_TEXT_MAX];

	text_put(text, endpoint_text(&peer, buf));
}

static void cell_direction(struct text *text, const void *context, size_t row)
{
	const struct lines *lines = context;
	const char *direction = direction_name(lines->items[row].connection->direction);

	if (direction)
		text_put(text, direction);
}

static void cell_age(struct text *text, const void *context, size_t row)
{
	const struct lines *lines = context;
	uint64_t since_ns = socket_at(context, row)->since_ns;

	if (since_ns && lines->options->now_ns >= since_ns)
		text_duration_word(text, lines->options->now_ns - since_ns);
}

static void cell_rtt(struct text *text, const void *context, size_t row)
{
	uint32_t rtt_us = socket_at(context, row)->rtt_us;

	if (rtt_us)
		text_duration_word(text, rtt_us * UINT64_C(1000));
}

static void cell_sent(struct text *text, const void *context, size_t row)
{
	const struct socket_row *socket = socket_at(context, row);

	if (describe_row_has_counters(socket))
		text_format(text, "%" PRIu64, socket->bytes_sent);
}

static void cell_received(struct text *text, const void *context, size_t row)
{
	const struct socket_row *socket = socket_at(context, row);

	if (describe_row_has_counters(socket))
		text_format(text, "%" PRIu64, socket->bytes_received);
}

/* --- tables -----------------------------------------------------------------------------------------------
 */

/* Two namespaces with the same port would be two lines that nobody can tell apart. */
static bool one_netns(const struct lines *lines)
{
	for (size_t i = 1; i < lines->n; i++)
		if (socket_at(lines, i)->socket.netns != socket_at(lines, 0)->socket.netns)
			return false;
	return true;
}

typedef bool place_has(const struct cgroup_name *place);

static bool is_in_unit(const struct cgroup_name *place)
{
	return cgroup_telling_unit(place).length;
}

/* *last: the process that was looked at last; the next socket is often its too. */
static bool any_holder(const struct lines *lines, const struct socket_row *row, place_has *has,
		       const struct process **last)
{
	for (const struct holder *holder = row->holders; holder; holder = holder->next) {
		struct actor actor;
		struct cgroup_name place;

		if (holder->process == *last)
			continue;
		*last = holder->process;
		actor = describe_holder(lines->model, holder);
		actor_place(lines->model, &actor, &place);
		if (has(&place))
			return true;
	}
	return false;
}

static bool no_line(const struct lines *lines, place_has *has)
{
	const struct process *last = NULL;

	for (size_t i = 0; i < lines->n; i++) {
		const struct line *line = &lines->items[i];

		if (line->connection && any_holder(lines, line->connection->socket, has, &last))
			return false;
		for (size_t port = 0; port < line->n; port++)
			if (any_holder(lines, line->ports[port].socket, has, &last))
				return false;
	}
	return true;
}

struct search {
	const struct lines *lines;
	place_has *has;
};

static int stop_at(const struct process *process, void *context)
{
	const struct search *search = context;
	const struct actor actor = describe_process(process);
	struct cgroup_name place;

	actor_place(search->lines->model, &actor, &place);
	return search->has(&place);
}

/*
 * Many machines have no containers, some no systemd: there are fewer processes than lines, so they are asked
 * first.
 */
static bool nobody(const struct lines *lines, place_has *has)
{
	struct search search = {lines, has};

	return !model_each_process(lines->model, stop_at, &search) || no_line(lines, has);
}

static int print_lines(FILE *out, struct lines *lines, const struct column *columns, size_t n_columns)
{
	/* A command line may be longer than the names of one or two processes. */
	size_t cell_max = ACTOR_CELL_MAX(lines->n_room) + 4 * COMMAND_LINE_MAX;
	struct holders_of last = {0};

	lines->room = calloc(lines->n_room + 1, sizeof(*lines->room));
	if (!lines->room)
		return -ENOMEM;
	lines->last = &last;
	return columns_print(out, columns, n_columns, lines->n, lines, cell_max, lines->options->view.colour);
}

static void lines_free(struct lines *lines)
{
	free(lines->items);
	free(lines->room);
}

static void fold_ports(struct lines *lines, const struct port_table *table)
{
	bool unfold = lines->options->view.verbose;
	size_t holders = 0;

	for (size_t i = 0; i < table->n_ports; i++) {
		const struct port_row *port = &table->ports[i];
		struct line *last = lines->n ? &lines->items[lines->n - 1] : NULL;

		if (last && !unfold && port_rows_fold(last->ports, port)) {
			last->n++;
			holders += port->socket->n_holders;
		} else {
			lines->items[lines->n++] = (struct line){.ports = port, .n = 1};
			holders = port->socket->n_holders;
		}
		if (holders > lines->n_room)
			lines->n_room = holders;
	}
}

int list_text_ports(FILE *out, const struct model *model, const struct port_table *table,
		    const struct list_options *options)
{
	struct lines lines = {.model = model,
			      .options = options,
			      .items = slab_array(table->n_ports + 1, sizeof(struct line))};
	int error;

	if (!lines.items)
		return -ENOMEM;
	fold_ports(&lines, table);
	bool plain = !options->view.verbose;
	const struct column columns[] = {
		{"PORT", cell_port},
		{"PROTO", cell_protocol},
		{"ADDRESS", cell_address},
		{"STATE", cell_state},
		{"SERVICE", cell_service},
		{"PID", cell_pid},
		{"PROCESS", cell_process},
		{"USER", cell_user},
		{"NETNS", cell_netns, .hidden = one_netns(&lines)},
		{"CONTAINER", cell_container, .hidden = nobody(&lines, cgroup_is_container)},
		{"UNIT", cell_unit, .hidden = plain || nobody(&lines, is_in_unit)},
		{"QUEUE", cell_queue, .hidden = plain},
		{"ACTIVE", cell_active, .hidden = plain},
		{"COMMAND", cell_command, .hidden = plain || options->view.no_args},
	};
	error = print_lines(out, &lines, columns, COUNT(columns));
	lines_free(&lines);
	return error;
}

int list_text_connections(FILE *out, const struct model *model, const struct port_table *table,
			  const struct list_options *options)
{
	struct lines lines = {.model = model,
			      .options = options,
			      .items = slab_array(table->n_connections + 1, sizeof(struct line)),
			      .n_room = table->most_holders};
	int error;

	if (!lines.items)
		return -ENOMEM;
	for (size_t i = 0; i < table->n_connections; i++)
		lines.items[lines.n++] = (struct line){.connection = &table->connections[i]};
	bool plain = !options->view.verbose;
	const struct column columns[] = {
		{"PROTO", cell_protocol},
		{"LOCAL", cell_local},
		{"PEER", cell_peer},
		{"STATE", cell_state},
		{"DIRECTION", cell_direction},
		{"AGE", cell_age},
		{"PID", cell_pid},
		{"PROCESS", cell_process},
		{"USER", cell_user},
		{"NETNS", cell_netns, .hidden = one_netns(&lines)},
		{"CONTAINER", cell_container, .hidden = nobody(&lines, cgroup_is_container)},
		{"UNIT", cell_unit, .hidden = plain || nobody(&lines, is_in_unit)},
		{"SENT", cell_sent, .hidden = plain},
		{"RECEIVED", cell_received, .hidden = plain},
		{"RTT", cell_rtt, .hidden = plain},
		{"COMMAND", cell_command, .hidden = plain || options->view.no_args},
	};
	error = print_lines(out, &lines, columns, COUNT(columns));
	lines_free(&lines);
	return error;
}
