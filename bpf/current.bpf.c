// SPDX-License-Identifier: GPL-2.0-only
/* What hooks ask of the current process. */
#include "socket.h"
#include "task.h"

/* Identity and generation of the current process in one word: (pid, start, execs). */
static __always_inline __u64 task_generation(void)
{
	const struct task_struct *task = compat_current_task();

	return (task_current_start_ns() ^ (__u64)TASK_READ(task, tgid) << 40) +
	       TASK_READ(task, self_exec_id) * 0x9e3779b97f4a7c15ull;
}

__noinline int announce_current(void)
{
	struct cpu_counters *counters;
	__u64 generation;

	if (knob_silent)
		return 0;
	counters = counters_here();
	generation = task_generation();
	if (!counters || counters->announced == generation)
		return 0;
	if (process_announce() == 0)
		counters->announced = generation;
	return 0;
}

__noinline __u64 current_socket(int fd)
{
	struct fdtable *table = TASK_READ(compat_current_task(), files, fdt);
	struct file *file = NULL;

	if (fd < 0 || (__u32)fd >= TASK_READ(table, max_fds))
		return 0;
	bpf_probe_read_kernel(&file, sizeof(file), TASK_READ(table, fd) + fd);
	return (__u64)socket_of_file(file);
}

/*
 * With other threads a descriptor may have been closed and given anew between accept and our look; the claim
 * still proves that this process took the socket that we find there. With another process on the same table
 * (clone with CLONE_FILES) not even that.
 */
__noinline int current_files(void)
{
	struct task_struct *task = compat_current_task();
	int threads = TASK_READ(task, signal, nr_threads);

	return (TASK_READ(task, files, count.counter) > threads ? FILES_SHARED : 0) |
	       (threads == 1 ? FILES_OF_THREAD : 0);
}
