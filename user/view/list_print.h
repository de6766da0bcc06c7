/* SPDX-License-Identifier: GPL-2.0-only */
/* What list.c is made of: each kind of table in each of the two ways. All return 0 or -ENOMEM. */
#ifndef PORTSNOOP_VIEW_LIST_PRINT_H
#define PORTSNOOP_VIEW_LIST_PRINT_H

#include "io/json_writer.h"
#include "view/list.h"
#include "view/port_table.h"
#include "view/process_table.h"

int list_json_ports(FILE *out, const struct model *model, const struct port_table *table,
		    const struct list_options *options);
int list_json_connections(FILE *out, const struct model *model, const struct port_table *table,
			  const struct list_options *options);
/* One socket, a port or a connection, with what the callback adds under `portsnoop`. */
int list_json_socket(FILE *out, const struct model *model, const struct socket_row *row,
		     const struct list_options *options,
		     void (*more)(struct json_writer *w, const void *context), const void *context);
int list_json_processes(FILE *out, const struct model *model, const struct process_table_view *view,
			const struct list_options *options);

int list_text_ports(FILE *out, const struct model *model, const struct port_table *table,
		    const struct list_options *options);
int list_text_connections(FILE *out, const struct model *model, const struct port_table *table,
			  const struct list_options *options);
int list_text_processes(FILE *out, const struct model *model, const struct process_table_view *view,
			const struct list_options *options);

#endif
