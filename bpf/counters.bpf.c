// SPDX-License-Identifier: GPL-2.0-only
/*
 * The counters' tables. Each kind fills up to so many keys, so that one kind (refusals, which strangers
 * cause) does not take the room of the others; what is over that is counted by kind, under no labels.
 *
 * Functions on their own, which the verifier walks once a program and not at each of their callers. One that
 * is not wanted ends at its first line, as far as the verifier looks.
 */
#include "counters.h"
#include "emit.h"
#include "task.h"

static const __u64 bounds_of_connect[SPAN_BOUNDS] = SPAN_BOUNDS_CONNECT;
static const __u64 bounds_of_accept[SPAN_BOUNDS] = SPAN_BOUNDS_ACCEPT;
static const __u64 bounds_of_close[SPAN_BOUNDS] = SPAN_BOUNDS_CLOSE;

static const __u64 most_keys[COUNT_KIND_ROOM] = {
#define X(name, most) most,
	COUNT_KIND_LIST(X)
#undef X
};

/* The verifier forgets what it knew of a number that was kept on the stack; the compiler does not. */
static __always_inline __u32 place_of(__u32 kind)
{
	asm volatile("" : "+r"(kind));
	return kind & (COUNT_KIND_ROOM - 1);
}

/* Takes room for one more key of this kind. */
static __always_inline bool key_fits(__u32 kind)
{
	__u64 *keys = &counting.keys[place_of(kind)];

	if (*(volatile __u64 *)keys >= most_keys[place_of(kind)])
		return false;
	__sync_fetch_and_add(keys, 1);
	return true;
}

static __always_inline void key_given_back(__u32 kind)
{
	__sync_fetch_and_add(&counting.keys[place_of(kind)], -1);
}

static __always_inline void count_without_key(__u32 kind)
{
	__sync_fetch_and_add(&counting.other[place_of(kind)], 1);
}

static __always_inline struct count *count_make(const struct count_key *key, __u32 kind)
{
	struct count fresh = {}, *count = NULL;

	if (key_fits(kind)) {
		/* Where another CPU is first, its entry is there. */
		if (bpf_map_update_elem(&counts, key, &fresh, BPF_NOEXIST))
			key_given_back(kind);
		count = bpf_map_lookup_elem(&counts, key);
	}
	if (count)
		return count;
	count_without_key(kind);
	return bpf_map_lookup_elem(&counts_other, &kind);
}

static __always_inline struct count *count_of(const struct count_key *key)
{
	__u32 kind = key->kind;
	struct count *count;

	if (kind >= COUNT_FIRST_SPAN)
		return NULL;
	count = bpf_map_lookup_elem(&counts, key);
	if (!count)
		count = count_make(key, kind);
	if (count)
		__sync_fetch_and_add(&count->n, 1);
	return count;
}

/* Before 6.3 or so only the stack and maps may hold a key of a map: what a function is given is copied. */
compat_function int count_add(const struct count_key *given)
{
	struct count_key key;

	if (!knob_counters || !given)
		return 0;
	key = *given;
	count_of(&key);
	return 0;
}

compat_function int count_add_current(const struct count_key *given)
{
	struct count_key key;
	struct count *count;

	if (!knob_counters || !given)
		return 0;
	key = *given;
	count = count_of(&key);
	if (!count)
		return 0;
	count->last_pid = bpf_get_current_pid_tgid() >> 32;
	count->last_ns = bpf_ktime_get_boot_ns();
	return 0;
}

/* --- durations --------------------------------------------------------------------------------------------
 */

/* A fresh entry is too large for the stack: the last place of the table by kind stays zero for that. */
#define SPAN_ZERO (COUNT_KIND_COUNT - COUNT_FIRST_SPAN)

static __always_inline struct span *span_make(const struct count_key *key, __u32 kind)
{
	__u32 zero_index = SPAN_ZERO, index = kind - COUNT_FIRST_SPAN;
	struct span *fresh = bpf_map_lookup_elem(&spans_other, &zero_index), *span = NULL;

	if (fresh && key_fits(kind)) {
		if (bpf_map_update_elem(&spans, key, fresh, BPF_NOEXIST))
			key_given_back(kind);
		span = bpf_map_lookup_elem(&spans, key);
	}
	if (span)
		return span;
	count_without_key(kind);
	return bpf_map_lookup_elem(&spans_other, &index);
}

static __always_inline void span_measure(struct span *span, __u32 kind, __u64 duration_ns)
{
	__u32 bucket = kind == COUNT_CONNECT  ? span_bucket(bounds_of_connect, duration_ns)
		       : kind == COUNT_ACCEPT ? span_bucket(bounds_of_accept, duration_ns)
					      : span_bucket(bounds_of_close, duration_ns);

	__sync_fetch_and_add(&span->sum_ns, duration_ns);
	__sync_fetch_and_add(&span->buckets[bucket & SPAN_BOUNDS], 1);
}

compat_function int span_add(const struct count_key *given, __u64 duration_ns, __u64 sent, __u64 received,
			     __u64 retransmits)
{
	struct count_key key;
	struct span *span;
	__u32 kind;

	if (!knob_counters || !given)
		return 0;
	key = *given;
	kind = key.kind;
	if (kind < COUNT_FIRST_SPAN || kind >= COUNT_KIND_COUNT)
		return 0;
	span = bpf_map_lookup_elem(&spans, &key);
	if (!span)
		span = span_make(&key, kind);
	if (!span)
		return 0;
	__sync_fetch_and_add(&span->n, 1);
	if (duration_ns)
		span_measure(span, kind, duration_ns);
	if (sent)
		__sync_fetch_and_add(&span->sent, sent);
	if (received)
		__sync_fetch_and_add(&span->received, received);
	if (retransmits)
		__sync_fetch_and_add(&span->retransmits, retransmits);
	return 0;
}

/* --- who --------------------------------------------------------------------------------------------------
 */

#ifdef OLD_KERNEL
#define NUMBERS_TRIED 8 /* as many may be given at the same moment */

/* Those that are taken: additions have no result there. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, COUNT_NAMES_MAX + NUMBERS_TRIED);
	__type(key, __u32);
	__type(value, __u8);
} name_numbers SEC(".maps");

static __always_inline __u32 name_number(void)
{
	__u32 number = COUNT_NAME_FIRST + *(volatile __u32 *)&counting.names;
	__u8 yes = 1;

	for (int i = 0; i < NUMBERS_TRIED; i++, number++) {
		if (bpf_map_update_elem(&name_numbers, &number, &yes, BPF_NOEXIST))
			continue;
		__sync_fetch_and_add(&counting.names, 1);
		return number;
	}
	return COUNT_NAME_OTHER;
}
#else
static __always_inline __u32 name_number(void)
{
	return COUNT_NAME_FIRST + __sync_fetch_and_add(&counting.names, 1);
}
#endif

/* The number of a name, given to it now if it has none. */
static __always_inline __u32 name_intern(const struct count_name_text *name)
{
	__u32 *known = bpf_map_lookup_elem(&count_names, name), number;

	if (known)
		return *known;
	if (*(volatile __u32 *)&counting.names < COUNT_NAMES_MAX) {
		number = name_number();
		if (bpf_map_update_elem(&count_names, name, &number, BPF_NOEXIST) == 0)
			return number;
		known = bpf_map_lookup_elem(&count_names, name); /* another CPU was first */
		if (known)
			return *known;
	}
	__sync_fetch_and_add(&counting.names_other, 1);
	return COUNT_NAME_OTHER;
}

/* Kernel threads have no executable. */
static __always_inline __u32 name_read(const struct task_struct *task)
{
	struct count_name_text name = {};
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct file *exe = mm ? BPF_CORE_READ(mm, exe_file) : NULL;
	const unsigned char *from = exe ? BPF_CORE_READ(exe, f_path.dentry, d_name.name) : NULL;

	if (!from || bpf_probe_read_kernel_str(name.text, sizeof(name.text), from) <= 1)
		return COUNT_NAME_UNKNOWN;
	return name_intern(&name);
}

/* Kept with what else is known of the process, from its first act to its next exec. */
__noinline int count_name_current(void)
{
	struct known_process *known, named = {.flags = KNOWN_NAMED};
	__u32 pid;

	if (!knob_counters)
		return 0;
	pid = bpf_get_current_pid_tgid() >> 32;
	known = bpf_map_lookup_elem(&processes, &pid);
	named.start_ns = task_current_start_ns();
	if (known && known->start_ns == named.start_ns) {
		if (known->flags & KNOWN_NAMED)
			return known->name;
		named.flags |= known->flags;
	}
	named.name = name_read(compat_current_task());
	bpf_map_update_elem(&processes, &pid, &named, BPF_ANY);
	return named.name;
}
