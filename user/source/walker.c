/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/walker.h"

#include "source/batches.h"
#include "system/privileges.h"
#include "system/proc.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define BATCHES_MAX 32u

struct walker {
	struct snapshot *snapshot;
	struct batches *batches;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t news; /* for the thread: a walk is asked for, or it is over */
	uint64_t begun_ns, took_ns;
	/* Under the lock: */
	struct snapshot_walk what;
	bool asked; /* a walk is to begin */
	bool closing;
	bool busy; /* the reader's own: from start to the last record taken */
};

/* --- the thread -------------------------------------------------------------------------------------------
 */

static int take_record(void *context, const void *record, size_t size)
{
	const struct rec_walk *part = record;
	struct walker *walker = context;

	if (part->header.kind == REC_WALK && part->part == WALK_BEGIN)
		return 0; /* walker_start() has put it */
	return batches_put(walker->batches, record, size);
}

static void walk(struct walker *walker)
{
	const struct sink sink = {.take = take_record, .context = walker};

	batches_end(walker->batches, snapshot_walk(walker->snapshot, &walker->what, &sink));
}

static void *run(void *context)
{
	struct walker *walker = context;
	bool closing;

	privileges_drop_to_walking(); /* what fails leaves no more than there was */
	for (;;) {
		pthread_mutex_lock(&walker->lock);
		while (!walker->asked && !walker->closing)
			pthread_cond_wait(&walker->news, &walker->lock);
		walker->asked = false;
		closing = walker->closing;
		pthread_mutex_unlock(&walker->lock);
		if (closing)
			return NULL;
		walk(walker);
	}
}

/* --- the reader -------------------------------------------------------------------------------------------
 */

int walker_open(struct snapshot *snapshot, struct walker **ret_walker)
{
	struct walker *walker = calloc(1, sizeof(*walker));
	int error;

	if (!walker)
		return -ENOMEM;
	walker->snapshot = snapshot;
	error = batches_new(BATCHES_MAX, &walker->batches);
	if (!error) {
		pthread_mutex_init(&walker->lock, NULL);
		pthread_cond_init(&walker->news, NULL);
		error = -pthread_create(&walker->thread, NULL, run, walker);
	}
	if (!error) {
		*ret_walker = walker;
		return 0;
	}
	batches_free(walker->batches);
	free(walker);
	return error;
}

int walker_fd(const struct walker *walker)
{
	return batches_fd(walker->batches);
}

bool walker_is_busy(const struct walker *walker)
{
	return walker->busy;
}

int walker_start(struct walker *walker, const struct snapshot_walk *what, const struct sink *sink)
{
	const uint64_t now = proc_boottime_ns();
	const struct rec_walk begin = {
		.header = {.size = sizeof(begin),
			   .kind = REC_WALK,
			   .source = (uint8_t)what->source,
			   .probe = PROBE_ITERATOR,
			   .time_ns = now},
		.begin_ns = now,
		.part = WALK_BEGIN,
		.partial = what->partial,
	};
	int result = sink_put(sink, &begin, sizeof(begin));

	if (result)
		return result;
	walker->busy = true;
	walker->begun_ns = now;
	batches_begin(walker->batches);
	pthread_mutex_lock(&walker->lock);
	walker->what = *what;
	walker->asked = true;
	pthread_cond_signal(&walker->news);
	pthread_mutex_unlock(&walker->lock);
	return 0;
}

int walker_take(struct walker *walker, const struct sink *sink, uint64_t budget_ns, bool *ret_ended)
{
	int result;

	*ret_ended = false;
	if (!walker->busy)
		return batches_hush(walker->batches);
	result = batches_take(walker->batches, sink, proc_boottime_ns() + budget_ns, ret_ended);
	if (*ret_ended) {
		walker->busy = false;
		walker->took_ns = proc_boottime_ns() - walker->begun_ns;
	}
	return result;
}

uint64_t walker_took_ns(const struct walker *walker)
{
	return walker->took_ns;
}

void walker_close(struct walker *walker)
{
	if (!walker)
		return;
	batches_cancel(walker->batches);
	pthread_mutex_lock(&walker->lock);
	walker->closing = true;
	pthread_cond_signal(&walker->news);
	pthread_mutex_unlock(&walker->lock);
	pthread_join(walker->thread, NULL);
	batches_free(walker->batches);
	pthread_cond_destroy(&walker->news);
	pthread_mutex_destroy(&walker->lock);
	free(walker);
}
