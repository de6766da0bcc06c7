/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel has on a port, read from the tables that bind(2) itself looks at (bpf/bind_table). */
#ifndef PORTSNOOP_SOURCE_BIND_TABLE_H
#define PORTSNOOP_SOURCE_BIND_TABLE_H

#include "core/bind_conflict.h"
#include "source/fault.h"

#include <stdbool.h>
#include <stdint.h>

struct bind_table;

/* Loads the program. 0, or a negative errno with *fault in words: it needs 5.17, CAP_BPF and CAP_PERFMON. */
int bind_table_open(struct bind_table **ret_table, struct fault *fault);
/*
 * What is on the wish's port and protocol in the namespace of this socket, which is of that protocol; l3mdev:
 * the VRF of the wish's device. 0; -EAGAIN when it changed again and again while it was read; or another
 * negative errno. To be released.
 */
int bind_table_read(struct bind_table *table, int socket_fd, const struct bind_wish *wish, uint32_t l3mdev,
		    struct bind_inventory *ret_inventory);
/*
 * All that is on this port, whatever VRF it is in, in one run. 0; -EAGAIN when it changed while it was read
 * or is more than a run can hold; or another negative errno. To be released.
 */
int bind_table_list(struct bind_table *table, int socket_fd, uint16_t port, bool udp,
		    struct bind_inventory *ret_inventory);
void bind_table_release(struct bind_inventory *inventory);
void bind_table_close(struct bind_table *table);

#endif
