/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/list.h"

#include "view/list_print.h"

#include <errno.h>

static int print_sockets(FILE *out, const struct model *model, enum list_what what, struct port_table *table,
			 const struct list_options *options)
{
	int error = port_table_filter(table, model, options->filter);

	if (error)
		return error;
	if (what == LIST_PORTS)
		return (options->json ? list_json_ports : list_text_ports)(out, model, table, options);
	return (options->json ? list_json_connections : list_text_connections)(out, model, table, options);
}

static int print_processes(FILE *out, const struct model *model, const struct port_table *table,
			   const struct list_options *options)
{
	struct process_table_view view;
	int error = process_table_read(model, table, options->filter, &view);

	if (error)
		return error;
	error = (options->json ? list_json_processes : list_text_processes)(out, model, &view, options);
	process_table_view_free(&view);
	return error;
}

int list_print(FILE *out, const struct model *model, enum list_what what, const struct list_options *options)
{
	struct port_table table;
	int error = port_table_read(model, &table);

	if (error)
		return error;
	if (what == LIST_PROCESSES)
		error = print_processes(out, model, &table, options);
	else
		error = print_sockets(out, model, what, &table, options);
	port_table_free(&table);
	if (error)
		return error;
	return ferror(out) ? -EIO : 0;
}
