/* SPDX-License-Identifier: GPL-2.0-only */
/* What an event says of a port that the kernel chose by itself: given to whom, taken back, or not found. */
#ifndef PORTSNOOP_CORE_PORT_CHOICE_H
#define PORTSNOOP_CORE_PORT_CHOICE_H

#include "core/model.h"

#include <stdbool.h>

/* "bind", "listen", "connect" or "send"; NULL: this event assigned none. */
const char *port_assigned_by(const struct record *record, uint16_t local_port);
/* Whether a port was looked for and all were taken. */
bool port_not_found(const struct record *record);
/* Whether one that was asked for by nobody is free again. */
bool port_taken_back(const struct change *change);

#endif
