/* SPDX-License-Identifier: GPL-2.0-only */
/* The close record: one for each time that a socket gives up its port or its connection. */
#ifndef PORTSNOOP_BPF_CLOSE_H
#define PORTSNOOP_BPF_CLOSE_H

#include "fact.h"

static __always_inline void close_fill_note(struct rec_close *rec, const struct note *note)
{
	if (!note)
		return;
	if (note->since_ns)
		rec->duration_ns = fact_elapsed_ns(&rec->fact, note->since_ns);
	rec->owner_pid = note->owner_pid;
	rec->owner_start_ns = note->owner_start_ns;
	rec->listener = note->listener;
	if (note->flags & NOTE_IN)
		rec->direction = DIRECTION_IN;
	else if (note->flags & NOTE_OUT)
		rec->direction = DIRECTION_OUT;
}

/*
 * state: the one that ended. by_current: the releaser is the current process; otherwise it is the one that
 * the note remembers, if the last descriptor is gone, and nobody if not. typed (see socket_fill_typed()) is
 * a constant. NULL when it cannot be sent; else emit_end() follows.
 */
static __always_inline struct rec_close *close_begin(const struct sock *sk, __u64 cookie,
						     const struct note *note, __u8 state,
						     enum close_reason reason, bool by_current, bool typed,
						     enum rec_probe probe)
{
	struct rec_close *rec = emit_begin(REC_CLOSE, sizeof(*rec), probe);

	if (!rec)
		return NULL;
	if (by_current)
		fact_by_current(&rec->fact);
	else if (note && note->flags & NOTE_RELEASED)
		fact_by_note(&rec->fact, note);
	if (typed)
		fact_on_typed(&rec->fact, sk, cookie, note);
	else
		fact_on(&rec->fact, sk, cookie, note);
	close_fill_note(rec, note);
	rec->fact.socket.state = state;
	/* A failed connect leaves its address behind. */
	if ((state == TCP_LISTEN || state == TCP_CLOSE) && !rec->fact.socket.peer_port)
		__builtin_memset(rec->fact.socket.peer_addr, 0, 16);
	rec->reason = reason;
	if (note && note->flags & NOTE_RELEASED)
		rec->fact.header.flags |= CLOSE_F_RELEASED;
	return rec;
}

#endif
