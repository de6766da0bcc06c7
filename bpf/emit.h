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

/* A zeroed record with its header filled; NULL when the ring is full or the end has come. `size` is a
 * constant. */
static __always_inline void *emit_begin(enum rec_kind kind, __u64 size, enum rec_probe probe)
{
	struct cpu_counters *counters = counters_here();
	struct rec_header *header;

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
	if (knob_wake_always) {
		bpf_ringbuf_submit(record, 0);
		return;
	}
	if (__sync_lock_test_and_set(&control.need_wakeup, 0))
		bpf_ringbuf_submit(record, BPF_RB_FORCE_WAKEUP);
	else
		bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

/*
 * The kernel skips a tracing program that interrupts itself on a CPU: from softirq, or on a preemptible
 * kernel from another task that came between. So a program that carries records is attached twice: the first
 * copy sets a flag while it is on the stack, the second acts only while that flag is set, in place of the run
 * that was skipped. The flag is cleared, never counted down. That holds where nobody else comes between the
 * two, as in tracepoints; calls_fexit has its own way.
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

static __always_inline bool pair_enter_second(enum paired_program program)
{
	struct cpu_counters *counters = counters_here();

	if (!counters || !*(volatile __u8 *)&counters->on_stack[program])
		return false;
	__sync_fetch_and_add(&counters->rescued, 1);
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

#endif
