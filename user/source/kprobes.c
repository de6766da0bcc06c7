/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/kprobes.h"

#include "core/finding.h"
#include "source/firing.h"
#include "source/groups.h"
#include "system/machine.h"
#include "system/proc.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BEGIN "kprobe_begin"

struct probe {
	uint32_t function; /* enum probed_function, PROBED_* */
	uint32_t told;
	const char *name;
	const char *program; /* on its end; the one on accept is on its beginning */
};

#define ASKS (PROBED_OF_ANY | PROBED_ASKS)
#define SOCK PROBED_OF_SOCK

/* Without security modules, or programs of control groups, there are no functions that ask them. */
static const struct probe probes[] = {
	{PROBED_MAY_BIND | ASKS, TOLD_BIND_ERROR, "security_socket_bind", "kprobe_bind"},
	{PROBED_BIND4, TOLD_BIND_ERROR, "inet_bind", "kprobe_bind"},
	{PROBED_BIND6, TOLD_BIND_ERROR, "inet6_bind", "kprobe_bind"},
	{PROBED_MAY_LISTEN | ASKS, TOLD_LISTEN, "security_socket_listen", "kprobe_listen"},
	{PROBED_NO_LISTEN | PROBED_OF_ANY, TOLD_LISTEN, "sock_no_listen", "kprobe_listen"},
	{PROBED_LISTEN, TOLD_LISTEN, "inet_listen", "kprobe_listen"},
	{PROBED_MAY_CONNECT | ASKS, TOLD_CONNECT, "security_socket_connect", "kprobe_connect"},
	{PROBED_PRE_CONNECT4 | SOCK | PROBED_ASKS, TOLD_CONNECT, "tcp_v4_pre_connect", "kprobe_connect"},
	{PROBED_PRE_CONNECT6 | SOCK | PROBED_ASKS, TOLD_CONNECT, "tcp_v6_pre_connect", "kprobe_connect"},
	{PROBED_CONNECT_TCP4 | SOCK, TOLD_CONNECT, "tcp_v4_connect", "kprobe_connect"},
	{PROBED_CONNECT_TCP6 | SOCK, TOLD_CONNECT, "tcp_v6_connect", "kprobe_connect"},
	{PROBED_CONNECT_UDP, TOLD_CONNECT, "inet_dgram_connect", "kprobe_connect_udp"},
	{PROBED_AUTOBIND | SOCK, TOLD_AUTOBIND, "inet_autobind", "kprobe_autobind"},
	{PROBED_GRAFT | SOCK, TOLD_ACCEPT, "security_sock_graft", "kprobe_accept"},
};

#define N_PROBES (sizeof(probes) / sizeof(probes[0]))
_Static_assert(2 * N_PROBES <= GROUPS_LINKS_MAX, "not every function has room for its two links");

/* --- the trial --------------------------------------------------------------------------------------------
 */

static int try_event(const struct firing *firing, uint32_t type, bool at_end)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = type,
		.config = at_end, /* /sys/bus/event_source/devices/kprobe/format/retprobe */
		.config1 = (uintptr_t)FIRING_FUNCTION,
	};
	int event = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC), error = 0;

	if (event < 0)
		return -errno;
	if (ioctl(event, PERF_EVENT_IOC_SET_BPF, firing->program) || ioctl(event, PERF_EVENT_IOC_ENABLE, 0))
		error = -errno;
	else if (!firing_is_seen(firing))
		error = -FINDING_SILENT;
	close(event);
	return error;
}

static int try_end(uint32_t type)
{
	struct firing firing;
	int error = firing_open(&firing, BPF_PROG_TYPE_KPROBE, NULL);

	if (error)
		return error;
	error = try_event(&firing, type, true);
	firing_close(&firing);
	return error;
}

int kprobes_probe(void)
{
	char type[16];
	ssize_t length = proc_read("/sys/bus/event_source/devices/kprobe/type", type, sizeof(type));

	if (length <= 0)
		return length < 0 ? (int)length : -ENOENT;
	/* Most kernels make them with what this switches off. */
	return machine_ftrace_is_off() ? -FINDING_OFF : try_end((uint32_t)strtoul(type, NULL, 10));
}

/* --- the probes -------------------------------------------------------------------------------------------
 */

static void load(struct bpf_object *object, const char *program)
{
	bpf_program__set_autoload(bpf_object__find_program_by_name(object, program), true);
}

uint32_t kprobes_sure(const struct btf *kernel, uint32_t groups)
{
	for (size_t i = 0; i < N_PROBES; i++)
		if (probes[i].told & groups && !(probes[i].function & PROBED_ASKS) &&
		    btf__find_by_name_kind(kernel, probes[i].name, BTF_KIND_FUNC) < 0)
			groups &= ~probes[i].told;
	return groups;
}

void kprobes_choose(struct bpf_object *object, uint32_t groups)
{
	for (size_t i = 0; i < N_PROBES; i++)
		if (probes[i].told & groups)
			load(object, probes[i].program);
	load(object, BEGIN);
}

/* NULL with the reason in errno. */
static struct bpf_link *attach_one(const struct bpf_object *object, const struct probe *probe,
				   const char *name, bool at_end)
{
	LIBBPF_OPTS(bpf_kprobe_opts, options, .bpf_cookie = probe->function | probe->told << PROBED_TOLD,
		    .retprobe = at_end);
	const struct bpf_program *program = bpf_object__find_program_by_name(object, name);

	if (!program || bpf_program__fd(program) < 0) {
		errno = ENOENT;
		return NULL;
	}
	return bpf_program__attach_kprobe_opts(program, probe->name, &options);
}

static void attach_link(struct groups *groups, const struct bpf_object *object, const struct probe *probe,
			const char *name, bool at_end)
{
	struct bpf_link *link = attach_one(object, probe, name, at_end);

	if (link)
		groups_add(groups, probe->told, link);
	else if (!(probe->function & PROBED_ASKS && errno == ENOENT))
		groups_fail(groups, probe->told, errno);
}

struct functions_told kprobes_attach(const struct bpf_object *object, uint32_t groups,
				     struct bpf_link *links[], unsigned *n_links)
{
	struct groups attached = {0};

	for (size_t i = 0; i < N_PROBES; i++) {
		const struct probe *probe = &probes[i];
		bool at_end = (probe->function & PROBED_FUNCTION) != PROBED_GRAFT;

		if (!(probe->told & groups))
			continue;
		attach_link(&attached, object, probe, probe->program, at_end);
		if (at_end)
			attach_link(&attached, object, probe, BEGIN, false);
	}
	return groups_settle(&attached, groups, links, n_links);
}

/* --- calls whose end was not seen -------------------------------------------------------------------------
 */

/* These functions wait for nothing but the socket's lock, and not so that a signal could end that. */
#define SURELY_OVER_NS 5000000000
#define MAYBE_OVER_NS  1000000 /* if the thread sleeps so that a signal can wake it */

/* Whether a thread, named as the kernel does, is gone, or asleep and open to signals. */
static bool is_elsewhere(uint32_t tid)
{
	char path[64], text[512];
	const char *state;

	if (machine_namespace("pid") != MACHINE_INITIAL_PID_NS)
		return false;
	if (kill((pid_t)tid, 0) && errno == ESRCH)
		return true;
	snprintf(path, sizeof(path), "/proc/%u/stat", tid);
	if (proc_read(path, text, sizeof(text)) <= 0)
		return false;
	state = strrchr(text, ')');
	return state && (!strncmp(state, ") S", 3) || !strncmp(state, ") Z", 3));
}

static bool is_over(uint64_t key, const struct probed_call *call, uint64_t now_ns)
{
	uint64_t age_ns = now_ns > call->begun_ns ? now_ns - call->begun_ns : 0;

	return age_ns > SURELY_OVER_NS || (age_ns > MAYBE_OVER_NS && is_elsewhere((uint32_t)key));
}

static bool give_up(int map, uint64_t key, uint64_t now_ns)
{
	struct probed_call call;

	return bpf_map_lookup_elem(map, &key, &call) == 0 && is_over(key, &call, now_ns) &&
	       bpf_map_lookup_and_delete_elem(map, &key, &call) == 0;
}

/* A key that is gone when the next one is asked for begins the walk anew: it has a bound. */
uint64_t kprobes_give_up(const struct bpf_object *object)
{
	const struct bpf_map *map = bpf_object__find_map_by_name(object, "probed_calls");
	int fd = map ? bpf_map__fd(map) : -1;
	uint64_t key, next, given_up = 0, now_ns = proc_boottime_ns();
	uint32_t steps = map ? 2 * bpf_map__max_entries(map) : 0;
	bool more = fd >= 0 && bpf_map_get_next_key(fd, NULL, &next) == 0;

	for (; more && steps; steps--) {
		key = next;
		more = bpf_map_get_next_key(fd, &key, &next) == 0;
		given_up += give_up(fd, key, now_ns);
	}
	return given_up;
}
