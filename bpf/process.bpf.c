// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes: name, executable and arguments once per generation, at the first socket act, so that a process
 * of two milliseconds still has them; and how the set of a socket's holders changes without an act on the
 * socket: fork gives a child all descriptors, exec closes some, exit the rest.
 */
#include "emit.h"
#include "socket.h"
#include "task.h"

#define PATH_STEPS    32  /* components and mounts on the way to the root */
#define COMPONENT_MAX 256 /* NAME_MAX and its NUL */

/*
 * A walk from the executable to the root. How far the path has come stands in the record, which the verifier
 * knows nothing of: here it would begin as a constant, which before 6.7 it takes for one in all rounds of a
 * bpf_loop(), so that nothing but luck with the compiler would keep the check of the length.
 */
struct path_walk {
	struct rec_process *rec;
	struct dentry *dentry;
	struct mount *mount;
	bool at_root;
};

/* One step: a component, or from the root of a mount to where it is mounted. Returns 1 when it is over. */
static long path_step(__u32 step, struct path_walk *walk)
{
	struct dentry *dentry = walk->dentry, *parent = BPF_CORE_READ(dentry, d_parent);
	struct mount *mount = walk->mount;
	struct rec_process *rec = walk->rec;
	const unsigned char *name;
	__u32 length;
	long n;

	if (dentry == parent || dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
		struct mount *above = BPF_CORE_READ(mount, mnt_parent);

		walk->at_root = above == mount;
		if (walk->at_root)
			return 1;
		walk->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		walk->mount = above;
		return 0;
	}
	name = BPF_CORE_READ(dentry, d_name.name);
	length = rec->path_length;
	asm volatile(""
		     : "+r"(length)); /* from here to its use no call, or 6.1 forgets what the check says */
	if (length > REC_PATH_MAX - COMPONENT_MAX)
		return 1;
	n = bpf_probe_read_kernel_str(rec->path + length, COMPONENT_MAX, name);
	if (n <= 0)
		return 1;
	rec->path_length = length + n;
	walk->dentry = parent;
	return 0;
}

/* Components from leaf to root, as the dentries lie; user space turns them round. */
static __always_inline void fill_path(struct rec_process *rec, struct file *exe)
{
	struct vfsmount *vfsmount = BPF_CORE_READ(exe, f_path.mnt);
	struct path_walk walk = {
		.rec = rec,
		.dentry = BPF_CORE_READ(exe, f_path.dentry),
		.mount = container_of(vfsmount, struct mount, mnt),
	};

	if (compat_has_loop()) {
		bpf_loop(PATH_STEPS, path_step, &walk, 0);
	} else {
		for (__u32 step = 0; step < PATH_STEPS; step++)
			if (path_step(step, &walk))
				break;
	}
	if (!walk.at_root)
		rec->header.flags |= PROCESS_F_PATH_CUT;
}

/* arg_start..arg_end and never beyond: the environment follows. */
static __always_inline void fill_args(struct rec_process *rec, struct mm_struct *mm)
{
	__u64 start = BPF_CORE_READ(mm, arg_start);
	__u64 length = BPF_CORE_READ(mm, arg_end) - start;

	if (length > REC_ARGS_MAX) {
		length = REC_ARGS_MAX;
		rec->header.flags |= PROCESS_F_ARGS_CUT;
	}
	if (bpf_probe_read_user(rec->args, length, (const void *)start))
		rec->header.flags |= PROCESS_F_NO_ARGS;
	else
		rec->args_length = length;
}

/* Its pid in the namespace that it lives in, the innermost of those that see it. */
static __always_inline void fill_pid_ns(struct rec_process *rec, const struct task_struct *task)
{
	const struct pid *pid = BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]);
	const struct upid *innermost = &pid->numbers[0];

	innermost = (const void *)((const char *)innermost + BPF_CORE_READ(pid, level) * sizeof(*innermost));
	rec->ns_pid = BPF_CORE_READ(innermost, nr);
	rec->pid_ns = BPF_CORE_READ(innermost, ns, ns.inum);
}

__noinline int process_announce(void)
{
	struct task_struct *task = compat_current_task();
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct known_process *known = bpf_map_lookup_elem(&processes, &pid);
	struct known_process described = {.start_ns = task_current_start_ns(), .flags = KNOWN_DESCRIBED};
	struct rec_process *rec;
	struct mm_struct *mm;

	if (known && known->start_ns == described.start_ns) {
		if (known->flags & KNOWN_DESCRIBED)
			return 0;
		described.flags |= known->flags & KNOWN_NAMED;
		described.name = known->name;
	}
	rec = emit_begin(REC_PROCESS, sizeof(*rec), PROBE_TRACEPOINT);
	if (!rec)
		return -1; /* not put down as sent: the next act tries again */
	bpf_map_update_elem(&processes, &pid, &described, BPF_ANY);
	task_fill_current(&rec->task);
	rec->header.flags |= REC_F_TASK;
	rec->parent_pid = BPF_CORE_READ(task, real_parent, tgid);
	rec->parent_start_ns = task_start_ns(BPF_CORE_READ(task, real_parent));
	fill_pid_ns(rec, task);
	mm = BPF_CORE_READ(task, mm);
	if (mm) {
		fill_path(rec, BPF_CORE_READ(mm, exe_file));
		fill_args(rec, mm);
	}
	emit_end(rec);
	return 0;
}

/* --- exec -------------------------------------------------------------------------------------------------
 */

#define EXEC_FDS_MAX 4096 /* more are not looked at, and REC_EXEC says so */

struct kept_walk {
	const unsigned long *open_fds; /* the table's bitmap of open descriptors */
	unsigned long word;
};

/* Says it, if this descriptor is a socket with a port. */
static __always_inline void say_kept(int fd)
{
	struct sock *sk = socket_of_fd(fd);
	struct rec_holder *rec;

	if (!sk || !socket_is_ours_sk(sk) || !BPF_CORE_READ(sk, __sk_common.skc_num))
		return;
	rec = emit_begin(REC_HOLDER, sizeof(*rec), PROBE_TRACEPOINT);
	if (!rec)
		return;
	task_fill_current(&rec->task);
	rec->header.flags |= REC_F_TASK | HOLDER_F_EXEC;
	rec->cookie = socket_cookie_of(sk);
	rec->protocol = socket_protocol(sk);
	rec->fd = fd;
	emit_end(rec);
}

static long kept_step(__u32 fd, struct kept_walk *walk)
{
	__u32 bit = fd % 64;

	if (bit == 0)
		bpf_probe_read_kernel(&walk->word, sizeof(walk->word), walk->open_fds + fd / 64);
	if (walk->word >> bit & 1)
		say_kept(fd);
	return 0;
}

/* Without bpf_loop(). What is said of one is a function on its own, or the verifier would look at it each
 * time. */
#ifdef OLD_KERNEL
#define EXEC_FDS_FEW 256

__noinline int say_kept_alone(int fd)
{
	say_kept(fd);
	return 0;
}

static __always_inline bool say_few_kept(struct kept_walk *walk, __u32 n)
{
	for (__u32 fd = 0; fd < EXEC_FDS_FEW; fd++) {
		if (fd >= n)
			break;
		if (fd % 64 == 0)
			bpf_probe_read_kernel(&walk->word, sizeof(walk->word), walk->open_fds + fd / 64);
		if (walk->word >> fd % 64 & 1)
			say_kept_alone(fd);
	}
	return n <= EXEC_FDS_FEW;
}
#else
#define say_few_kept(walk, n) false
#endif

/* Descriptors that are open after the exec closed those that were to be closed. False: not all were looked
 * at. */
static __always_inline bool say_all_kept(const struct task_struct *task)
{
	struct fdtable *table = TASK_READ(task, files, fdt);
	struct kept_walk walk = {.open_fds = TASK_READ(table, open_fds)};
	__u32 n = TASK_READ(table, max_fds);

	if (!compat_has_loop())
		return say_few_kept(&walk, n);
	bpf_loop(n < EXEC_FDS_MAX ? n : EXEC_FDS_MAX, kept_step, &walk, 0);
	return n <= EXEC_FDS_MAX;
}

static __always_inline int process_exec(void)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct known_process *known = bpf_map_lookup_elem(&processes, &pid);
	struct rec_lifecycle *rec;
	bool all;

	if (!known)
		return 0; /* never touched a socket */
	known->flags = 0;
	if (knob_silent)
		return 0;
	all = say_all_kept(compat_current_task());
	rec = emit_begin(REC_EXEC, sizeof(*rec), PROBE_TRACEPOINT);
	if (!rec)
		return 0;
	task_fill_current(&rec->task);
	rec->header.flags |= REC_F_TASK | (all ? 0 : EXEC_F_INCOMPLETE);
	emit_end(rec);
	return 0;
}

/* --- exit and fork ----------------------------------------------------------------------------------------
 */

static __always_inline int process_exit(const struct task_struct *task)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32, tid = bpf_get_current_pid_tgid();
	struct rec_lifecycle *rec;

	if (control.accept_exits)
		bpf_map_delete_elem(&accepts_inside, &tid);
	/* group_dead is an argument only since 6.16; the count is at zero at the same moment. */
	if (BPF_CORE_READ(task, signal, live.counter))
		return 0;
	if (bpf_map_delete_elem(&processes, &pid) && !knob_follow)
		return 0; /* never touched a socket */
	rec = emit_begin(REC_EXIT, sizeof(*rec), PROBE_TRACEPOINT);
	if (!rec)
		return 0;
	task_fill_current(&rec->task);
	rec->header.flags |= REC_F_TASK;
	emit_end(rec);
	return 0;
}

/* A child of one that may hold sockets holds the same. */
static __always_inline int process_fork(struct task_struct *child)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32, child_pid = child->tgid;
	struct known_process known = {.start_ns = child->start_boottime};
	struct rec_lifecycle *rec;

	if (child->pid != child->tgid)
		return 0; /* a thread */
	if (bpf_map_lookup_elem(&processes, &pid))
		bpf_map_update_elem(&processes, &child_pid, &known, BPF_ANY);
	else if (!knob_follow)
		return 0;
	rec = emit_begin(REC_FORK, sizeof(*rec), PROBE_TRACEPOINT);
	if (!rec)
		return 0;
	task_fill_current(&rec->task);
	rec->header.flags |= REC_F_TASK;
	rec->child_pid = child_pid;
	rec->child_start_ns = known.start_ns;
	emit_end(rec);
	return 0;
}

/* --- entries: in pairs, see emit.h ------------------------------------------------------------------------
 */

SEC("tp_btf/sched_process_exec")
int BPF_PROG(exec_first, struct task_struct *task)
{
	THREAD_PAIR_FIRST(PAIRED_EXEC, process_exec());
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(exec_second, struct task_struct *task)
{
	THREAD_PAIR_SECOND(PAIRED_EXEC, process_exec());
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(exit_first, struct task_struct *task)
{
	THREAD_PAIR_FIRST(PAIRED_EXIT, process_exit(task));
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(exit_second, struct task_struct *task)
{
	THREAD_PAIR_SECOND(PAIRED_EXIT, process_exit(task));
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(fork_first, struct task_struct *parent, struct task_struct *child)
{
	THREAD_PAIR_FIRST(PAIRED_FORK, process_fork(child));
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(fork_second, struct task_struct *parent, struct task_struct *child)
{
	THREAD_PAIR_SECOND(PAIRED_FORK, process_fork(child));
}
