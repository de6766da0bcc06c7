/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows of `ls --json`: one line a socket or a process. */
#include "view/json_parts.h"
#include "view/list_print.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

/* What rows of both kinds have under `portsnoop`. */
static void json_socket(struct json_writer *w, const struct model *model,
			const struct description *description, const struct list_options *options)
{
	json_netns(w, model, description->socket->netns, &options->view);
	json_known(w, "cookie", description->socket->cookie);
	if (description->mapped)
		json_string(w, "family", "inet6");
}

/* A socket without a descriptor has no holders by its nature; with one, an empty list says that nobody is
 * known. */
static void json_row_holders(struct json_writer *w, const struct model *model, const struct socket_row *row,
			     const struct list_options *options)
{
	if (row->orphan)
		return;
	if (options->holders_as_of_ns)
		json_time(w, "holders_as_of", model_wall_ns(model, options->holders_as_of_ns));
	json_holders(w, model, row, &options->view);
	if (describe_in_flight(row))
		json_bool(w, "in_flight", true);
}

/* --- ports ------------------------------------------------------------------------------------------------
 */

static void json_connections(struct json_writer *w, const struct port_row *port)
{
	if (port->socket->socket.state != TCP_LISTEN)
		return;
	json_object(w, "connections");
	json_uint(w, "active", port->active);
	json_object_end(w);
}

/* Leaves `portsnoop` open. */
static void json_port(struct json_writer *w, const struct model *model, const struct socket_row *row,
		      const struct list_options *options)
{
	struct description description;

	describe_row(model, row, &description);
	json_network(w, &description, true);
	json_object(w, "portsnoop");
	json_socket(w, model, &description, options);
	json_string(w, "class", description.port_class);
	if (!options->view.numeric)
		json_string(w, "service", description.service);
	json_options(w, row->socket.options);
	json_row_holders(w, model, row, options);
	if (row->queue_limit)
		json_accept_queue(w, row->queue_length, row->queue_limit);
}

int list_json_ports(FILE *out, const struct model *model, const struct port_table *table,
		    const struct list_options *options)
{
	struct json_writer w = {0};
	int error = 0;

	for (size_t i = 0; i < table->n_ports && !error; i++) {
		json_row_begin(&w, "port");
		json_port(&w, model, table->ports[i].socket, options);
		json_connections(&w, &table->ports[i]);
		json_object_end(&w);
		error = json_row_print(&w, out);
	}
	json_free(&w);
	return error;
}

/* --- connections ------------------------------------------------------------------------------------------
 */

/* Leaves `portsnoop` open. */
static void json_connection(struct json_writer *w, const struct model *model, const struct socket_row *row,
			    unsigned direction, const struct list_options *options)
{
	struct description description;

	describe_row(model, row, &description);
	json_network(w, &description, true);
	json_object(w, "portsnoop");
	json_socket(w, model, &description, options);
	json_string(w, "direction", direction_name(direction));
	if (row->since_ns && options->now_ns >= row->since_ns)
		json_uint(w, "age_ns", options->now_ns - row->since_ns);
	if (describe_row_has_counters(row))
		json_counters(w, row->bytes_sent, row->bytes_received, row->retransmits, row->rtt_us);
	json_row_holders(w, model, row, options);
	json_last_holder(w, model, row, &options->view);
	json_peer_process(w, model, row);
}

int list_json_connections(FILE *out, const struct model *model, const struct port_table *table,
			  const struct list_options *options)
{
	struct json_writer w = {0};
	int error = 0;

	for (size_t i = 0; i < table->n_connections && !error; i++) {
		json_row_begin(&w, "connection");
		json_connection(&w, model, table->connections[i].socket, table->connections[i].direction,
				options);
		json_object_end(&w);
		error = json_row_print(&w, out);
	}
	json_free(&w);
	return error;
}

/* --- either -----------------------------------------------------------------------------------------------
 */

int list_json_socket(FILE *out, const struct model *model, const struct socket_row *row,
		     const struct list_options *options,
		     void (*more)(struct json_writer *w, const void *context), const void *context)
{
	bool is_port = socket_row_kind(&row->socket) == ROW_PORT;
	struct json_writer w = {0};
	int error;

	json_row_begin(&w, is_port ? "port" : "connection");
	if (is_port)
		json_port(&w, model, row, options);
	else
		json_connection(&w, model, row, row->direction, options);
	more(&w, context);
	json_object_end(&w);
	error = json_row_print(&w, out);
	json_free(&w);
	return error;
}

/* --- processes --------------------------------------------------------------------------------------------
 */

static void json_held_port(struct json_writer *w, const struct model *model, const struct socket_row *row,
			   const struct list_options *options)
{
	struct description description;

	describe_row(model, row, &description);
	json_object(w, NULL);
	json_network(w, &description, true);
	json_socket(w, model, &description, options);
	json_object_end(w);
}

static void json_process_row(struct json_writer *w, const struct model *model, const struct process_row *row,
			     const struct list_options *options)
{
	struct cgroup_name place;

	actor_place(model, &row->actor, &place);
	json_process(w, model, &row->actor, &options->view);
	json_container(w, &place, &options->view);
	json_object(w, "portsnoop");
	json_string(w, "comm", row->actor.comm);
	json_surroundings(w, &place, &row->actor);
	if (actor_is_cut(&row->actor))
		json_bool(w, "truncated", true);
	json_array(w, "ports");
	for (size_t i = 0; i < row->n_ports; i++)
		json_held_port(w, model, row->ports[i], options);
	json_array_end(w);
	json_object(w, "connections");
	json_uint(w, "in", row->in);
	json_uint(w, "out", row->out);
	json_known(w, "unknown", row->undirected);
	json_object_end(w);
	json_object_end(w);
}

int list_json_processes(FILE *out, const struct model *model, const struct process_table_view *view,
			const struct list_options *options)
{
	struct json_writer w = {0};
	int error = 0;

	for (size_t i = 0; i < view->n_rows && !error; i++) {
		json_row_begin(&w, "process");
		json_process_row(&w, model, &view->rows[i], options);
		error = json_row_print(&w, out);
	}
	json_free(&w);
	return error;
}
