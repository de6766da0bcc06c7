/* SPDX-License-Identifier: GPL-2.0-only */
/* Filling what every socket fact begins with: who acted, and on which socket. */
#ifndef PORTSNOOP_BPF_FACT_H
#define PORTSNOOP_BPF_FACT_H

#include "counters.h"
#include "emit.h"
#include "maps.h"
#include "notes.h"
#include "socket.h"
#include "task.h"

/*
 * Two looks at the clock that programs may read are not always in order: it steps back by nanoseconds where
 * the kernel has just corrected it (ktime_get_mono_fast_ns() in kernel/time/timekeeping.c).
 */
static __always_inline __u64 fact_elapsed_ns(const struct rec_fact *fact, __u64 since_ns)
{
	return fact->header.time_ns > since_ns ? fact->header.time_ns - since_ns : 0;
}

/* The current process acted. Process context only. */
static __always_inline void fact_by_current(struct rec_fact *fact)
{
	task_fill_current(&fact->task);
	fact->header.flags |= REC_F_TASK | REC_F_TID;
}

/* The process that the note remembers acted. */
static __always_inline void fact_by_note(struct rec_fact *fact, const struct note *note)
{
	if (!note || !(note->flags & NOTE_TASK))
		return;
	fact->task = note->task;
	fact->header.flags |= REC_F_TASK | REC_F_TID;
}

static __always_inline void fact_socket_is(struct rec_fact *fact, __u64 cookie, const struct note *note)
{
	fact->socket.cookie = cookie;
	if (note) {
		fact->socket.creator_pid = note->creator_pid;
		fact->socket.creator_start_ns = note->creator_start_ns;
	}
	fact->header.flags |= REC_F_SOCKET;
}

static __always_inline void fact_on(struct rec_fact *fact, const struct sock *sk, __u64 cookie,
				    const struct note *note)
{
	socket_fill(&fact->socket, sk);
	fact_socket_is(fact, cookie, note);
}

/* For tp_btf programs, whose socket has a type. */
static __always_inline void fact_on_typed(struct rec_fact *fact, const struct sock *sk, __u64 cookie,
					  const struct note *note)
{
	socket_fill_typed(&fact->socket, sk);
	fact_socket_is(fact, cookie, note);
}

/* Remembers the current process as the one that acts on this socket. Process context only. */
static __always_inline void note_by_current(struct note *note)
{
	task_fill_current(&note->task);
	note->flags |= NOTE_TASK;
}

/* ... and that the connection is its own: connector or accepter. */
static __always_inline void note_owned_by_current(struct note *note)
{
	note_by_current(note);
	note->owner_pid = note->task.pid;
	note->owner_start_ns = note->task.start_ns;
	count_owner(note);
}

static __always_inline void claim_put_since(__u64 cookie, enum claim_kind kind, __u64 listener, __u64 time_ns)
{
	struct claim claim = {.time_ns = time_ns, .listener = listener, .kind = kind};

	if (bpf_map_update_elem(&claims, &cookie, &claim, BPF_NOEXIST) == -7 /* E2BIG: full */)
		count_map_full();
}

static __always_inline void claim_put(__u64 cookie, enum claim_kind kind, __u64 listener)
{
	claim_put_since(cookie, kind, listener, bpf_ktime_get_boot_ns());
}

/* True for exactly one caller: the one that may report the fact. */
static __always_inline bool claim_take(__u64 cookie, enum claim_kind kind, struct claim *ret_claim)
{
	struct claim *claim = bpf_map_lookup_elem(&claims, &cookie);

	if (!claim || claim->kind != kind)
		return false;
	*ret_claim = *claim;
	return bpf_map_delete_elem(&claims, &cookie) == 0;
}

/* Whether the state change has told that this connect failed. */
static __always_inline bool failed_take(__u64 cookie)
{
	return bpf_map_delete_elem(&failed_connects, &cookie) == 0;
}

/* A child that ended: whichever of the two stands, it is nobody's any more. */
static __always_inline void claim_drop_of_child(__u64 cookie)
{
	const struct claim *claim = bpf_map_lookup_elem(&claims, &cookie);

	if (claim && (claim->kind == CLAIM_ACCEPT || claim->kind == CLAIM_TAKEN))
		bpf_map_delete_elem(&claims, &cookie);
}

#endif
