/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of sockets by (cookie, protocol), and what each kind of fact does to a row. */
#ifndef PORTSNOOP_CORE_SOCKETS_H
#define PORTSNOOP_CORE_SOCKETS_H

#include "core/model.h"

struct sockets;

struct sockets *sockets_new(size_t max_sockets);
void sockets_free(struct sockets *sockets);

/*
 * Applies a fact to its socket. *ret_row is the row, or NULL when the socket is not in the table;
 * *ret_ended says that the row's life is over: sockets_remove() it before the next fact.
 */
void sockets_apply(struct sockets *sockets, const struct record *record, struct socket_row **ret_row,
		   bool *ret_ended);
void sockets_hold(struct sockets *sockets, const struct rec_holder *record);
void sockets_remove(struct sockets *sockets, struct socket_row *row);

struct socket_row *sockets_find(const struct sockets *sockets, uint64_t cookie, uint16_t protocol);
size_t sockets_count(const struct sockets *sockets);
/* Rows and holders that found no room. */
uint64_t sockets_left_out(const struct sockets *sockets);
int sockets_each(const struct sockets *sockets, int (*callback)(const struct socket_row *, void *),
		 void *context);

#endif
