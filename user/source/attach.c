/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/attach.h"

#include "source/functions.h"
#include "source/kprobes.h"
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

static void leave_out_udp_sends(struct bpf_object *object)
{
	size_t n;
	const struct hook *hooks = hooks_table(&n);

	for (size_t i = 0; i < n; i++)
		if (hook_is_udp_send(&hooks[i]))
			bpf_program__set_autoload(bpf_object__find_program_by_name(object, hooks[i].program),
						  false);
}

void attach_choose(struct bpf_object *object, const struct btf *kernel, bool no_udp_send)
{
	struct bpf_program *program;

	if (no_udp_send)
		leave_out_udp_sends(object);
	bpf_object__for_each_program(program, object)
	{
		const char *tracepoint = section_of(program, "tp_btf/");

		if (tracepoint && bpf_program__autoload(program) &&
		    !is_usable(tracepoint, attach_tracepoint_arity(kernel, tracepoint)))
			bpf_program__set_autoload(program, false);
	}
}

void attach_leave_out(struct bpf_object *object, uint32_t by_functions, uint32_t by_kprobes)
{
	size_t n;
	const struct hook *hooks = hooks_table(&n);

	for (size_t i = 0; i < n; i++) {
		struct bpf_program *program = bpf_object__find_program_by_name(object, hooks[i].program);

		if (program && hook_is_told(&hooks[i], by_functions | by_kprobes) &&
		    !(hooks[i].unless == TOLD_ACCEPT && by_functions & TOLD_ACCEPT))
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

/* What the programs are attached to. */
struct places {
	int cgroup2_fd, tracefs_fd; /* or a negative errno */
};

/* NULL with the reason in *state. */
static struct bpf_link *attach_one(const struct bpf_program *program, const struct places *places,
				   struct hook_state *state)
{
	const char *event = section_of(program, "tracepoint/");
	bool cgroup = section_of(program, "cgroup/") || section_of(program, "sockops");
	int place = cgroup ? places->cgroup2_fd : event ? places->tracefs_fd : 0;
	struct bpf_link *link;

	if (bpf_program__fd(program) < 0) {
		*state = (struct hook_state){.missing = true, .cause = CAUSE_KERNEL};
		return NULL;
	}
	if (place < 0) {
		*state = (struct hook_state){
			.missing = true, .cause = cgroup ? CAUSE_CGROUP2 : CAUSE_TRACEFS, .error = -place};
		return NULL;
	}
	link = cgroup  ? bpf_program__attach_cgroup(program, place)
	       : event ? attach_syscall(program, event, place)
		       : bpf_program__attach(program);
	*state = link ? (struct hook_state){.attached = true}
		      : (struct hook_state){.missing = true, .cause = CAUSE_REFUSED, .error = errno};
	return link;
}

static void attach_hook(struct attachment *attachment, const struct bpf_object *object,
			const struct hook *hook, const struct places *places, struct hook_state *state)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, hook->program);
	struct bpf_link *link;

	*state = (struct hook_state){.missing = program || !hook->is_old, .cause = CAUSE_KERNEL};
	link = program ? attach_one(program, places, state) : NULL;
	if (!link)
		return;
	if (hook_is_told(hook, attach_told(attachment)))
		attachment->accept_links[attachment->n_accept_links++] = link;
	else
		attachment->links[attachment->n_links++] = link;
}

/*
 * Where functions tell accepts, the system call is traced only for threads that were inside already: few
 * machines have any.
 */
static bool is_needed(const struct attachment *attachment, const struct hook *hook)
{
	return !hook_is_told(hook, attach_told(attachment)) ||
	       (hook->unless == TOLD_ACCEPT && attachment->accepts_inside);
}

uint32_t attach_told(const struct attachment *attachment)
{
	return attachment->functions.told | attachment->kprobes.told;
}

/* With both at work, the better one gives its name. */
enum rec_probe attach_told_by(const struct attachment *attachment, const struct hook *hook)
{
	if (!hook_is_told(hook, attach_told(attachment)))
		return PROBE_NONE;
	return hook->unless & attachment->functions.told ? PROBE_FENTRY : PROBE_KPROBE;
}

static enum rec_probe learnt_by(const struct attachment *attachment, const struct hook *hook)
{
	enum rec_probe probe = attach_told_by(attachment, hook);

	return probe ? probe : hook->probe;
}

/* A fact is what all of its attached programs say; one that is missing makes it unavailable. */
static void settle_facts(struct attachment *attachment)
{
	size_t n;
	const struct hook *hooks = hooks_table(&n);
	uint32_t broken = 0;

	for (size_t i = 0; i < n; i++)
		if (attachment->hooks[i].missing && !hook_is_told(&hooks[i], attach_told(attachment)))
			broken |= hooks[i].facts;
	for (size_t i = 0; i < n; i++)
		for (unsigned fact = 0; fact < FACT_COUNT; fact++)
			if (hooks[i].facts >> fact & 1)
				attachment->probes[fact] =
					broken >> fact & 1 ? PROBE_NONE : learnt_by(attachment, &hooks[i]);
	/* Between listeners' queues and the poll stands no hook: iterators and counters. */
	attachment->probes[FACT_OVERFLOW] = PROBE_ITERATOR;
}

/* The returns of accept(2) begin to be told twice; the kernel side sorts that out from now on. */
static void attach_returns(struct attachment *attachment, const struct bpf_object *object,
			   struct control *control)
{
	attachment->functions = functions_attach(object, attachment->links, &attachment->n_links);
	if (!(attachment->functions.told & TOLD_ACCEPT))
		return;
	__atomic_store_n(&control->accept_exits, 1, __ATOMIC_SEQ_CST);
	attachment->accepts_inside = functions_accepts_inside(object);
	if (!attachment->accepts_inside)
		__atomic_store_n(&control->accept_exits, 0, __ATOMIC_SEQ_CST);
}

/* What tells no fact by itself: without it, something is not told of one. */
static void attach_beside(struct attachment *attachment, const struct bpf_object *object, int cgroup2_fd,
			  const char *name)
{
	const struct bpf_program *program = bpf_object__find_program_by_name(object, name);
	struct bpf_link *link =
		bpf_program__fd(program) >= 0 ? bpf_program__attach_cgroup(program, cgroup2_fd) : NULL;

	if (link)
		attachment->links[attachment->n_links++] = link;
}

/* Where functions tell binds, those of MPTCP need a cookie; and cgroup/bind is not there to begin a search.
 */
static void attach_rest(struct attachment *attachment, const struct bpf_object *object,
			const struct attach_plan *plan)
{
	bool bind_told = attach_told(attachment) & TOLD_BIND;

	if (plan->cgroup2_fd < 0)
		return;
	if (bind_told) {
		attach_beside(attachment, object, plan->cgroup2_fd, "subflow_bound4");
		attach_beside(attachment, object, plan->cgroup2_fd, "subflow_bound6");
	}
	if (bind_told && plan->search) {
		attach_beside(attachment, object, plan->cgroup2_fd, "cgroup_bind4");
		attach_beside(attachment, object, plan->cgroup2_fd, "cgroup_bind6");
	}
	if (plan->search)
		attach_beside(attachment, object, plan->cgroup2_fd, "port_chosen");
}

/* Kprobes tell what returns of functions do not. Calls are looked at when all probes are there. */
static void attach_functions(struct attachment *attachment, const struct bpf_object *object,
			     struct control *control, uint32_t kprobes)
{
	attach_returns(attachment, object, control);
	attachment->kprobes = kprobes_attach(object, kprobes & ~attachment->functions.told, attachment->links,
					     &attachment->n_links);
	__atomic_store_n(&control->told, attach_told(attachment), __ATOMIC_SEQ_CST);
	if (attachment->kprobes.told)
		__atomic_store_n(&control->probing, PROBING_BEGUN, __ATOMIC_SEQ_CST);
}

int attach_all(struct attachment *attachment, struct bpf_object *object, struct control *control,
	       const struct attach_plan *plan)
{
	const struct places places = {.cgroup2_fd = plan->cgroup2_fd, .tracefs_fd = mounts_open_tracefs()};
	size_t n;
	const struct hook *hooks = hooks_table(&n);

	attachment->control = control;
	attach_functions(attachment, object, control, plan->kprobes);
	for (size_t i = 0; i < n; i++)
		if (!(plan->no_udp_send && hook_is_udp_send(&hooks[i])) && is_needed(attachment, &hooks[i]))
			attach_hook(attachment, object, &hooks[i], &places, &attachment->hooks[i]);
	attach_rest(attachment, object, plan);
	if (places.tracefs_fd >= 0)
		close(places.tracefs_fd);
	settle_facts(attachment);
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

static void look_at_accepts(struct attachment *attachment, const struct bpf_object *object)
{
	if (!attachment->accepts_inside || functions_accepts_remain(object))
		return;
	attachment->accepts_inside = false;
	attachment->dropping = pthread_create(&attachment->dropper, NULL, drop_accepts, attachment) == 0;
}

void attach_tick(struct attachment *attachment, const struct bpf_object *object)
{
	look_at_accepts(attachment, object);
	if (attachment->kprobes.told)
		__atomic_store_n(&attachment->control->probing, PROBING_ALL, __ATOMIC_RELAXED);
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
