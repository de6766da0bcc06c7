/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel differences, each with the change that made it. Nothing else in bpf/ looks at what a kernel has.
 */
#ifndef PORTSNOOP_BPF_COMPAT_H
#define PORTSNOOP_BPF_COMPAT_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/*
 * inet_sock's one-bit fields freebind and transparent became bits of inet_flags in 6.6
 * (c274af224269 "inet: introduce inet->inet_flags").
 */
struct inet_sock___bits {
	__u8 freebind : 1;
	__u8 transparent : 1;
} __attribute__((preserve_access_index));
struct inet_sock___flags {
	unsigned long inet_flags;
} __attribute__((preserve_access_index));
#define INET_FLAG_FREEBIND    11 /* an anonymous enum, out of CO-RE's reach; unchanged since 6.6 */
#define INET_FLAG_TRANSPARENT 15

static __always_inline bool compat_inet_freebind(const struct sock *sk)
{
	const struct inet_sock___flags *flags = (const void *)sk;
	const struct inet_sock___bits *bits = (const void *)sk;

	if (bpf_core_field_exists(flags->inet_flags))
		return BPF_CORE_READ(flags, inet_flags) >> INET_FLAG_FREEBIND & 1;
	return BPF_CORE_READ_BITFIELD_PROBED(bits, freebind);
}

static __always_inline bool compat_inet_transparent(const struct sock *sk)
{
	const struct inet_sock___flags *flags = (const void *)sk;
	const struct inet_sock___bits *bits = (const void *)sk;

	if (bpf_core_field_exists(flags->inet_flags))
		return BPF_CORE_READ(flags, inet_flags) >> INET_FLAG_TRANSPARENT & 1;
	return BPF_CORE_READ_BITFIELD_PROBED(bits, transparent);
}

/*
 * An io_uring completion without a request (multishot) carries its result as the third and fourth word up to
 * 6.15, and as a pointer to the entry since (072d37b53cc9 "io_uring: make io_alloc_ocqe() take a struct
 * io_cqe pointer" and its neighbours). User space counts the arguments in BTF and sets the knob.
 */
static __always_inline __s32 compat_uring_aux_result(unsigned long long *ctx, bool entry_pointer)
{
	const char *cqe = NULL;
	__u64 res = 0;

	if (entry_pointer) {
		bpf_probe_read_kernel(&cqe, sizeof(cqe), &ctx[2]);
		bpf_probe_read_kernel(&res, sizeof(__s32), cqe + sizeof(__u64)); /* behind user_data */
		return (__s32)res;
	}
	bpf_probe_read_kernel(&res, sizeof(res), &ctx[3]);
	return (__s32)res;
}

/* bpf_loop() came with 5.17 (e6f2dd0f8067); a loop that the verifier unrolls costs it 10 ms a program. */
static __always_inline bool compat_has_loop(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop);
}

/* The arguments of the system call that is about to return: bpf_task_pt_regs() exists since 5.15. */
static __always_inline struct pt_regs *compat_syscall_regs(void)
{
	return (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
}

/* Negative when the kernel was entered otherwise: by an interrupt. */
static __always_inline long compat_syscall_number(const struct pt_regs *regs)
{
#if defined(bpf_target_x86)
	return (int)BPF_CORE_READ(regs, orig_ax) & ~0x40000000; /* the bit of x32 */
#elif defined(bpf_target_arm64)
	return BPF_CORE_READ(regs, syscallno);
#endif
}

/* Whether the call came in with the numbers of the 32-bit architecture. */
static __always_inline bool compat_syscall_is_32bit(const struct task_struct *task)
{
#if defined(bpf_target_x86)
	return task->thread_info.status & 0x0002; /* TS_COMPAT */
#elif defined(bpf_target_arm64)
	return task->thread_info.flags >> 22 & 1; /* TIF_32BIT */
#endif
}

/* Whether a thread is in accept(2) or accept4(2), or was there last. */
static __always_inline bool compat_syscall_accepts(const struct task_struct *task, const struct pt_regs *regs)
{
	bool is_32bit = compat_syscall_is_32bit(task);
	long number = compat_syscall_number(regs);

#if defined(bpf_target_x86)
	if (is_32bit)
		return number == 364 || number == 102; /* accept4, socketcall of i386 */
	return number == 43 || number == 288;
#elif defined(bpf_target_arm64)
	if (is_32bit)
		return number == 285 || number == 366; /* of ARM */
	return number == 202 || number == 242;
#endif
}

/*
 * Since 7.0 or so an element of socket storage has a state, and is cut off from its socket while the iterator
 * over the map may stand on it: the kernel then follows a null pointer (seen on 7.2.13). Before, it never is.
 */
struct bpf_local_storage_elem___state {
	atomic_t state;
} __attribute__((preserve_access_index));

static __always_inline bool compat_storage_iterator_dies(void)
{
	return bpf_core_field_exists(((struct bpf_local_storage_elem___state *)0)->state);
}

#endif
