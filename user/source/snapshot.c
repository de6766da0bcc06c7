/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/snapshot.h"

#include "source/cookies.h"
#include "source/netns_settings.h"
#include "source/snapshot_beside.h"
#include "source/snapshot_netns.h"
#include "source/snapshot_port.h"
#include "source/snapshot_programs.h"
#include "source/snapshot_read.h"
#include "system/proc.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <portsnoop/walk.h>
#include <stdlib.h>

struct snapshot {
	struct snapshot_programs programs;
	struct snapshot_port *port; /* NULL: not loaded, since nobody has asked for one port */
	struct snapshot_buffer buffer;
	int adopter; /* see snapshot_adopt_by(); -1: none, or it has been everywhere */
};

int snapshot_open(const struct snapshot_options *options, struct snapshot **ret_snapshot, struct fault *fault)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	int error;

	if (!snapshot)
		return fault_set(fault, -ENOMEM, "out of memory");
	snapshot->adopter = -1;
	error = snapshot_programs_load(&snapshot->programs, options, fault);
	if (error) {
		snapshot_close(snapshot);
		return error;
	}
	if (options->for_ports)
		snapshot->port = snapshot_port_open();
	*ret_snapshot = snapshot;
	return 0;
}

struct shared_maps snapshot_maps(const struct snapshot *snapshot)
{
	return snapshot->programs.maps;
}

void snapshot_adopt_by(struct snapshot *snapshot, int iterator)
{
	snapshot->adopter = iterator;
}

int snapshot_add_mptcp(struct snapshot *snapshot)
{
	return snapshot_programs_add_mptcp(&snapshot->programs);
}

bool snapshot_passed_over(const struct snapshot *snapshot)
{
	return snapshot_programs_passed_over(&snapshot->programs);
}

void snapshot_close(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	snapshot_port_close(snapshot->port);
	snapshot_programs_close(&snapshot->programs);
	free(snapshot);
}

/* --- parts ------------------------------------------------------------------------------------------------
 */

struct walk {
	struct snapshot *snapshot;
	struct netns_set *namespaces;
	const struct sink *to;
	const struct snapshot_walk *what;
	int cookie_error; /* of a descriptor's socket that got none */
	bool cookie_made; /* of another one's: it can be told now */
	bool crowded;	  /* there are more namespaces than have room */
	bool uncovered;	  /* one of them was not walked, though descriptors were read as if it would be */
};

static int put_part(const struct walk *walk, enum walk_part part, uint32_t netns, uint64_t begin_ns,
		    int error)
{
	const struct rec_walk record = {
		.header = {.size = sizeof(record),
			   .kind = REC_WALK,
			   .source = (uint8_t)walk->what->source,
			   .probe = PROBE_ITERATOR,
			   .time_ns = proc_boottime_ns()},
		.begin_ns = begin_ns,
		.netns = netns,
		.error = -error,
		.part = (uint8_t)part,
		.partial = walk->what->partial,
	};

	return sink_put(walk->to, &record, sizeof(record));
}

static int iterate(const struct walk *walk, enum iterator iterator, const struct sink *sink, int *ret_error)
{
	struct snapshot *snapshot = walk->snapshot;

	return snapshot_read_records(snapshot->programs.links[iterator], &snapshot->buffer, sink, ret_error);
}

/* --- listeners alone --------------------------------------------------------------------------------------
 */

#define NO_MORE_LISTENERS INT_MAX /* no sink says that */

/* iter/tcp lists the listeners first: what follows need not be read. */
static int take_listener(void *context, const void *record, size_t size)
{
	const struct rec_socket_row *row = record;

	if (row->fact.socket.state != TCP_LISTEN)
		return NO_MORE_LISTENERS;
	return sink_put(context, record, size);
}

static int walk_listeners(struct snapshot *snapshot, const struct sink *sink, int *ret_error)
{
	struct sink to = *sink;
	const struct sink listeners = {.take = take_listener, .context = &to};
	int result = snapshot_read_records(snapshot->programs.links[ITERATE_TCP], &snapshot->buffer,
					   &listeners, ret_error);

	return result == NO_MORE_LISTENERS ? 0 : result;
}

int snapshot_walk_listeners(struct snapshot *snapshot, const struct sink *sink)
{
	int error, result;

	snapshot_programs_set_netns(&snapshot->programs, proc_netns());
	result = walk_listeners(snapshot, sink, &error);
	return result ? result : error;
}

/* --- namespaces -------------------------------------------------------------------------------------------
 */

static int skip(const struct walk *walk, struct netns *netns, uint64_t begin_ns, int error)
{
	netns->state = NETNS_SKIPPED;
	return put_part(walk, WALK_SKIPPED, netns->inode, begin_ns, error);
}

/* Without an entry in the kernel's map, which may find no memory, its sockets are only listed twice. */
static int mark_covered(struct netns *netns, void *context)
{
	const struct walk *walk = context;
	uint32_t yes = 1;

	bpf_map_update_elem(walk->snapshot->programs.covered_fd, &netns->inode, &yes, BPF_ANY);
	return 0;
}

static int cover(struct walk *walk, struct netns *netns, uint64_t begin_ns)
{
	netns->state = NETNS_COVERED;
	mark_covered(netns, walk);
	return put_part(walk, WALK_COVERED, netns->inode, begin_ns, 0);
}

/* The next walk covers anew. */
static int uncover(struct netns *netns, void *context)
{
	const struct walk *walk = context;

	bpf_map_delete_elem(walk->snapshot->programs.covered_fd, &netns->inode);
	return 0;
}

static int uncover_unwalked(struct netns *netns, void *context)
{
	struct walk *walk = context;

	if (netns->state == NETNS_COVERED)
		return 0;
	walk->uncovered = true;
	return uncover(netns, walk);
}

static int walk_tcp(const struct walk *walk, int *ret_error)
{
	if (walk->what->ports_only && !walk->what->port)
		return walk_listeners(walk->snapshot, walk->to, ret_error);
	return iterate(walk, ITERATE_TCP, walk->to, ret_error);
}

#define MANY_SOCKETS 4096 /* to walk over so many takes longer than to load the program that reads a port */

/* Of one port, what is on it. Whoever asks again has the program already. */
static bool read_port(const struct walk *walk, const struct netns *netns, bool udp, int *ret_result)
{
	const struct snapshot_walk *what = walk->what;
	const struct port_question question = {
		.netns = netns->inode, .source = what->source, .port = what->port, .udp = udp};

	if (!what->port || what->with_ports || what->no_remains || what->remains_only)
		return false;
	if (!walk->snapshot->port && !what->partial && proc_tcp_sockets() < MANY_SOCKETS)
		return false;
	if (!walk->snapshot->port)
		walk->snapshot->port = snapshot_port_open();
	return snapshot_port_read(walk->snapshot->port, &question, walk->to, ret_result);
}

static int walk_namespace(struct netns *netns, void *context)
{
	struct walk *walk = context;
	uint64_t begin_ns = proc_boottime_ns();
	int error = netns_enter(walk->namespaces, netns), untold = 0, result = 0;

	if (error == -ENOENT) {
		netns->state = NETNS_GONE; /* if a socket of it is held somewhere, its descriptor will tell */
		return 0;
	}
	if (!error && snapshot_programs_are_old(&walk->snapshot->programs))
		untold = cookies_make();
	if (!error)
		snapshot_programs_set_netns(&walk->snapshot->programs, netns->inode);
	if (!error && walk->what->with_ports)
		result = netns_settings_put(walk->to, netns->inode);
	if (!error && !result && proc_has_tcp() && !read_port(walk, netns, false, &result))
		result = walk_tcp(walk, &error);
	if (!error && !result && !read_port(walk, netns, true, &result))
		result = iterate(walk, ITERATE_UDP, walk->to, &error);
	if (!error && !result && !walk->what->partial &&
	    walk->snapshot->programs.links[ITERATE_IN_FLIGHT] >= 0)
		result = iterate(walk, ITERATE_IN_FLIGHT, walk->to, &error);
	if (result)
		return result;
	if (!error)
		error = untold; /* only those that have a cookie already were listed */
	return error ? skip(walk, netns, begin_ns, error) : cover(walk, netns, begin_ns);
}

static int add_task(void *context, const void *item, size_t size)
{
	struct walk *walk = context;
	const struct walk_task *task = item;

	if (!netns_set_add_task(walk->namespaces, task->netns, task->tid))
		walk->crowded = true;
	return 0;
}

/* The tasks' namespaces and the named ones; what cannot be found out is told. */
static int find_namespaces(struct walk *walk)
{
	const struct snapshot *snapshot = walk->snapshot;
	const struct sink tasks = {.take = add_task, .context = walk};
	uint64_t begin_ns = proc_boottime_ns();
	int error;

	snapshot_read_items(snapshot->programs.links[ITERATE_TASKS], &walk->snapshot->buffer,
			    sizeof(struct walk_task), &tasks, &error);
	if (!netns_set_add_named(walk->namespaces))
		walk->crowded = true;
	if (!error && walk->crowded)
		error = -ENOSPC;
	return error ? put_part(walk, WALK_SKIPPED, 0, begin_ns, error) : 0;
}

/* The kernel side puts nothing out, and is an improvement only: failing is no error. */
static int adopt_in_namespace(struct netns *netns, void *context)
{
	struct walk *walk = context;
	struct snapshot *snapshot = walk->snapshot;
	int error;

	if (netns_enter(walk->namespaces, netns) || !proc_has_tcp())
		return 0;
	if (snapshot_programs_are_old(&snapshot->programs))
		cookies_make();
	snapshot_read_records(snapshot->adopter, &snapshot->buffer, NULL, &error);
	return 0;
}

/* To adopt is quick, and whoever is accepted before is not told: so it comes before anything is listed. */
static int walk_namespaces(struct walk *walk)
{
	int result, error;

	if (walk->snapshot->adopter >= 0)
		netns_set_each(walk->namespaces, adopt_in_namespace, walk);
	result = netns_set_each(walk->namespaces, walk_namespace, walk);
	error = netns_return(walk->namespaces);
	return error ? error : result;
}

/* --- descriptors ------------------------------------------------------------------------------------------
 */

/* On old kernels: what has gone since needs none. */
static int make_cookie(struct walk *walk, const struct rec_holder *holder)
{
	int error = cookies_make_of((pid_t)holder->task.pid, (int)holder->fd);

	if (!error)
		walk->cookie_made = true;
	else if (error != -ESRCH && error != -EBADF && error != -ENOTSOCK)
		walk->cookie_error = error;
	return 0;
}

/* Passes on; takes note of namespaces that only their sockets show. */
static int take_row(void *context, const void *record, size_t size)
{
	struct walk *walk = context;
	const struct rec_socket_row *row = record;

	if (row->fact.header.kind == REC_HOLDER && !((const struct rec_holder *)record)->cookie)
		return make_cookie(walk, record);
	if (row->fact.header.kind == REC_SOCKET &&
	    !netns_set_reveal(walk->namespaces, row->fact.socket.netns))
		walk->crowded = true;
	return sink_put(walk->to, record, size);
}

static int walk_descriptors(struct walk *walk)
{
	const struct sink rows = {.take = take_row, .context = walk};
	uint64_t begin_ns = proc_boottime_ns();
	struct snapshot *snapshot = walk->snapshot;
	int error, result, looks = 0;

	do {
		walk->cookie_made = false;
		walk->cookie_error = 0;
		result = snapshot_read_descriptors(snapshot->programs.links[ITERATE_FILES], &snapshot->buffer,
						   &rows, &error);
	} while (!result && !error && walk->cookie_made && !looks++);
	if (result)
		return result;
	if (!error)
		error = walk->cookie_error;
	return put_part(walk, error ? WALK_SKIPPED : WALK_HOLDERS, 0, begin_ns, error);
}

static int take_beside(struct walk *walk, struct beside *beside)
{
	const struct sink rows = {.take = take_row, .context = walk};
	int error, result = beside_take(beside, &rows, &error);

	if (result)
		return result;
	if (!error)
		error = walk->cookie_error;
	return put_part(walk, error ? WALK_SKIPPED : WALK_HOLDERS, 0, beside_begin_ns(beside), error);
}

/*
 * Namespaces and descriptors at once: these are read as if all namespaces were walked already. What hangs on
 * one that could not be walked after all is read once more.
 */
static int walk_both(struct walk *walk)
{
	struct beside *beside;
	int result;

	netns_set_each(walk->namespaces, mark_covered, walk);
	beside = beside_start(walk->snapshot->programs.links[ITERATE_FILES]);
	result = walk_namespaces(walk);
	netns_set_each(walk->namespaces, uncover_unwalked, walk);
	if (!result && beside && !walk->uncovered) {
		result = take_beside(walk, beside);
		beside_end(beside);
		return result || !walk->cookie_made ? result : walk_descriptors(walk);
	}
	beside_end(beside); /* before anybody else reads descriptors: the programs have one state */
	return result ? result : walk_descriptors(walk);
}

static int walk_noted(struct walk *walk)
{
	const struct sink rows = {.take = take_row, .context = walk};
	uint64_t begin_ns = proc_boottime_ns();
	int error, result;

	if (walk->snapshot->programs.links[ITERATE_NOTED] < 0 ||
	    snapshot_programs_notes_kill(&walk->snapshot->programs))
		return 0;
	result = iterate(walk, ITERATE_NOTED, &rows, &error);
	if (!result && error)
		result = put_part(walk, WALK_SKIPPED, 0, begin_ns, error);
	return result;
}

/* --- namespaces that only their sockets have shown --------------------------------------------------------
 */

static int count_waiting(struct netns *netns, void *context)
{
	*(unsigned *)context += netns->state == NETNS_WAITING;
	return 0;
}

static int walk_waiting(struct netns *netns, void *context)
{
	return netns->state == NETNS_WAITING ? walk_namespace(netns, context) : 0;
}

/*
 * Mostly they are younger than the look at the tasks: so at these once more, and then at descriptors, since
 * some of their sockets are younger than the look at those.
 */
static int walk_revealed(struct walk *walk)
{
	unsigned waiting = 0;
	int result, error;

	netns_set_each(walk->namespaces, count_waiting, &waiting);
	if (!waiting)
		return 0;
	result = find_namespaces(walk);
	if (!result)
		result = netns_set_each(walk->namespaces, walk_waiting, walk);
	error = netns_return(walk->namespaces);
	if (!result)
		result = error;
	return result || walk->what->partial ? result : walk_descriptors(walk);
}

/* Nobody is in it, but something holds a socket of it. */
static int skip_revealed(struct netns *netns, void *context)
{
	return netns->revealed && netns->state == NETNS_GONE
		       ? skip(context, netns, proc_boottime_ns(), -ENOENT)
		       : 0;
}

/* --- all of it --------------------------------------------------------------------------------------------
 */

static int walk_sockets_and_holders(struct walk *walk)
{
	int result;

	if (walk->what->beside)
		return walk_both(walk);
	result = walk_namespaces(walk);
	if (!result && !walk->what->partial)
		result = walk_descriptors(walk);
	return result;
}

static int walk_all(struct walk *walk)
{
	int result = put_part(walk, WALK_BEGIN, 0, proc_boottime_ns(), 0);

	if (!result)
		result = find_namespaces(walk);
	if (walk->what->holders_only) {
		netns_set_each(walk->namespaces, mark_covered, walk);
		if (!result)
			result = walk_descriptors(walk);
		return result ? result : put_part(walk, WALK_END, 0, proc_boottime_ns(), 0);
	}
	if (!result)
		result = walk_sockets_and_holders(walk);
	if (!result && !walk->what->partial)
		result = walk_noted(walk);
	if (!result)
		result = walk_revealed(walk);
	if (!result)
		result = netns_set_each(walk->namespaces, skip_revealed, walk);
	return result ? result : put_part(walk, WALK_END, 0, proc_boottime_ns(), 0);
}

int snapshot_walk(struct snapshot *snapshot, const struct snapshot_walk *what, const struct sink *sink)
{
	struct walk walk = {.snapshot = snapshot, .namespaces = netns_set_new(), .to = sink, .what = what};
	int result;

	if (!walk.namespaces)
		return -ENOMEM;
	snapshot_programs_begin(&snapshot->programs, what);
	result = walk_all(&walk);
	if (!result && !what->holders_only)
		snapshot->adopter = -1;
	netns_set_each(walk.namespaces, uncover, &walk);
	netns_set_free(walk.namespaces);
	return result;
}
