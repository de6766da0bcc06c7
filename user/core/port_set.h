/* SPDX-License-Identifier: GPL-2.0-only */
/* A set of ports. */
#ifndef PORTSNOOP_CORE_PORT_SET_H
#define PORTSNOOP_CORE_PORT_SET_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed: empty. */
struct port_set {
	uint64_t words[65536 / 64];
};

void port_set_add(struct port_set *set, uint16_t port);
bool port_set_has(const struct port_set *set, uint16_t port);
/* How many are from low to high, both included. */
unsigned port_set_count(const struct port_set *set, uint16_t low, uint16_t high);
/*
 * Adds what a list such as "8080,9000-9099" says, as the kernel writes them; an empty one says nothing. False
 * when it is no such list: the set then has what stood before the mistake.
 */
bool port_set_add_list(struct port_set *set, const char *list);

#endif
