/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/who.h"

#include "view/list_print.h"
#include "view/who_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

/* --- what is on the port ----------------------------------------------------------------------------------
 */

static bool is_on_port(const void *context, const struct rec_socket *socket)
{
	return port_spec_matches(context, socket);
}

int who_read(const struct model *model, const struct who_options *options, struct port_table *ret_table)
{
	struct port_table table;
	int error = port_table_read(model, &table);

	if (error)
		return error;
	port_table_keep(&table, is_on_port, options->spec);
	error = port_table_filter(&table, model, options->list.filter);
	if (error)
		port_table_free(&table);
	else
		*ret_table = table;
	return error;
}

/* --- text -------------------------------------------------------------------------------------------------
 */

static void port_title(const struct who *who, const struct port_row *port)
{
	const struct socket_row *row = port->socket;
	const struct rec_socket *socket = &row->socket;
	const char *service = model_service_name(who->model, socket->protocol, socket->local_port);
	struct text text = who_line(who);

	who_socket(&text, socket, DIRECTION_UNKNOWN);
	text_put(&text, "  ");
	who_state(&text, socket);
	if (service && !who->options->list.view.numeric) {
		text_put(&text, ", ");
		text_name(&text, service, strlen(service));
	}
	if (row->queue_limit)
		text_format(&text, ", %u of %u waiting to be accepted", row->queue_length, row->queue_limit);
	text_options(&text, socket->options, ", ");
	if (socket->state == TCP_LISTEN) {
		text_put(&text, ", ");
		text_count(&text, port->active, "connection", "connections");
	}
	who_since(&text, who, row);
	who_netns(&text, who, socket);
	who_title_end(who, &text);
}

static void print_port(const struct who *who, size_t index)
{
	const struct port_row *port = &who->table->ports[index];
	const struct socket_row *row = port->socket;
	struct text text;

	port_title(who, port);
	for (const struct holder *holder = row->holders; holder; holder = holder->next)
		who_holder_lines(who, holder, index);
	if (row->holders)
		return;
	text = who_line(who);
	text_format(&text, WHO_INDENT "no process: %s", who_no_holder(who, row));
	who_line_end(who, &text);
}

static int print_text(const struct who *who)
{
	for (size_t i = 0; i < who->table->n_ports; i++) {
		if (i)
			fputc('\n', who->out);
		print_port(who, i);
	}
	return who_print_connections(who);
}

/* A line each. */
static int print_lines(const struct who *who)
{
	const struct port_table *table = who->table;
	struct text text;

	for (size_t i = 0; i < table->n_ports; i++) {
		text = who_line(who);
		who_row(&text, who, table->ports[i].socket, DIRECTION_UNKNOWN);
		who_line_end(who, &text);
	}
	for (size_t i = 0; i < table->n_connections; i++) {
		text = who_line(who);
		who_row(&text, who, table->connections[i].socket, table->connections[i].direction);
		who_line_end(who, &text);
	}
	return 0;
}

/* --- nobody -----------------------------------------------------------------------------------------------
 */

struct search {
	const struct who_options *options;
	const struct past_holder *latest;
};

static int take_past(void *context, const struct rec_socket *place, const struct past_holder *holder)
{
	struct search *search = context;

	if (port_spec_matches_place(search->options->spec, place) &&
	    (!search->options->netns || place->netns == search->options->netns) &&
	    (!search->latest || holder->until_ns >= search->latest->until_ns))
		search->latest = holder;
	return 0;
}

void who_print_nobody(FILE *out, const struct model *model, const struct who_options *options,
		      const char *before, const char *after)
{
	struct search search = {.options = options};
	char room[WHO_LINE_MAX], port[PORT_SPEC_TEXT_MAX];
	const struct who who = {.out = out, .model = model, .options = options, .room = room};
	struct text text = who_line(&who);

	text_format(&text, "%s%s%s", before, port_spec_text(options->spec, port), after);
	if (options->netns && options->netns != options->home_netns) {
		text_put(&text, " in network namespace ");
		text_netns(&text, model, options->netns, options->list.view.numeric);
	}
	if (!options->filtered)
		model_each_past_port(model, take_past, &search);
	if (search.latest) {
		text_put(&text, "; ");
		who_until(&text, &who, search.latest, " had it");
	}
	who_line_end(&who, &text);
}

/* --- all of it --------------------------------------------------------------------------------------------
 */

static int print_json(FILE *out, const struct model *model, const struct port_table *table,
		      const struct who_options *options)
{
	int error = list_json_ports(out, model, table, &options->list);

	return error ? error : list_json_connections(out, model, table, &options->list);
}

static int print_table(FILE *out, const struct model *model, const struct port_table *table,
		       const struct who_options *options, int (*text)(const struct who *))
{
	char room[WHO_LINE_MAX];
	const struct who who = {.out = out, .model = model, .options = options, .table = table, .room = room};
	int error = options->list.json ? print_json(out, model, table, options) : text(&who);

	if (error)
		return error;
	return ferror(out) ? -EIO : 0;
}

int who_print_short(FILE *out, const struct model *model, const struct port_table *table,
		    const struct who_options *options)
{
	return print_table(out, model, table, options, print_lines);
}

int who_print(FILE *out, const struct model *model, const struct who_options *options, bool *ret_held)
{
	struct port_table table;
	int error = who_read(model, options, &table);

	if (error)
		return error;
	*ret_held = table.n_ports || table.n_connections;
	if (!*ret_held && !options->list.json && options->filtered)
		who_print_nobody(out, model, options, "nothing on ", " matches the filter");
	else if (!*ret_held && !options->list.json)
		who_print_nobody(out, model, options, "nobody has ", "");
	error = print_table(out, model, &table, options, print_text);
	port_table_free(&table);
	return error;
}
