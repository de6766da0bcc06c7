/* SPDX-License-Identifier: GPL-2.0-only */
/* What is held now, as tables for people or JSON rows (docs/schema.json). */
#ifndef PORTSNOOP_VIEW_LIST_H
#define PORTSNOOP_VIEW_LIST_H

#include "core/filter.h"
#include "core/model.h"
#include "view/event.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum list_what { LIST_PORTS, LIST_PROCESSES, LIST_CONNECTIONS };

struct list_options {
	struct view_options view;
	bool json;
	const struct filter *filter; /* borrowed; NULL: everything */
	uint64_t now_ns;	     /* CLOCK_BOOTTIME, for ages; 0: not known */
	uint64_t holders_as_of_ns;   /* CLOCK_BOOTTIME, when holders were looked at; 0: not known */
};

/* Sorted, the same for the same model. 0, -ENOMEM, or -EIO when the stream has an error. Does not flush. */
int list_print(FILE *out, const struct model *model, enum list_what what, const struct list_options *options);

#endif
