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
 * Kernels below 5.15 refuse a program for a helper or an instruction that they do not have, even where it
 * would not be reached, and have no trusted pointer to the current task (5.11, 3ca1032ab7ab). So all of this
 * is compiled twice, the second time with OLD_KERNEL, for kernels that lack one of: bpf_task_pt_regs()
 * (5.15), cookies of sockets (5.12, c5dbb89fc2ac) and socket storage (5.11, 8e4597c627fb) in tracing
 * programs, atomic operations with a result (5.12, 5ffa25502b5a). What differs is here and in notes.h.
 */
#ifdef OLD_KERNEL
#define compat_current_task() ((struct task_struct *)bpf_get_current_task())
#define TASK_READ(task, ...)  BPF_CORE_READ(task, __VA_ARGS__)
#else
#define compat_current_task() bpf_get_current_task_btf()
#define TASK_READ(task, ...)  ___arrow(task, __VA_ARGS__)
#endif

/* Looking at descriptors took a reference to their table until 5.11. */
static __always_inline bool compat_looks_share_files(void)
{
#ifdef OLD_KERNEL
	return true;
#else
	return false;
#endif
}

/*
 * Functions on their own that are given pointers: since 5.12 (e5069b9c23b3) the verifier takes them as they
 * are; before, it looks at those that are hidden from other programs once for each call.
 */
#ifdef OLD_KERNEL
#define compat_function __hidden __noinline
#else
#define compat_function __noinline
#endif

/* Without an atomic exchange, every record wakes a reader that has read all before it. */
static __always_inline bool compat_can_exchange(void)
{
#ifdef OLD_KERNEL
	return false;
#else
	return true;
#endif
}

/*
 * The cookie of a typed socket, whose sock_common skc is, made if it is not there; on old kernels 0 then:
 * there cgroup programs have made it (old_sockets.bpf.c), or of sockets from before user space has
 * (source/cookies.h).
 */
#ifdef OLD_KERNEL
#define compat_cookie_typed(typed, skc) ((void)(typed), (skc)->skc_cookie.counter)
#else
#define compat_cookie_typed(typed, skc) bpf_get_socket_cookie(typed)
#endif

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
#ifdef OLD_KERNEL
	return false;
#else
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop);
#endif
}

/*
 * What a task brought along into the kernel: bpf_task_pt_regs() exists since 5.15. Before, this is where the
 * kernel puts it (task_pt_regs()): at the end of the stack, whose size no type tells. It is larger with
 * KASAN, and on arm64 with pages of 64K; then there is something else, which compat_regs_are_of_user() tells.
 */
#define STACK_BYTES 16384

static __always_inline struct pt_regs *compat_task_regs(struct task_struct *task)
{
#ifdef OLD_KERNEL
	const char *stack = BPF_CORE_READ(task, stack);

	return (struct pt_regs *)(stack + STACK_BYTES - bpf_core_type_size(struct pt_regs));
#else
	return (struct pt_regs *)bpf_task_pt_regs(task);
#endif
}

static __always_inline bool compat_regs_are_of_user(const struct pt_regs *regs)
{
#ifndef OLD_KERNEL
	return true;
#elif defined(bpf_target_x86)
	unsigned long cs = BPF_CORE_READ(regs, cs);

	return cs == 0x33 || cs == 0x23; /* __USER_CS, __USER32_CS */
#elif defined(bpf_target_arm64)
	return BPF_CORE_READ(regs, sp) && !(BPF_CORE_READ(regs, pstate) & 0xf); /* EL0t */
#endif
}

/* The arguments of the system call that is about to return. */
static __always_inline struct pt_regs *compat_syscall_regs(void)
{
	return compat_task_regs(compat_current_task());
}

/* Negative when the kernel was entered otherwise: by an interrupt. */
static __always_inline long compat_syscall_number(const struct pt_regs *regs)
{
	if (!compat_regs_are_of_user(regs))
		return -1;
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
	return TASK_READ(task, thread_info.status) & 0x0002; /* TS_COMPAT */
#elif defined(bpf_target_arm64)
	return TASK_READ(task, thread_info.flags) >> 22 & 1; /* TIF_32BIT */
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

/* The first subflow of an MPTCP socket; NULL when there is none. MPTCP can be left out of a kernel. */
static __always_inline struct sock *compat_mptcp_first(const struct sock *sk)
{
	const struct mptcp_sock *mptcp = (const void *)sk;

	return bpf_core_field_exists(mptcp->first) ? BPF_CORE_READ(mptcp, first) : NULL;
}

/* Whether a TCP socket is a subflow of an MPTCP socket. */
static __always_inline bool compat_is_subflow(const struct sock *sk)
{
	const struct tcp_sock *tcp = (const void *)sk;

	return bpf_core_field_exists(tcp->is_mptcp) && BPF_CORE_READ_BITFIELD_PROBED(tcp, is_mptcp);
}

/* Where the list of an MPTCP socket's subflows begins and ends. NULL: no MPTCP. */
static __always_inline const void *compat_mptcp_list(const struct sock *sk)
{
	const struct mptcp_sock *mptcp = (const void *)sk;

	if (!bpf_core_field_exists(mptcp->conn_list))
		return NULL;
	return (const char *)mptcp + bpf_core_field_offset(mptcp->conn_list);
}

/*
 * The subflow behind a place in the list; NULL at its end. They begin with their links, and a list_head with
 * the one to the next. Each type that is looked up by its name costs a one-shot command start-up: these two
 * need not be.
 */
static __always_inline const struct mptcp_subflow_context *compat_mptcp_next(const void *list, const void *at)
{
	const void *next = NULL;

	bpf_probe_read_kernel(&next, sizeof(next), at);
	return next == list ? NULL : next;
}

/* Its socket. The memory of one that has ended may be another's already: not if it is no subflow. */
static __always_inline const struct sock *compat_mptcp_subflow(const struct mptcp_subflow_context *context)
{
	const struct sock *sk;

	if (!bpf_core_field_exists(context->tcp_sock))
		return NULL;
	sk = BPF_CORE_READ(context, tcp_sock);
	return sk && compat_is_subflow(sk) ? sk : NULL;
}

/*
 * Whether a program on a tracepoint can be preempted: since 7.0 (a46023d5616e "tracing: Guard
 * __DECLARE_TRACE() use of __DO_TRACE_CALL() with SRCU-fast"). No type or function shows it.
 */
extern int LINUX_KERNEL_VERSION __kconfig;

static __always_inline bool compat_tracepoints_preempt(void)
{
	return LINUX_KERNEL_VERSION >= 7 << 16;
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

/*
 * Buckets by address and port came with 6.1 (28044fc1d495). They have an address, and a family since 6.3 and
 * its stable kin (5456262d2baa); since 6.8 all addresses in the IPv6 form (06a8c04f8994), with their type
 * (5a22bba13d01), and IPv4-mapped ones are looked for there too (5e07e672412b).
 */
struct inet_bind2_bucket___type {
	unsigned short addr_type;
} __attribute__((preserve_access_index));
struct inet_bind2_bucket___family {
	unsigned short family;
} __attribute__((preserve_access_index));

static __always_inline bool compat_has_bind2(void)
{
	return bpf_core_type_exists(struct inet_bind2_bucket);
}

static __always_inline bool compat_has_mapped_bind2(void)
{
	return bpf_core_field_exists(((struct inet_bind2_bucket___type *)0)->addr_type);
}

/* A bucket may be of the other family than its socket: both forms of an IPv4 address share one. */
static __always_inline bool compat_bind2_is_v4(const struct inet_bind2_bucket *tb2, __u16 socket_family)
{
	const struct inet_bind2_bucket___family *typed = (const void *)tb2;

	if (compat_has_mapped_bind2())
		return false;
	if (bpf_core_field_exists(typed->family))
		socket_family = BPF_CORE_READ(typed, family);
	return socket_family == 2; /* AF_INET */
}

/* Owners hung on the bucket of the port itself until 6.8 (8191792c18c5), then on its bind2 buckets. */
struct inet_bind_bucket___owners {
	struct hlist_head owners;
} __attribute__((preserve_access_index));

static __always_inline bool compat_has_bucket_owners(void)
{
	return bpf_core_field_exists(((struct inet_bind_bucket___owners *)0)->owners);
}

static __always_inline const struct hlist_node *compat_bucket_owners(const struct inet_bind_bucket *tb)
{
	return BPF_CORE_READ((const struct inet_bind_bucket___owners *)tb, owners.first);
}

/* A namespace may have a table of its own since 6.2 (9804985bf27f), which is asked for when the protocol has
 * none.
 */
struct proto___udp {
	union {
		struct udp_table *udp_table;
	} h;
} __attribute__((preserve_access_index));
struct netns_ipv4___udp {
	struct udp_table *udp_table;
} __attribute__((preserve_access_index));
struct net___udp {
	struct netns_ipv4___udp ipv4;
} __attribute__((preserve_access_index));

static __always_inline const struct udp_table *compat_udp_table(const struct sock *sk, const struct net *net)
{
	const struct proto___udp *prot = (const void *)BPF_CORE_READ(sk, __sk_common.skc_prot);
	const struct net___udp *own = (const void *)net;
	const struct udp_table *table = NULL;

	if (bpf_core_field_exists(prot->h.udp_table))
		table = BPF_CORE_READ(prot, h.udp_table);
	if (!table && bpf_core_field_exists(own->ipv4.udp_table))
		table = BPF_CORE_READ(own, ipv4.udp_table);
	return table;
}

/* Slots by address grew in 6.13 (dab78a1745ab). */
struct udp_hslot_main___size {
	struct udp_hslot hslot;
} __attribute__((preserve_access_index));

static __always_inline __u32 compat_udp_address_slot_size(void)
{
	if (bpf_core_type_exists(struct udp_hslot_main___size))
		return bpf_core_type_size(struct udp_hslot_main___size);
	return bpf_core_type_size(struct udp_hslot);
}

#endif
