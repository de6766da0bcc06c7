/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/attach.h"

#include "source/functions.h"
#include "system/mounts.h"
#include "system/proc.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A program and the facts that need it. A fact is available when all of its programs are attached. */
struct part {
	const char *program;
	enum rec_probe probe;
	uint32_t facts;
	uint32_t unless; /* TOLD_*: not needed where functions tell all of these */
};

#define F(name) (1u << FACT_##name)

/* In the order of attaching: the first of a pair before the second. Functions come before all of them. */
static const struct part parts[] = {
	{"exec_first", PROBE_TRACEPOINT, F(PROCESS)},
	{"exec_second", PROBE_TRACEPOINT, F(PROCESS)},
	{"exit_first", PROBE_TRACEPOINT, F(PROCESS)},
	{"exit_second", PROBE_TRACEPOINT, F(PROCESS)},
	{"fork_first", PROBE_TRACEPOINT, F(PROCESS)},
	{"fork_second", PROBE_TRACEPOINT, F(PROCESS)},
	{"owner_created", PROBE_CGROUP, F(RELEASE)},
	{"owner_released", PROBE_CGROUP, F(RELEASE)},
	{"state_first", PROBE_TRACEPOINT, F(CONNECT) | F(CLOSE)},
	{"state_second", PROBE_TRACEPOINT, F(CONNECT) | F(CLOSE)},
	{"refuse_first", PROBE_TRACEPOINT, F(REFUSE)},
	{"refuse_second", PROBE_TRACEPOINT, F(REFUSE)},
	{"cgroup_bind4", PROBE_CGROUP, F(BIND), TOLD_BIND},
	{"cgroup_bind6", PROBE_CGROUP, F(BIND), TOLD_BIND},
	{"cgroup_post_bind4", PROBE_CGROUP, F(BIND), TOLD_BIND},
	{"cgroup_post_bind6", PROBE_CGROUP, F(BIND), TOLD_BIND},
	{"cgroup_connect4", PROBE_CGROUP, F(AUTOBIND)},
	{"cgroup_connect6", PROBE_CGROUP, F(AUTOBIND)},
	{"cgroup_sendmsg4", PROBE_CGROUP, F(AUTOBIND), TOLD_AUTOBIND},
	{"cgroup_sendmsg6", PROBE_CGROUP, F(AUTOBIND), TOLD_AUTOBIND},
	{"cgroup_getpeername4", PROBE_CGROUP, F(ACCEPT), TOLD_ACCEPT},
	{"cgroup_getpeername6", PROBE_CGROUP, F(ACCEPT), TOLD_ACCEPT},
	{"syscall_bind", PROBE_TRACEPOINT, F(BIND_ERROR), TOLD_BIND},
	{"syscall_listen", PROBE_TRACEPOINT, F(LISTEN), TOLD_LISTEN},
	{"syscall_connect", PROBE_TRACEPOINT, F(CONNECT), TOLD_CONNECT},
	{"syscall_accept3", PROBE_TRACEPOINT, F(ACCEPT), TOLD_ACCEPT},
	{"syscall_accept4", PROBE_TRACEPOINT, F(ACCEPT), TOLD_ACCEPT},
	{"uring_first", PROBE_TRACEPOINT, F(IO_URING), TOLD_CALLS},
	{"uring_second", PROBE_TRACEPOINT, F(IO_URING), TOLD_CALLS},
};

#define N_PARTS (sizeof(parts) / sizeof(parts[0]))

static const char *section_of(const struct bpf_program *program, const char *prefix)
{
	const char *section = bpf_program__section_name(program);

	return strncmp(section, prefix, strlen(prefix)) ? NULL : section + strlen(prefix);
}

void attach_be_quiet(void)
{
	libbpf_set_print(NULL);
}

int attach_tracepoint_arity(const struct btf *kernel, const char *tracepoint)
{
	const struct btf_type *type;
	char name[128];
	int id;

	/* typedef -> pointer -> prototype, whose first parameter is the tracepoint's own data. */
	snprintf(name, sizeof(name), "btf_trace_%s", tracepoint);
	id = btf__find_by_name_kind(kernel, name, BTF_KIND_TYPEDEF);
	type = id < 0 ? NULL : btf__type_by_id(kernel, btf__type_by_id(kernel, (uint32_t)id)->type);
	type = type ? btf__type_by_id(kernel, type->type) : NULL;
	return type ? btf_vlen(type) - 1 : -1;
}

/* Whether a tracepoint gives what its program reads. Arguments are counted in BTF, never by version. */
static bool is_usable(const char *tracepoint, int arity)
{
	/* (ctx, user_data, res, cflags) before the request came with 5.18. */
	if (!strcmp(tracepoint, "io_uring_complete"))
		return arity >= 0 && arity != 4;
	/* Without the reason, which came together with it, a reset without a socket is not traced. */
	if (!strcmp(tracepoint, "tcp_send_reset"))
		return arity >= 3;
	return arity >= 0;
}

static bool is_udp_send(const char *program)
{
	return !strcmp(program, "cgroup_sendmsg4") || !strcmp(program, "cgroup_sendmsg6");
}

void attach_choose(struct bpf_object *object, const struct btf *kernel, bool no_udp_send)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		const char *tracepoint = section_of(program, "tp_btf/");

		if (no_udp_send && is_udp_send(bpf_program__name(program)))
			bpf_program__set_autoload(program, false);
		if (tracepoint && bpf_program__autoload(program) &&
		    !is_usable(tracepoint, attach_tracepoint_arity(kernel, tracepoint)))
			bpf_program__set_autoload(program, false);
	}
}

/* libbpf looks only where tracefs is usually mounted; the event's number is all that is needed from it. */
static struct bpf_link *attach_syscall(const struct bpf_program *program, const char *event, int tracefs_fd)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr)};
	char path[128], id[32];
	struct bpf_link *link;
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "events/%s/id", event);
	length = proc_read_at(tracefs_fd, path, id, sizeof(id));
	if (length <= 0) {
		errno = length < 0 ? (int)-length : ENOENT;
		return NULL;
	}
	attr.config = strtoull(id, NULL, 10);
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return NULL;
	link = bpf_program__attach_perf_event(program, fd);
	if (!link)
		close(fd);
	return link;
}

static struct bpf_link *attach_one(const struct bpf_program *program, int cgroup2_fd, int tracefs_fd)
{
	const char *event = section_of(program, "tracepoint/");

	if (bpf_program__fd(program) < 0) {
		errno = ENOTSUP;
		return NULL;
	}
	if (section_of(program, "cgroup/")) {
		if (cgroup2_fd >= 0)
			return bpf_program__attach_cgroup(program, cgroup2_fd);
		errno = -cgroup2_fd;
		return NULL;
	}
	if (!event)
		return bpf_program__attach(program);
	if (tracefs_fd >= 0)
		return attach_syscall(program, event, tracefs_fd);
	errno = -tracefs_fd;
	return NULL;
}

static void note_missing(struct attachment *attachment, const char *what, int error)
{
	size_t length = strlen(attachment->missing);

	snprintf(attachment->missing + length, sizeof(attachment->missing) - length, "%s%s (%s)",
		 length ? ", " : "", what, strerror(error));
}

/* A whole file system that is missing is said once, not for each program that would have needed it. */
static bool is_explained(const struct attachment *attachment, const struct bpf_program *program)
{
	return program && ((attachment->cgroup_error && section_of(program, "cgroup/")) ||
			   (attachment->tracefs_error && section_of(program, "tracepoint/")));
}

static void note_mounts(struct attachment *attachment)
{
	if (attachment->cgroup_error)
		note_missing(attachment, "cgroup v2 is neither mounted nor mountable here",
			     attachment->cgroup_error);
	if (attachment->tracefs_error &&
	    ((attachment->told & TOLD_CALLS) != TOLD_CALLS || attachment->accepts_inside))
		note_missing(attachment, "tracefs is neither mounted nor mountable here",
			     attachment->tracefs_error);
}

/* By functions, whatever else would have to be hooked for it. */
static bool is_told(const struct attachment *attachment, const struct part *part)
{
	return part->unless && (attachment->told & part->unless) == part->unless;
}

/* Returns the facts that are not available without it: none when it is attached. */
static uint32_t attach_part(struct attachment *attachment, const struct bpf_object *object,
			    const struct part *part, int cgroup2_fd, int tracefs_fd)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, part->program);
	struct bpf_link *link = program ? attach_one(program, cgroup2_fd, tracefs_fd) : NULL;
	int error = errno;

	if (link && is_told(attachment, part)) {
		attachment->accept_links[attachment->n_accept_links++] = link;
		return 0;
	}
	if (link) {
		attachment->links[attachment->n_links++] = link;
		return 0;
	}
	if (!is_explained(attachment, program))
		note_missing(attachment, part->program, error);
	return is_told(attachment, part) ? 0 : part->facts;
}

/*
 * Where functions tell accepts, the system call is traced only for threads that were inside already: few
 * machines have any.
 */
static bool is_needed(const struct attachment *attachment, const struct part *part)
{
	return !is_told(attachment, part) || (part->unless == TOLD_ACCEPT && attachment->accepts_inside);
}

/* A fact is what all of its attached programs say; one that is missing makes it unavailable. */
static void settle_facts(struct attachment *attachment, uint32_t broken)
{
	for (size_t i = 0; i < N_PARTS; i++)
		for (unsigned fact = 0; fact < FACT_COUNT; fact++)
			if (parts[i].facts >> fact & 1)
				attachment->probes[fact] = broken >> fact & 1		    ? PROBE_NONE
							   : is_told(attachment, &parts[i]) ? PROBE_FENTRY
											    : parts[i].probe;
	/* Between listeners' queues and the poll stands no hook: iterators and counters. */
	attachment->probes[FACT_OVERFLOW] = PROBE_ITERATOR;
}

/* The returns of accept(2) begin to be told twice; the kernel side sorts that out from now on. */
static void attach_functions(struct attachment *attachment, const struct bpf_object *object,
			     struct control *control)
{
	attachment->told = functions_attach(object, attachment->links, &attachment->n_links);
	if (!(attachment->told & TOLD_ACCEPT))
		return;
	__atomic_store_n(&control->accept_exits, 1, __ATOMIC_SEQ_CST);
	attachment->accepts_inside = functions_accepts_inside(object);
	if (!attachment->accepts_inside)
		__atomic_store_n(&control->accept_exits, 0, __ATOMIC_SEQ_CST);
}

int attach_all(struct attachment *attachment, struct bpf_object *object, struct control *control,
	       int cgroup2_fd, bool no_udp_send)
{
	int tracefs_fd = mounts_open_tracefs();
	uint32_t broken = 0;

	attachment->control = control;
	attachment->cgroup_error = cgroup2_fd < 0 ? -cgroup2_fd : 0;
	attachment->tracefs_error = tracefs_fd < 0 ? -tracefs_fd : 0;
	attach_functions(attachment, object, control);
	note_mounts(attachment);
	for (size_t i = 0; i < N_PARTS; i++)
		if (!(no_udp_send && is_udp_send(parts[i].program)) && is_needed(attachment, &parts[i]))
			broken |= attach_part(attachment, object, &parts[i], cgroup2_fd, tracefs_fd);
	if (tracefs_fd >= 0)
		close(tracefs_fd);
	settle_facts(attachment, broken);
	return attachment->n_links ? 0 : -ENOTSUP;
}

void attach_run_iterator(const struct bpf_program *program)
{
	struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1;
	char none[16];
	ssize_t n;

	do
		n = fd >= 0 ? read(fd, none, sizeof(none)) : 0;
	while (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)));
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
}

void attach_wait_for_programs(void)
{
	/* A grace period: programs run inside RCU read sections. */
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

/* It takes the kernel 70 ms a tracepoint: nobody is to wait for that. */
static void *drop_accepts(void *context)
{
	struct attachment *attachment = context;

	for (unsigned i = 0; i < attachment->n_accept_links; i++)
		bpf_link__destroy(attachment->accept_links[i]);
	attachment->n_accept_links = 0;
	__atomic_store_n(&attachment->control->accept_exits, 0, __ATOMIC_SEQ_CST);
	return NULL;
}

void attach_look_at_accepts(struct attachment *attachment, const struct bpf_object *object)
{
	if (!attachment->accepts_inside || functions_accepts_remain(object))
		return;
	attachment->accepts_inside = false;
	attachment->dropping = pthread_create(&attachment->dropper, NULL, drop_accepts, attachment) == 0;
}

void attach_end(struct attachment *attachment)
{
	if (attachment->dropping)
		pthread_join(attachment->dropper, NULL);
	for (unsigned i = 0; i < attachment->n_accept_links; i++)
		bpf_link__destroy(attachment->accept_links[i]);
	for (unsigned i = 0; i < attachment->n_links; i++)
		bpf_link__destroy(attachment->links[i]);
	attachment->n_links = 0;
}
