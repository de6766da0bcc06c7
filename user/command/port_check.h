/* SPDX-License-Identifier: GPL-2.0-only */
/* The last word on whether a port is free: the kernel's own table, as why judges by it. */
#ifndef PORTSNOOP_COMMAND_PORT_CHECK_H
#define PORTSNOOP_COMMAND_PORT_CHECK_H

#include "core/port_spec.h"

#include <stdbool.h>

struct port_check;

/* In that network namespace, -1: the caller's. NULL where the kernel does not let its table be read, or the
 * namespace not be entered. */
struct port_check *port_check_open(const struct port_spec *spec, int netns_fd);
/*
 * Whether an ordinary bind would not fail with EADDRINUSE: without a protocol neither of TCP nor of UDP,
 * without an address of neither family. True also when that cannot be known, and without a check.
 */
bool port_check_is_free(struct port_check *check);
void port_check_close(struct port_check *check);

#endif
