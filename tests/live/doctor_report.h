/* SPDX-License-Identifier: GPL-2.0-only */
/* What doctor said, read and checked: what holds of every report, and that trace and ls then do what it says.
 */
#ifndef LIVE_DOCTOR_REPORT_H
#define LIVE_DOCTOR_REPORT_H

#include "tool.h"

#define REPORT_ROWS_MAX 64
#define UNUSABLE	3 /* the exit status */

/* All rows of one run. */
struct report {
	int status;
	json_t *rows[REPORT_ROWS_MAX];
	unsigned n_rows;
};

/* Runs `doctor --json` and checks what holds always. */
void report_run(struct scene *scene, struct report *report, const struct tool_run *options);
/* What a trace and ls do with the same privileges; where they do not start, for the same reason. */
void report_compare(struct scene *scene, const struct report *report, const struct tool_run *options);
void report_free(struct report *report);

/* The row of this kind and name, or a failure; without name the first of the kind. */
const json_t *report_row(struct scene *scene, const struct report *report, const char *kind,
			 const char *name);
/* Members of a row below `portsnoop`; "" without. */
const char *row_status(const json_t *row);
const char *row_reason(const json_t *row);
const char *row_value(const json_t *row);
/* The `ready` of a trace's output; NULL without. */
json_t *ready_of(const struct scene *scene, const char *path);

static inline bool is(const char *left, const char *right)
{
	return !__builtin_strcmp(left, right);
}

#endif
