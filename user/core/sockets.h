/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of sockets by (cookie, protocol), and what each kind of fact does to a row. */
#ifndef PORTSNOOP_CORE_SOCKETS_H
#define PORTSNOOP_CORE_SOCKETS_H

#include "core/holders.h"
#include "core/model.h"
#include "core/past.h"
#include "core/walk.h"

struct sockets;

/* The tables that a socket's facts change too; borrowed. */
struct sockets_context {
	struct holders *holders;
	struct past *past;
	struct walk *walk;
};

struct sockets *sockets_new(size_t max_sockets, const struct sockets_context *context);
void sockets_free(struct sockets *sockets);

/*
 * Applies a fact to its socket. process: who acted, or NULL. *ret_row is the row, or NULL when the socket is
 * not in the table; *ret_ended says that the row's life is over: sockets_remove() it before the next fact.
 */
void sockets_apply(struct sockets *sockets, const struct record *record, struct process *process,
		   struct socket_row **ret_row, bool *ret_ended);
/* A socket that a walk found. Returns its row; NULL when it has none. */
struct socket_row *sockets_found(struct sockets *sockets, const struct record *record);
/* A descriptor that was found. */
void sockets_hold(struct sockets *sockets, const struct rec_holder *record, struct process *process);
void sockets_remove(struct sockets *sockets, struct socket_row *row);
/* Takes out what no event will end. */
void sockets_forget_remains(struct sockets *sockets);
/* See model_forget_old_remains(). */
void sockets_forget_old_remains(struct sockets *sockets, uint16_t port);
/* Payload that the last record told of beyond what was known; 0 when asked again. */
uint64_t sockets_take_news(struct sockets *sockets);
/* A walk has ended: what it did not find goes. */
void sockets_settle(struct sockets *sockets, uint64_t time_ns);

/* A whole socket. */
struct socket_row *sockets_find(const struct sockets *sockets, uint64_t cookie, uint16_t protocol);
/* A request or what is in TIME_WAIT, with these ends; NULL: some of that cookie. */
struct socket_row *sockets_find_remains(const struct sockets *sockets, uint64_t cookie, uint16_t protocol,
					const struct rec_socket *ends);
/* See model_peer(). */
const struct socket_row *sockets_peer(const struct sockets *sockets, const struct socket_row *row);
size_t sockets_count(const struct sockets *sockets);
/* Rows that found no room. */
uint64_t sockets_left_out(const struct sockets *sockets);
int sockets_each(const struct sockets *sockets, int (*callback)(const struct socket_row *, void *),
		 void *context);

#endif
