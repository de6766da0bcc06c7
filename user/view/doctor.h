/* SPDX-License-Identifier: GPL-2.0-only */
/* A diagnosis, shown. Both return 0 or -ENOMEM; the stream keeps its own error. */
#ifndef PORTSNOOP_VIEW_DOCTOR_H
#define PORTSNOOP_VIEW_DOCTOR_H

#include "core/diagnosis.h"
#include "view/event.h"

#include <stdio.h>

/* For people. Without verbose, what is as it should be is not told one by one. */
int doctor_print_text(FILE *out, const struct diagnosis *diagnosis, const struct view_options *options);
/* A line for each thing that was looked at, then one for each fact, then the verdict. */
int doctor_print_json(FILE *out, const struct diagnosis *diagnosis);

#endif
