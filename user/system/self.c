/* SPDX-License-Identifier: GPL-2.0-only */
#include "system/self.h"

#include "system/proc.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Of /proc/PID/stat (proc(5)), behind the comm, which may hold anything. */
struct stat_fields {
	unsigned long user_ticks, system_ticks, virtual_bytes;
	unsigned long long start_ticks;
	long resident_pages;
};

static int read_stat(struct stat_fields *ret_fields)
{
	char stat[1024], *at;

	if (proc_read("/proc/self/stat", stat, sizeof(stat)) <= 0)
		return -EIO;
	at = strrchr(stat, ')');
	if (!at || sscanf(at + 1,
			  " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %llu "
			  "%lu %ld",
			  &ret_fields->user_ticks, &ret_fields->system_ticks, &ret_fields->start_ticks,
			  &ret_fields->virtual_bytes, &ret_fields->resident_pages) != 5)
		return -EIO;
	return 0;
}

/* As RssAnon of /proc/PID/status, for a third of the time. */
uint64_t self_anonymous_bytes(void)
{
	unsigned long long resident, shared;
	char statm[128];

	if (proc_read("/proc/self/statm", statm, sizeof(statm)) <= 0 ||
	    sscanf(statm, "%*u %llu %llu", &resident, &shared) != 2 || shared > resident)
		return 0;
	return (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t count_fds(void)
{
	DIR *directory = opendir("/proc/self/fd");
	const struct dirent *entry;
	uint64_t n = 0;

	if (!directory)
		return 0;
	while ((entry = readdir(directory)))
		n += entry->d_name[0] != '.';
	closedir(directory);
	return n - 1; /* the directory's own */
}

int self_cost_read(struct self_cost *ret_cost)
{
	double per_second = (double)sysconf(_SC_CLK_TCK);
	struct stat_fields fields = {0};
	struct rlimit limit = {0, 0};
	int error = read_stat(&fields);

	if (error)
		return error;
	getrlimit(RLIMIT_NOFILE, &limit);
	*ret_cost = (struct self_cost){
		.cpu_s = (double)(fields.user_ticks + fields.system_ticks) / per_second,
		.resident_bytes = (uint64_t)fields.resident_pages * (uint64_t)sysconf(_SC_PAGESIZE),
		.virtual_bytes = fields.virtual_bytes,
		.open_fds = count_fds(),
		.max_fds = limit.rlim_cur,
		.started_s = (double)fields.start_ticks / per_second + (double)proc_clock_offset_ns() / 1e9,
	};
	return 0;
}
