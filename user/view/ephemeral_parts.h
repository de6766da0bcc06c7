/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tables of the text form of `ephemeral` share. */
#ifndef PORTSNOOP_VIEW_EPHEMERAL_PARTS_H
#define PORTSNOOP_VIEW_EPHEMERAL_PARTS_H

#include "view/ephemeral.h"

#define CELL_MAX 1024

struct ephemeral_text {
	FILE *out;
	const struct model *model;
	const struct ephemeral *ephemeral;
	const struct ephemeral_options *options;
};

/* Rows of a table that are printed, of n; and how many more there are, in words. */
size_t ephemeral_shown(const struct ephemeral_text *view, size_t n);
void ephemeral_print_rest(const struct ephemeral_text *view, size_t n, size_t shown, const char *what);

/* Containers and units, where one has several processes. 0 or -ENOMEM. */
int ephemeral_print_groups(const struct ephemeral_text *view);

#endif
