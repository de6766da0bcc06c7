// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes: name, executable and arguments once per generation, at the first socket act, so that a process
 * of two milliseconds still has them; exec makes them due again; exit and (while a command is followed) fork.
 */
#include "emit.h"
#include "task.h"

#define PATH_STEPS    32  /* components and mounts on the way to the root */
#define COMPONENT_MAX 256 /* NAME_MAX and its NUL */

/* A walk from the executable to the root. */
struct path_walk {
	struct rec_process *rec;
	struct dentry *dentry;
	struct mount *mount;
	__u32 length;
	bool at_root;
};

/* One step: a component, or from the root of a mount to where it is mounted. Returns 1 when it is over. */
static long path_step(__u32 step, struct path_walk *walk)
{
	struct dentry *dentry = walk->dentry, *parent = BPF_CORE_READ(dentry, d_parent);
	struct mount *mount = walk->mount;
	struct rec_process *rec = walk->rec;
	__u32 length = walk->length;
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
	if (length > REC_PATH_MAX - COMPONENT_MAX)
		return 1;
	n = bpf_probe_read_kernel_str(rec->path + length, COMPONENT_MAX, BPF_CORE_READ(dentry, d_name.name));
	if (n <= 0)
		return 1;
	walk->length = length + n;
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
	rec->path_length = walk.length;
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

__noinline int process_announce(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	__u64 *known = bpf_map_lookup_elem(&processes, &pid);
	__u64 start_ns = task_current_start_ns();
	struct rec_process *rec;
	struct mm_struct *mm;

	if (known && *known == start_ns)
		return 0;
	rec = emit_begin(REC_PROCESS, sizeof(*rec), PROBE_TRACEPOINT);
	if (!rec)
		return -1; /* not put down as sent: the next act tries again */
	bpf_map_update_elem(&processes, &pid, &start_ns, BPF_ANY);
	task_fill_current(&rec->task);
	rec->header.flags |= REC_F_TASK;
	rec->parent_pid = BPF_CORE_READ(task, real_parent, tgid);
	rec->parent_start_ns = task_start_ns(BPF_CORE_READ(task, real_parent));
	mm = BPF_CORE_READ(task, mm);
	if (mm) {
		fill_path(rec, BPF_CORE_READ(mm, exe_file));
		fill_args(rec, mm);
	}
	emit_end(rec);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *task)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;

	bpf_map_delete_elem(&processes, &pid);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct rec_lifecycle *rec;

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

SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_fork, struct task_struct *parent, struct task_struct *child)
{
	struct rec_lifecycle *rec;

	if (!knob_follow || BPF_CORE_READ(child, pid) != BPF_CORE_READ(child, tgid))
		return 0;
	rec = emit_begin(REC_FORK, sizeof(*rec), PROBE_TRACEPOINT);
	if (!rec)
		return 0;
	task_fill_current(&rec->task);
	rec->header.flags |= REC_F_TASK;
	rec->child_pid = BPF_CORE_READ(child, tgid);
	rec->child_start_ns = BPF_CORE_READ(child, start_boottime);
	emit_end(rec);
	return 0;
}
