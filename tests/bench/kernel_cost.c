/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel counts of each program of a running portsnoop, per round of load; beside them state_empty,
 * an empty program on the hook of the state changes, which shows what the kernel's own clock costs.
 * Statistics are on only while this program runs (BPF_ENABLE_STATS; the sysctl is not touched).
 *
 * usage: kernel_cost PID LIVE_OBJECT ROUNDS CONNECTIONS PROCESSES
 *
 * A line a round: {"load":"connections"|"processes","count":…,"programs":{NAME:[run_time_ns,run_cnt],…}}.
 * `processes`: each of COUNT new processes executes a program that makes one connection.
 */
#include "connect_loop.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <stdbool.h>
#include <sys/wait.h>

#define PROGRAMS_MAX 64

struct program {
	int fd;
	char name[BPF_OBJ_NAME_LEN];
	uint64_t run_time_ns, run_cnt;
};

struct programs {
	struct program program[PROGRAMS_MAX];
	unsigned n;
};

/* --- finding them -----------------------------------------------------------------------------------------
 */

/* Descriptors of programs, and of links to them, say which program it is. */
static unsigned program_id(const char *directory, const char *fd)
{
	static const char key[] = "prog_id:";
	char path[320], line[128];
	unsigned id = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, fd);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, sizeof(key) - 1))
			id = (unsigned)strtoul(line + sizeof(key) - 1, NULL, 10);
	if (file)
		fclose(file);
	return id;
}

static struct bpf_prog_info info_of(int fd)
{
	struct bpf_prog_info info = {};
	uint32_t length = sizeof(info);

	must(bpf_obj_get_info_by_fd(fd, &info, &length), "program info");
	return info;
}

static bool is_there(const struct programs *programs, uint32_t id)
{
	for (unsigned i = 0; i < programs->n; i++)
		if (info_of(programs->program[i].fd).id == id)
			return true;
	return false;
}

static void programs_add(struct programs *programs, int fd)
{
	struct bpf_prog_info info = info_of(fd);
	struct program *program = &programs->program[programs->n];

	if (is_there(programs, info.id) || programs->n == PROGRAMS_MAX) {
		close(fd);
		return;
	}
	program->fd = fd;
	snprintf(program->name, sizeof(program->name), "%s", info.name);
	programs->n++;
}

static void programs_find(struct programs *programs, const char *pid)
{
	char directory[64];
	struct dirent *entry;
	DIR *fds;

	snprintf(directory, sizeof(directory), "/proc/%s/fdinfo", pid);
	fds = opendir(directory);
	if (!fds)
		die("%s: %s", directory, strerror(errno));
	while ((entry = readdir(fds))) {
		unsigned id = entry->d_name[0] == '.' ? 0 : program_id(directory, entry->d_name);
		int fd = id ? bpf_prog_get_fd_by_id(id) : -1;

		if (fd >= 0)
			programs_add(programs, fd);
	}
	closedir(fds);
	if (!programs->n)
		die("process %s has no BPF programs", pid);
}

/* Loads nothing of the object but the one program, attaches it, and keeps it until this process ends. */
static void attach_empty(struct programs *programs, const char *path)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *program, *empty = NULL;
	struct bpf_map *map;

	if (!object)
		die("%s: %s", path, strerror(errno));
	bpf_object__for_each_program(program, object)
	{
		bool wanted = !strcmp(bpf_program__name(program), "state_empty");

		bpf_program__set_autoload(program, wanted);
		if (wanted)
			empty = program;
	}
	bpf_object__for_each_map(map, object)
	{
		/* Globals are bound to each program of the object. */
		if (!bpf_map__is_internal(map))
			bpf_map__set_autocreate(map, false);
	}
	if (!empty || bpf_object__load(object) || !bpf_program__attach(empty))
		die("state_empty of %s: %s", path, strerror(errno));
	programs_add(programs, bpf_program__fd(empty));
}

/* --- measuring --------------------------------------------------------------------------------------------
 */

static void programs_read(struct programs *programs)
{
	for (unsigned i = 0; i < programs->n; i++) {
		struct bpf_prog_info info = info_of(programs->program[i].fd);

		programs->program[i].run_time_ns = info.run_time_ns;
		programs->program[i].run_cnt = info.run_cnt;
	}
}

static void print_since(const struct programs *before, const char *load, unsigned count)
{
	struct programs now = *before;
	const char *comma = "";

	programs_read(&now);
	printf("{\"load\":\"%s\",\"count\":%u,\"programs\":{", load, count);
	for (unsigned i = 0; i < now.n; i++) {
		const struct program *old = &before->program[i], *new = &now.program[i];

		if (new->run_cnt == old->run_cnt)
			continue;
		printf("%s\"%s\":[%llu,%llu]", comma, new->name,
		       (unsigned long long)(new->run_time_ns - old->run_time_ns),
		       (unsigned long long)(new->run_cnt - old->run_cnt));
		comma = ",";
	}
	printf("}}\n");
	fflush(stdout);
}

/* What a new process does: argv[2] is the listener that it inherits. */
static int once(const char *listener)
{
	loop_run((int)strtol(listener, NULL, 10), 1);
	return 0;
}

static void processes_run(int listener, unsigned count)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", must(dup(listener), "dup"));
	for (unsigned i = 0; i < count; i++) {
		pid_t child = must(fork(), "fork");

		if (!child) {
			execl("/proc/self/exe", "kernel_cost", "once", number, (char *)NULL);
			_exit(127);
		}
		waitpid(child, NULL, 0);
	}
	close((int)strtol(number, NULL, 10));
}

int main(int argc, char **argv)
{
	struct programs programs = {.n = 0};
	unsigned rounds, connections, processes;
	int listener;

	if (argc == 3 && !strcmp(argv[1], "once"))
		return once(argv[2]);
	if (argc != 6)
		die("usage: kernel_cost PID LIVE_OBJECT ROUNDS CONNECTIONS PROCESSES");
	rounds = count_of(argv[3]);
	connections = count_of(argv[4]);
	processes = count_of(argv[5]);
	programs_find(&programs, argv[1]);
	attach_empty(&programs, argv[2]);
	must(bpf_enable_stats(BPF_STATS_RUN_TIME), "BPF_ENABLE_STATS");
	private_network();
	listener = loop_listen();
	loop_run(listener, 200);
	for (unsigned i = 0; i < rounds; i++) {
		programs_read(&programs);
		loop_run(listener, connections);
		print_since(&programs, "connections", connections);
		programs_read(&programs);
		processes_run(listener, processes);
		print_since(&programs, "processes", processes);
	}
	return 0;
}
