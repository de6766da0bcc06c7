/* SPDX-License-Identifier: GPL-2.0-only */
/* The parents of those who hold a port, for the commands that show them. */
#ifndef PORTSNOOP_COMMAND_PARENTS_H
#define PORTSNOOP_COMMAND_PARENTS_H

#include "source/sink.h"
#include "view/who.h"

/* Reads up to init what is above each process that holds a socket on the port that who is about. 0 or a
 * negative errno. */
int parents_put(const struct model *model, const struct who_options *who, const struct sink *sink);

#endif
