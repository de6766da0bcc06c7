/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which program gives which fact, and attaching them one by one: what really loads and attaches is used, a
 * program that this kernel or these privileges refuse costs its fact only.
 */
#ifndef PORTSNOOP_SOURCE_ATTACH_H
#define PORTSNOOP_SOURCE_ATTACH_H

#include "source/groups.h"
#include "source/hooks.h"

#include <portsnoop/counters.h>
#include <portsnoop/event.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <pthread.h>
#include <stdbool.h>

#define ATTACH_LINKS_MAX (2 * GROUPS_LINKS_MAX + HOOKS_MAX)

/* Of a hook, by its place in the table. */
struct hook_state {
	bool attached;
	bool missing; /* wanted, but not attached */
	enum cause cause;
	int error; /* positive errno; 0: none */
};

struct attachment {
	struct bpf_link *links[ATTACH_LINKS_MAX];
	unsigned n_links;
	struct functions_told functions;  /* by their returns */
	struct functions_told kprobes;	  /* of what those do not tell */
	struct bpf_link *accept_links[4]; /* while threads are inside accept(2) that were there before */
	unsigned n_accept_links;
	bool accepts_inside;
	struct control *control;
	pthread_t dropper; /* of accept_links */
	bool dropping;
	uint8_t probes[FACT_COUNT]; /* enum rec_probe; PROBE_NONE: the fact is not available */
	bool host;		    /* cgroup programs see the whole machine */
	struct hook_state hooks[HOOKS_MAX];
};

/* What is to be attached. */
struct attach_plan {
	int cgroup2_fd;	  /* the root of the control groups, or a negative errno */
	uint32_t kprobes; /* TOLD_*: kprobes are to tell these, where returns of functions do not */
	bool no_udp_send;
	bool search; /* and what tells how long the kernel searches for a port */
};

/* libbpf says nothing any more; what goes wrong is told in our own words. */
void attach_be_quiet(void);
/* Arguments of a raw tracepoint, -1 when this kernel does not have it. */
int attach_tracepoint_arity(const struct btf *kernel, const char *tracepoint);
/*
 * Turns autoload off for what the kernel's BTF does not have. no_udp_send: and for the hook on UDP sends,
 * whose mere presence costs every unconnected send.
 */
void attach_choose(struct bpf_object *object, const struct btf *kernel, bool no_udp_send);
/*
 * And for what these groups (TOLD_*) replace. Not for what traces accept(2): returns of functions leave that
 * to do for threads that are inside when they come.
 */
void attach_leave_out(struct bpf_object *object, uint32_t by_functions, uint32_t by_kprobes);
/* Attaches all loaded programs. 0 when at least one fact is available, -ENOTSUP when none is. */
int attach_all(struct attachment *attachment, struct bpf_object *object, struct control *control,
	       const struct attach_plan *plan);
/* TOLD_*: what functions tell, one way or the other. */
uint32_t attach_told(const struct attachment *attachment);
/* How a hook's fact is learnt from functions; PROBE_NONE: it is not. */
enum rec_probe attach_told_by(const struct attachment *attachment, const struct hook *hook);
/*
 * What is seen of each fact, and why the rest is not. functions_error, kprobes_error: why these are not used
 * at all, a positive errno.
 */
void attach_findings(const struct attachment *attachment, int functions_error, int kprobes_error,
		     struct finding ret_findings[FACT_COUNT]);
/* Whether all that was wanted is attached. */
bool attach_is_whole(const struct attachment *attachment);
/* Once a second: what is attached only for a while goes when it has done its work. */
void attach_tick(struct attachment *attachment, const struct bpf_object *object);
/* Runs an iterator that writes nothing, once. What it does is an improvement only: failing is no error. */
void attach_run_iterator(const struct bpf_program *program);
/* Waits until every program that runs now has ended. */
void attach_wait_for_programs(void);
void attach_end(struct attachment *attachment);

#endif
