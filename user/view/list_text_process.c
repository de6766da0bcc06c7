/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of `ls processes` for people. */
#include "view/columns.h"
#include "view/command_line.h"
#include "view/list_print.h"

#include <inttypes.h>

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))
#define PORT_TEXT_MAX 16 /* ",65535/mptcp" */

struct list {
	const struct model *model;
	const struct list_options *options;
	const struct process_table_view *view;
};

static const struct process_row *row_at(const void *context, size_t row)
{
	return &((const struct list *)context)->view->rows[row];
}

static void cell_pid(struct text *text, const void *context, size_t row)
{
	text_format(text, "%u", row_at(context, row)->actor.pid);
}

static void cell_process(struct text *text, const void *context, size_t row)
{
	text_comm(text, &row_at(context, row)->actor);
}

static void cell_user(struct text *text, const void *context, size_t row)
{
	const struct list *list = context;

	text_user(text, list->model, row_at(context, row)->actor.uid, list->options->view.numeric);
}

/* Listeners, bound and UDP ports, each once, whatever addresses it is bound to. */
static void cell_ports(struct text *text, const void *context, size_t row)
{
	const struct process_row *process = row_at(context, row);
	const struct rec_socket *before = NULL;

	for (size_t i = 0; i < process->n_ports; i++) {
		const struct rec_socket *socket = &process->ports[i]->socket;

		if (before && before->local_port == socket->local_port &&
		    before->protocol == socket->protocol)
			continue;
		text_format(text, "%s%u/%s", before ? "," : "", socket->local_port, protocol_name(socket));
		before = socket;
	}
}

static void cell_in(struct text *text, const void *context, size_t row)
{
	text_format(text, "%" PRIu64, row_at(context, row)->in);
}

static void cell_out(struct text *text, const void *context, size_t row)
{
	text_format(text, "%" PRIu64, row_at(context, row)->out);
}

static void cell_undirected(struct text *text, const void *context, size_t row)
{
	text_format(text, "%" PRIu64, row_at(context, row)->undirected);
}

static void cell_container(struct text *text, const void *context, size_t row)
{
	const struct list *list = context;
	struct cgroup_name place;

	actor_place(list->model, &row_at(context, row)->actor, &place);
	text_container(text, &place, list->options->view.numeric);
}

static void cell_unit(struct text *text, const void *context, size_t row)
{
	struct cgroup_part unit;
	struct cgroup_name place;

	actor_place(((const struct list *)context)->model, &row_at(context, row)->actor, &place);
	unit = cgroup_telling_unit(&place);
	if (unit.length)
		text_name(text, unit.text, unit.length);
}

static bool is_in_unit(const struct cgroup_name *place)
{
	return cgroup_telling_unit(place).length;
}

static bool nobody(const struct list *list, bool (*has)(const struct cgroup_name *place))
{
	for (size_t i = 0; i < list->view->n_rows; i++) {
		struct cgroup_name place;

		actor_place(list->model, &list->view->rows[i].actor, &place);
		if (has(&place))
			return false;
	}
	return true;
}

static void cell_command(struct text *text, const void *context, size_t row)
{
	char arguments[COMMAND_LINE_MAX];

	text_name(text, arguments, command_line(&row_at(context, row)->actor, arguments));
}

static bool every_direction_known(const struct process_table_view *view)
{
	for (size_t i = 0; i < view->n_rows; i++)
		if (view->rows[i].undirected)
			return false;
	return true;
}

static size_t longest_cell(const struct process_table_view *view)
{
	size_t most = 4 * COMMAND_LINE_MAX;

	for (size_t i = 0; i < view->n_rows; i++)
		if (view->rows[i].n_ports * PORT_TEXT_MAX > most)
			most = view->rows[i].n_ports * PORT_TEXT_MAX;
	return most;
}

int list_text_processes(FILE *out, const struct model *model, const struct process_table_view *view,
			const struct list_options *options)
{
	struct list list = {.model = model, .options = options, .view = view};
	bool hide_command = !options->view.verbose || options->view.no_args;
	const struct column columns[] = {
		{"PID", cell_pid},
		{"PROCESS", cell_process},
		{"USER", cell_user},
		{"CONTAINER", cell_container, .hidden = nobody(&list, cgroup_is_container)},
		{"UNIT", cell_unit, .hidden = !options->view.verbose || nobody(&list, is_in_unit)},
		{"IN", cell_in},
		{"OUT", cell_out},
		{"UNKNOWN", cell_undirected, .hidden = every_direction_known(view)},
		{"PORTS", cell_ports},
		{"COMMAND", cell_command, .hidden = hide_command},
	};

	return columns_print(out, columns, COUNT(columns), view->n_rows, &list, longest_cell(view),
			     options->view.colour);
}
