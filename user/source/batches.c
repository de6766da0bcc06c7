/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/batches.h"

#include "system/proc.h"

#include <errno.h>
#include <poll.h>
#include <portsnoop/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BATCH_BYTES 65536u
#define LOOK_EVERY  16u /* records between two looks at the clock */

struct batch {
	struct batch *next;
	size_t length, at; /* bytes filled, bytes handed out */
	char data[BATCH_BYTES] __attribute__((aligned(8)));
};

struct batches {
	pthread_mutex_t lock;
	pthread_cond_t room;
	int event_fd;
	unsigned most;
	struct batch *taking;  /* of who takes */
	struct batch *filling; /* of who puts */
	/* Under the lock: */
	struct batch *first, *last; /* full ones, between the two */
	struct batch *spare;	    /* taken ones, to be filled again */
	unsigned n_queued;
	int error; /* at the end */
	bool ended;
	bool cancelled;
};

int batches_new(unsigned most, struct batches **ret_batches)
{
	struct batches *batches = calloc(1, sizeof(*batches));
	int error;

	if (!batches)
		return -ENOMEM;
	batches->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (batches->event_fd < 0) {
		error = -errno;
		free(batches);
		return error;
	}
	batches->most = most;
	pthread_mutex_init(&batches->lock, NULL);
	pthread_cond_init(&batches->room, NULL);
	*ret_batches = batches;
	return 0;
}

static void free_list(struct batch *batch)
{
	struct batch *next;

	for (; batch; batch = next) {
		next = batch->next;
		free(batch);
	}
}

void batches_free(struct batches *batches)
{
	if (!batches)
		return;
	free_list(batches->first);
	free_list(batches->spare);
	free(batches->taking);
	free(batches->filling);
	close(batches->event_fd);
	pthread_cond_destroy(&batches->room);
	pthread_mutex_destroy(&batches->lock);
	free(batches);
}

static void wake_taker(const struct batches *batches)
{
	const uint64_t one = 1;

	if (write(batches->event_fd, &one, sizeof(one)) < 0)
		return; /* EAGAIN: it is awake */
}

/* --- who puts ---------------------------------------------------------------------------------------------
 */

/* Queues what was filled; waits for room. False when nobody wants it. */
static bool hand_over(struct batches *batches)
{
	struct batch *batch = batches->filling;
	bool go_on;

	batches->filling = NULL;
	pthread_mutex_lock(&batches->lock);
	while (batches->n_queued >= batches->most && !batches->cancelled)
		pthread_cond_wait(&batches->room, &batches->lock);
	go_on = !batches->cancelled;
	if (batch) {
		batch->next = NULL;
		if (batches->last)
			batches->last->next = batch;
		else
			batches->first = batch;
		batches->last = batch;
		batches->n_queued++;
	}
	pthread_mutex_unlock(&batches->lock);
	wake_taker(batches);
	return go_on;
}

/* Memory that was touched before is cheaper than new. */
static struct batch *empty_batch(struct batches *batches)
{
	struct batch *batch;

	pthread_mutex_lock(&batches->lock);
	batch = batches->spare;
	if (batch)
		batches->spare = batch->next;
	pthread_mutex_unlock(&batches->lock);
	if (!batch)
		batch = malloc(sizeof(*batch));
	if (batch)
		batch->length = batch->at = 0;
	return batch;
}

int batches_put(struct batches *batches, const void *record, size_t size)
{
	if (batches->filling && batches->filling->length + size > BATCH_BYTES && !hand_over(batches))
		return -ECANCELED;
	if (!batches->filling) {
		batches->filling = empty_batch(batches);
		if (!batches->filling)
			return -ENOMEM;
	}
	memcpy(batches->filling->data + batches->filling->length, record, size);
	batches->filling->length += size;
	return 0;
}

int batches_flush(struct batches *batches)
{
	return hand_over(batches) ? 0 : -ECANCELED;
}

void batches_end(struct batches *batches, int error)
{
	hand_over(batches);
	pthread_mutex_lock(&batches->lock);
	batches->error = error;
	batches->ended = true;
	pthread_mutex_unlock(&batches->lock);
	wake_taker(batches);
}

/* --- who takes --------------------------------------------------------------------------------------------
 */

void batches_begin(struct batches *batches)
{
	pthread_mutex_lock(&batches->lock);
	batches->ended = false;
	pthread_mutex_unlock(&batches->lock);
}

int batches_fd(const struct batches *batches)
{
	return batches->event_fd;
}

/* The next batch of the queue becomes the one that is taken from. False when there is none. */
static bool next_batch(struct batches *batches, bool *ret_ended)
{
	struct batch *spare = NULL;

	pthread_mutex_lock(&batches->lock);
	if (batches->taking) {
		batches->taking->next = batches->spare;
		batches->spare = batches->taking;
	}
	batches->taking = batches->first;
	if (batches->taking) {
		batches->first = batches->taking->next;
		if (!batches->first)
			batches->last = NULL;
		batches->n_queued--;
		pthread_cond_signal(&batches->room);
	}
	*ret_ended = !batches->taking && batches->ended;
	if (*ret_ended) {
		spare = batches->spare;
		batches->spare = NULL;
	}
	pthread_mutex_unlock(&batches->lock);
	free_list(spare); /* after the end there are none */
	return batches->taking;
}

static int hand_out(struct batches *batches, const struct sink *sink, uint64_t deadline_ns, bool *ret_late)
{
	struct batch *batch = batches->taking;
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

int batches_hush(struct batches *batches)
{
	uint64_t count;

	return read(batches->event_fd, &count, sizeof(count)) < 0 && errno != EAGAIN ? -errno : 0;
}

int batches_take(struct batches *batches, const struct sink *sink, uint64_t deadline_ns, bool *ret_ended)
{
	int result = batches_hush(batches);
	bool late = false;

	*ret_ended = false;
	if (result)
		return result;
	for (;;) {
		if (!batches->taking || batches->taking->at == batches->taking->length) {
			if (!next_batch(batches, ret_ended))
				return *ret_ended ? batches->error : 0;
		}
		result = hand_out(batches, sink, deadline_ns, &late);
		if (result)
			return result;
		if (late) {
			wake_taker(batches); /* there is more */
			return 0;
		}
	}
}

int batches_take_all(struct batches *batches, const struct sink *sink)
{
	bool ended = false;
	int result = 0;

	while (!result && !ended) {
		struct pollfd news = {.fd = batches->event_fd, .events = POLLIN};

		if (poll(&news, 1, -1) < 0 && errno != EINTR)
			result = -errno;
		else
			result = batches_take(batches, sink, UINT64_MAX, &ended);
	}
	return result;
}

void batches_cancel(struct batches *batches)
{
	pthread_mutex_lock(&batches->lock);
	batches->cancelled = true;
	pthread_cond_signal(&batches->room);
	pthread_mutex_unlock(&batches->lock);
}
