/* SPDX-License-Identifier: GPL-2.0-only */
/* Refused SYNs that the kernel side counted but held back (at most one record a second and port). */
#ifndef PORTSNOOP_SOURCE_REFUSALS_H
#define PORTSNOOP_SOURCE_REFUSALS_H

#include "source/sink.h"

/* A record for each port with refusals not yet told. 0, or what the sink said. */
int refusals_flush(int map_fd, const struct sink *sink);

#endif
