/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel as a source: loads and attaches the hooks, drains the ring, keeps the books of what was lost.
 * It knows libbpf and not what the records mean.
 */
#ifndef PORTSNOOP_SOURCE_LIVE_H
#define PORTSNOOP_SOURCE_LIVE_H

#include "core/finding.h"
#include "source/counters.h"
#include "source/fault.h"
#include "source/shared_maps.h"
#include "source/sink.h"

#include <portsnoop/counters.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct btf;
struct live;

/* How calls are seen. */
enum live_backend {
	BACKEND_AUTO,	    /* by functions where the kernel allows it, each fact for itself */
	BACKEND_FENTRY,	    /* by returns of functions, or not at all */
	BACKEND_KPROBE,	    /* by kprobes on functions, or not at all */
	BACKEND_TRACEPOINT, /* by tracepoints and cgroup programs */
};

struct live_options {
	const struct btf *kernel; /* its types (kernel_types.h), to be there until live_attach() is over */
	size_t ring_size;	  /* bytes, a power of two, a multiple of the page size; 0: the default */
	bool attempts;		  /* report connects when they begin */
	bool follow;		  /* report forks */
	bool search;		  /* tell how long the kernel searched for ports */
	bool no_udp_send;	  /* do not look at UDP sends */
	bool counters;		  /* count in the kernel */
	bool silent;		  /* send no events: counters are all that is wanted */
	bool spares;		  /* load also what functions are to replace */
	enum live_backend backend;
};

#define LIVE_RING_DEFAULT (8u << 20)

/* Reads what this kernel has. 0, or a negative errno with *fault in words. */
int live_open(const struct live_options *options, struct live **ret_live, struct fault *fault);
/* Loads and attaches; the maps are those of the snapshot that serves this trace. The same. */
int live_attach(struct live *live, struct shared_maps maps, struct fault *fault);
/*
 * After that: some function was not to be hooked after all, and what it would replace has not been loaded.
 * Then begin anew with spares, and with new maps: what the hooks have put into these is told by nobody.
 */
bool live_lacks_spares(const struct live *live);
/* For snapshot_adopt_by(); -1: the kernel has none. */
int live_adopter(const struct live *live);
/* Readable when records are there, after live_may_sleep() said yes. */
int live_fd(const struct live *live);
/* Hands out what has come. *ret_count: how many. 0, or what the sink said. */
int live_drain(struct live *live, const struct sink *sink, size_t *ret_count);
/* The same, and all that was begun by now is among it (ring_catch_up()), but for what takes 50 ms to write.
 */
int live_catch_up(struct live *live, const struct sink *sink, size_t *ret_count);
/* See ring_may_sleep(). */
bool live_may_sleep(struct live *live);
/* Whether something was lost since the last call; what only a tick can tell (skipped runs), after that tick.
 */
bool live_has_lost(struct live *live);
/* Once a second: refusals held back, losses since the last tick. */
int live_tick(struct live *live, const struct sink *sink);
/* The `ready` record; what the snapshot counted is filled in by the caller. */
int live_put_ready(struct live *live, const struct sink *sink, uint32_t sockets, uint32_t processes,
		   uint32_t namespaces);
/* Stops the hooks, drains to the last record, then tells the last losses. */
int live_stop(struct live *live, const struct sink *sink);
/* After it: the last record. */
int live_put_summary(struct live *live, const struct sink *sink);
/* Whether counters and maps can still be read with the privileges of now; context: a struct live. */
bool live_can_read(const void *context);
/* Rows that the tables could not take so far: a loss like any other. */
void live_table_full(struct live *live, uint64_t rows);
/* What is seen of each fact, and why the rest is not. */
void live_findings(const struct live *live, struct finding ret_findings[FACT_COUNT]);
/* Whether all that was wanted is attached. */
bool live_is_whole(const struct live *live);
/* Whether cgroup programs see the whole machine. */
bool live_sees_host(const struct live *live);
/* What the kernel side counted; only with that option. Valid as long as the live source. */
struct counters live_counters(const struct live *live);
/* What it sent by kind, and what was lost by stage. */
void live_read_books(const struct live *live, uint64_t ret_emitted[SUMMARY_KINDS],
		     uint64_t ret_lost[LOSS_STAGE_COUNT]);
/* enum rec_probe by enum fact. */
const uint8_t *live_probes(const struct live *live);
/* Root of the cgroup hierarchy, or negative; stays the live source's. */
int live_cgroup2_fd(const struct live *live);
void live_close(struct live *live);

#endif
