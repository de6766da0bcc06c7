/* SPDX-License-Identifier: GPL-2.0-only */
/* What the details of a row are made of. */
#ifndef PORTSNOOP_VIEW_TOP_DETAILS_H
#define PORTSNOOP_VIEW_TOP_DETAILS_H

#include "view/top.h"
#include "view/who_parts.h"

struct details {
	struct who who;
	const struct top_source *source;
	const struct top_row *row;
	enum top_view view;
};

/* Of a port how it came and went, of all rows the last events. 0 or -ENOMEM. */
int top_details_lately(const struct details *details);

#endif
