/* SPDX-License-Identifier: GPL-2.0-only */
/* Who has a local port: blocks of text for people, or the rows of `ls --json`. */
#ifndef PORTSNOOP_VIEW_WHO_H
#define PORTSNOOP_VIEW_WHO_H

#include "core/port_spec.h"
#include "view/list.h"
#include "view/port_table.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct who_options {
	struct list_options list;     /* its filter narrows what is on the port */
	const struct port_spec *spec; /* borrowed */
	uint32_t home_netns;	      /* of who asks, so that others are told apart; 0: not known */
	uint32_t netns;		      /* the only one that is asked about; 0: all */
	bool filtered;		      /* list.filter asks for more than a namespace */
};

/* The sockets on the port, to be freed with port_table_free(). 0 or -ENOMEM. */
int who_read(const struct model *model, const struct who_options *options, struct port_table *ret_table);

/* The whole answer. *ret_held: somebody or something has it. 0, -ENOMEM, or -EIO. Does not flush. */
int who_print(FILE *out, const struct model *model, const struct who_options *options, bool *ret_held);

/* Some of the sockets, a line each, or a JSON row each. */
int who_print_short(FILE *out, const struct model *model, const struct port_table *table,
		    const struct who_options *options);
/* A line: before, the port, after; unless filtered also who had it last, where that is known. */
void who_print_nobody(FILE *out, const struct model *model, const struct who_options *options,
		      const char *before, const char *after);

#endif
