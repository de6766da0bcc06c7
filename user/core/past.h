/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who had it last: the last holder of sockets that go on without one (TIME_WAIT, lingering), and of ports
 * that were given back. Bounded: what was put down longest ago goes first.
 */
#ifndef PORTSNOOP_CORE_PAST_H
#define PORTSNOOP_CORE_PAST_H

#include "core/model.h"

struct past;

/* NULL when there is no memory. */
struct past *past_new(size_t limit);
void past_free(struct past *past);

/* The process let go of the socket at until_ns; what has no room is not remembered. */
void past_put_socket(struct past *past, const struct rec_socket *socket, const struct past_holder *holder);
/* The same of the port that it gave back. */
void past_put_port(struct past *past, const struct rec_socket *socket, const struct past_holder *holder);
struct past_holder past_holder_of(const struct process *process, uint64_t until_ns);

/* NULL: not known. */
const struct past_holder *past_of_socket(const struct past *past, const struct rec_socket *socket);
const struct past_holder *past_of_port(const struct past *past, const struct rec_socket *socket);
/* See model_each_past_port(). */
int past_each_port(const struct past *past, model_past_port_fn *callback, void *context);

#endif
