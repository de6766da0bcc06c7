/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/walker.h"

#include "system/proc.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BATCH_BYTES 65536u
#define BATCHES_MAX 32u
#define LOOK_EVERY  16u /* records between two looks at the clock */

struct batch {
	struct batch *next;
	size_t length, at; /* bytes filled, bytes handed out */
	char data[BATCH_BYTES] __attribute__((aligned(8)));
};

struct walker {
	struct snapshot *snapshot;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t news; /* for the thread: a walk is asked for, there is room, it is over */
	int event_fd;
	uint64_t begun_ns, took_ns;
	struct batch *taking;  /* the reader's own */
	struct batch *filling; /* the thread's own */
	/* Under the lock: */
	struct batch *first, *last; /* full ones, between the two */
	struct batch *spare;	    /* taken ones, to be filled again */
	unsigned n_queued;
	struct snapshot_walk what;
	int error;  /* of the walk that ended */
	bool asked; /* a walk is to begin */
	bool ended; /* the thread has put its last batch into the queue */
	bool closing;
	bool busy; /* the reader's own: from start to the last record taken */
};

/* --- the thread -------------------------------------------------------------------------------------------
 */

static void wake_reader(const struct walker *walker)
{
	const uint64_t one = 1;

	if (write(walker->event_fd, &one, sizeof(one)) < 0)
		return; /* EAGAIN: it is awake */
}

/* Queues what was filled; waits for room. False when the walker is being closed. */
static bool hand_over(struct walker *walker)
{
	struct batch *batch = walker->filling;
	bool go_on;

	walker->filling = NULL;
	pthread_mutex_lock(&walker->lock);
	while (walker->n_queued >= BATCHES_MAX && !walker->closing)
		pthread_cond_wait(&walker->news, &walker->lock);
	go_on = !walker->closing;
	if (batch) {
		batch->next = NULL;
		if (walker->last)
			walker->last->next = batch;
		else
			walker->first = batch;
		walker->last = batch;
		walker->n_queued++;
	}
	pthread_mutex_unlock(&walker->lock);
	wake_reader(walker);
	return go_on;
}

/* Memory that was touched before is cheaper than new. */
static struct batch *empty_batch(struct walker *walker)
{
	struct batch *batch;

	pthread_mutex_lock(&walker->lock);
	batch = walker->spare;
	if (batch)
		walker->spare = batch->next;
	pthread_mutex_unlock(&walker->lock);
	if (!batch)
		batch = malloc(sizeof(*batch));
	if (batch)
		batch->length = batch->at = 0;
	return batch;
}

static int take_record(void *context, const void *record, size_t size)
{
	const struct rec_walk *part = record;
	struct walker *walker = context;

	if (part->header.kind == REC_WALK && part->part == WALK_BEGIN)
		return 0; /* walker_start() has put it */
	if (walker->filling && walker->filling->length + size > BATCH_BYTES && !hand_over(walker))
		return -ECANCELED;
	if (!walker->filling) {
		walker->filling = empty_batch(walker);
		if (!walker->filling)
			return -ENOMEM;
	}
	memcpy(walker->filling->data + walker->filling->length, record, size);
	walker->filling->length += size;
	return 0;
}

static void walk(struct walker *walker)
{
	const struct sink sink = {.take = take_record, .context = walker};
	int error = snapshot_walk(walker->snapshot, &walker->what, &sink);

	hand_over(walker);
	pthread_mutex_lock(&walker->lock);
	walker->error = error;
	walker->ended = true;
	pthread_mutex_unlock(&walker->lock);
	wake_reader(walker);
}

static void *run(void *context)
{
	struct walker *walker = context;
	bool closing;

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
	pthread_mutex_init(&walker->lock, NULL);
	pthread_cond_init(&walker->news, NULL);
	walker->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	error = walker->event_fd < 0 ? errno : pthread_create(&walker->thread, NULL, run, walker);
	if (!error) {
		*ret_walker = walker;
		return 0;
	}
	if (walker->event_fd >= 0)
		close(walker->event_fd);
	free(walker);
	return -error;
}

int walker_fd(const struct walker *walker)
{
	return walker->event_fd;
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
	pthread_mutex_lock(&walker->lock);
	walker->what = *what;
	walker->asked = true;
	walker->ended = false;
	pthread_cond_signal(&walker->news);
	pthread_mutex_unlock(&walker->lock);
	return 0;
}

static void batches_free(struct batch *batch)
{
	struct batch *next;

	for (; batch; batch = next) {
		next = batch->next;
		free(batch);
	}
}

/* The next batch of the queue becomes the one that is taken from. False when there is none. */
static bool next_batch(struct walker *walker, bool *ret_ended)
{
	struct batch *spare = NULL;

	pthread_mutex_lock(&walker->lock);
	if (walker->taking) {
		walker->taking->next = walker->spare;
		walker->spare = walker->taking;
	}
	walker->taking = walker->first;
	if (walker->taking) {
		walker->first = walker->taking->next;
		if (!walker->first)
			walker->last = NULL;
		walker->n_queued--;
		pthread_cond_signal(&walker->news);
	}
	*ret_ended = !walker->taking && walker->ended;
	if (*ret_ended) {
		spare = walker->spare;
		walker->spare = NULL;
	}
	pthread_mutex_unlock(&walker->lock);
	batches_free(spare); /* between walks there are none */
	return walker->taking;
}

static int hand_out(struct walker *walker, const struct sink *sink, uint64_t deadline_ns, bool *ret_late)
{
	struct batch *batch = walker->taking;
	unsigned n = 0;

	while (batch->at < batch->length) {
		const struct rec_header *header = (const void *)(batch->data + batch->at);
		int result = sink_put(sink, header, header->size);

		batch->at += header->size;
		if (result)
			return result;
		*ret_late = ++n % LOOK_EVERY == 0 && proc_boottime_ns() >= deadline_ns;
		if (*ret_late)
			return 0;
	}
	return 0;
}

static int walk_over(struct walker *walker)
{
	walker->busy = false;
	walker->took_ns = proc_boottime_ns() - walker->begun_ns;
	return walker->error;
}

int walker_take(struct walker *walker, const struct sink *sink, uint64_t budget_ns, bool *ret_ended)
{
	uint64_t deadline_ns = proc_boottime_ns() + budget_ns, count;
	bool late = false;

	*ret_ended = false;
	if (read(walker->event_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return -errno;
	while (walker->busy) {
		int result;

		if (!walker->taking || walker->taking->at == walker->taking->length) {
			if (!next_batch(walker, ret_ended))
				return *ret_ended ? walk_over(walker) : 0;
		}
		result = hand_out(walker, sink, deadline_ns, &late);
		if (result)
			return result;
		if (late) {
			wake_reader(walker); /* there is more */
			return 0;
		}
	}
	return 0;
}

uint64_t walker_took_ns(const struct walker *walker)
{
	return walker->took_ns;
}

void walker_close(struct walker *walker)
{
	if (!walker)
		return;
	pthread_mutex_lock(&walker->lock);
	walker->closing = true;
	pthread_cond_signal(&walker->news);
	pthread_mutex_unlock(&walker->lock);
	pthread_join(walker->thread, NULL);
	batches_free(walker->first);
	batches_free(walker->spare);
	free(walker->taking);
	free(walker->filling);
	close(walker->event_fd);
	pthread_cond_destroy(&walker->news);
	pthread_mutex_destroy(&walker->lock);
	free(walker);
}
