/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sending a record: counted by kind before the reservation, dropped ones counted after it, so that per kind
 * emitted = delivered + dropped, exactly. Between reserve and submit stands nothing but filling.
 */
#ifndef PORTSNOOP_BPF_EMIT_H
#define PORTSNOOP_BPF_EMIT_H

#include "compat.h"
#include "maps.h"

static __always_inline struct cpu_counters *counters_here(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&cpus, &cpu);
}

static __always_inline void count_map_full(void)
{
	struct cpu_counters *counters = counters_here();

	if (counters)
		__sync_fetch_and_add(&counters->map_full, 1);
	control.lost = 1;
}

/* BPF has no memset to call, and clang unrolls at most 128 stores at once. `size` is a constant. */
static __always_inline void zero(void *to, __u64 size)
{
	__u64 first = size > 1024 ? 1024 : size;

	__builtin_memset(__builtin_assume_aligned(to, 8), 0, first);
	asm volatile("" ::: "memory"); /* or it makes one of the two again */
	if (size > first)
		__builtin_memset(__builtin_assume_aligned(to + first, 8), 0, size - first);
}

/* A zeroed record with its header filled; NULL when the ring is full, the end has come or nothing is to be
 * sent at all. `size` is a constant. */
static __always_inline void *emit_begin(enum rec_kind kind, __u64 size, enum rec_probe probe)
{
	struct cpu_counters *counters;
	struct rec_header *header;

	if (knob_silent)
		return NULL;
	counters = counters_here();
	if (!counters || control.stopped)
		return NULL;
	__sync_fetch_and_add(&counters->emitted[kind], 1);
	header = bpf_ringbuf_reserve(&ring, size, 0);
	if (!header) {
		__sync_fetch_and_add(&counters->dropped[kind], 1);
		control.lost = 1;
		return NULL;
	}
	zero(header, size);
	header->size = size;
	header->kind = kind;
	header->source = SOURCE_EVENT;
	header->probe = probe;
	header->cpu_low = bpf_get_smp_processor_id();
	header->time_ns = bpf_ktime_get_boot_ns();
	return header;
}

/*
 * Wakes the reader only if it sleeps: the exchange is a full barrier between the reservation and the look at
 * need_wakeup, as the reader's exchange is between need_wakeup and its look at the ring. A plain load or a
 * test before the exchange loses wake-ups.
 */
static __always_inline void emit_end(void *record)
{
	if (knob_wake_always || !compat_can_exchange()) {
		bpf_ringbuf_submit(record, 0);
		return;
	}
	if (__sync_lock_test_and_set(&control.need_wakeup, 0))
		bpf_ringbuf_submit(record, BPF_RB_FORCE_WAKEUP);
	else
		bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

/*
 * The kernel skips a tracing program that interrupts itself on a CPU: from softirq, or, where programs can be
 * preempted, for another thread that comes between. They can be on functions, and since 7.0 on tracepoints
 * (a46023d5616e "tracing: Guard __DECLARE_TRACE() use of __DO_TRACE_CALL() with SRCU-fast"). So a program
 * that carries records is attached twice, and the second copy acts in place of a first one that was skipped.
 * How it learns that depends on where the programs run.
 *
 * In softirq, too: the first copy sets a flag of the CPU while it is on the stack, and the second acts only
 * while that flag is set. The flag is cleared, never counted down. That is exact as long as nothing but
 * softirq comes between; where threads do, it is a hint: the flag can be another thread's, or not yet be set
 * by one that was preempted first. So what happens in threads, too, is judged by what was told (state.bpf.c).
 */
static __always_inline bool pair_enter_first(enum paired_program program)
{
	struct cpu_counters *counters = counters_here();

	if (!counters)
		return false;
	*(volatile __u8 *)&counters->on_stack[program] = 1;
	return true;
}

static __always_inline void pair_leave_first(enum paired_program program)
{
	struct cpu_counters *counters = counters_here();

	if (counters)
		*(volatile __u8 *)&counters->on_stack[program] = 0;
}

static __always_inline void count_rescued(enum paired_program program)
{
	struct cpu_counters *counters = counters_here();

	if (counters)
		__sync_fetch_and_add(&counters->rescued[program], 1);
}

static __always_inline bool pair_is_flagged(enum paired_program program)
{
	struct cpu_counters *counters = counters_here();

	return counters && *(volatile __u8 *)&counters->on_stack[program];
}

static __always_inline bool pair_enter_second(enum paired_program program)
{
	if (!pair_is_flagged(program))
		return false;
	count_rescued(program);
	return true;
}

/* The bodies of two copies that do nothing else. */
#define PAIR_FIRST(program, act)                                                                             \
	do {                                                                                                 \
		if (pair_enter_first(program)) {                                                             \
			act;                                                                                 \
			pair_leave_first(program);                                                           \
		}                                                                                            \
		return 0;                                                                                    \
	} while (0)
#define PAIR_SECOND(program, act)                                                                            \
	do {                                                                                                 \
		if (pair_enter_second(program))                                                              \
			act;                                                                                 \
		return 0;                                                                                    \
	} while (0)

/*
 * In the context of the process that acts: a thread is in one place at a time, so the first copy leaves a
 * mark with it, and the second acts when there is none. Two threads whose numbers share a slot: the mark that
 * stands is kept, and a second copy that finds another's leaves it at that. A run that was skipped just then
 * is counted as such.
 */
static __always_inline __u32 *thread_mark(enum paired_program program, __u32 *ret_mark)
{
	__u32 tid = bpf_get_current_pid_tgid(), slot = tid % FIRST_RAN_SLOTS;

	*ret_mark = (program + 1u) << MARK_TID_BITS | tid;
	return bpf_map_lookup_elem(&first_ran, &slot);
}

static __always_inline bool is_mark_of_other(__u32 found, __u32 mark)
{
	return found && (found ^ mark) & ((1u << MARK_TID_BITS) - 1);
}

static __always_inline bool thread_pair_enter_first(enum paired_program program)
{
	__u32 mark, *slot = thread_mark(program, &mark);

	if (!slot)
		return false;
	if (!is_mark_of_other(*(volatile __u32 *)slot, mark))
		*(volatile __u32 *)slot = mark;
	return true;
}

static __always_inline bool thread_pair_enter_second(enum paired_program program)
{
	__u32 mark, found, *slot = thread_mark(program, &mark);

	if (!slot)
		return false;
	found = *(volatile __u32 *)slot;
	if (is_mark_of_other(found, mark))
		return false;
	*(volatile __u32 *)slot = 0;
	if (found == mark)
		return false;
	count_rescued(program);
	return true;
}

#define THREAD_PAIR_FIRST(program, act)                                                                      \
	do {                                                                                                 \
		if (thread_pair_enter_first(program))                                                        \
			act;                                                                                 \
		return 0;                                                                                    \
	} while (0)
#define THREAD_PAIR_SECOND(program, act)                                                                     \
	do {                                                                                                 \
		if (thread_pair_enter_second(program))                                                       \
			act;                                                                                 \
		return 0;                                                                                    \
	} while (0)

#endif
