/* SPDX-License-Identifier: GPL-2.0-only */
/* The last word on whether a port is free: the kernel's own table, as why judges by it. */
#ifndef PORTSNOOP_COMMAND_PORT_CHECK_H
#define PORTSNOOP_COMMAND_PORT_CHECK_H

#include "core/port_spec.h"

#include <stdbool.h>

struct port_check;

/* In the caller's network namespace. NULL where the kernel does not let its table be read. */
struct port_check *port_check_open(const struct port_spec *spec);
/*
 * Whether an ordinary bind would not fail with EADDRINUSE: without a protocol neither of TCP nor of UDP,
 * without an address of neither family. True also when that cannot be known, and without a check.
 */
bool port_check_is_free(struct port_check *check);
void port_check_close(struct port_check *check);

#endif
