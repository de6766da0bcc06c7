/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/snapshot_beside.h"

#include "source/batches.h"
#include "source/snapshot_read.h"
#include "system/proc.h"

#include <pthread.h>
#include <stdlib.h>

#define BATCHES_MAX 256u /* 16 MiB: some 100,000 holders */

struct beside {
	struct batches *batches;
	struct snapshot_buffer buffer; /* of the thread */
	pthread_t thread;
	uint64_t begin_ns;
	int link_fd;
	int error; /* the iterator's; to be read when the thread has said that it is over */
};

static int put(void *batches, const void *record, size_t size)
{
	return batches_put(batches, record, size);
}

static void *run(void *context)
{
	struct beside *beside = context;
	const struct sink sink = {.take = put, .context = beside->batches};

	batches_end(beside->batches,
		    snapshot_read_descriptors(beside->link_fd, &beside->buffer, &sink, &beside->error));
	return NULL;
}

struct beside *beside_start(int link_fd)
{
	struct beside *beside = calloc(1, sizeof(*beside));

	if (!beside)
		return NULL;
	beside->link_fd = link_fd;
	beside->begin_ns = proc_boottime_ns();
	if (batches_new(BATCHES_MAX, &beside->batches) == 0) {
		if (pthread_create(&beside->thread, NULL, run, beside) == 0)
			return beside;
		batches_free(beside->batches);
	}
	free(beside);
	return NULL;
}

uint64_t beside_begin_ns(const struct beside *beside)
{
	return beside->begin_ns;
}

int beside_take(struct beside *beside, const struct sink *sink, int *ret_error)
{
	int result = batches_take_all(beside->batches, sink);

	*ret_error = result ? 0 : beside->error;
	return result;
}

void beside_end(struct beside *beside)
{
	if (!beside)
		return;
	batches_cancel(beside->batches);
	pthread_join(beside->thread, NULL);
	batches_free(beside->batches);
	free(beside);
}
