/* SPDX-License-Identifier: GPL-2.0-only */
#include "command/sources.h"

#include "source/kernel_types.h"

#include <pthread.h>

/* The iterators load while the hooks' programs are read and fitted to the kernel. */
struct iterators {
	const struct snapshot_options *options;
	struct snapshot *snapshot;
	struct fault fault;
	int error;
};

static void *open_iterators(void *context)
{
	struct iterators *iterators = context;

	iterators->error = snapshot_open(iterators->options, &iterators->snapshot, &iterators->fault);
	return NULL;
}

static int open_beside(const struct live_options *live_options,
		       const struct snapshot_options *snapshot_options, struct live **ret_live,
		       struct snapshot **ret_snapshot, struct fault *fault)
{
	struct iterators iterators = {.options = snapshot_options};
	pthread_t thread;
	int alone = pthread_create(&thread, NULL, open_iterators, &iterators), error;

	if (alone)
		open_iterators(&iterators);
	error = live_open(live_options, ret_live, fault);
	if (!alone)
		pthread_join(thread, NULL);
	*ret_snapshot = iterators.snapshot;
	if (!error && iterators.error) {
		*fault = iterators.fault;
		error = iterators.error;
	}
	return error;
}

static int open_both(const struct live_options *live_options, const struct snapshot_options *snapshot_options,
		     struct live **ret_live, struct snapshot **ret_snapshot, struct fault *fault)
{
	int error = open_beside(live_options, snapshot_options, ret_live, ret_snapshot, fault);

	return error ? error : live_attach(*ret_live, snapshot_maps(*ret_snapshot), fault);
}

int sources_open(struct live_options live_options, struct snapshot_options snapshot_options,
		 struct live **ret_live, struct snapshot **ret_snapshot, struct fault *fault)
{
	struct btf *kernel;
	int error = kernel_types_read(&kernel, fault);

	if (error)
		return error;
	live_options.kernel = snapshot_options.kernel = kernel;
	error = open_both(&live_options, &snapshot_options, ret_live, ret_snapshot, fault);
	if (!error && live_lacks_spares(*ret_live)) {
		live_close(*ret_live);
		snapshot_close(*ret_snapshot);
		*ret_live = NULL;
		*ret_snapshot = NULL;
		live_options.spares = true;
		error = open_both(&live_options, &snapshot_options, ret_live, ret_snapshot, fault);
	}
	btf__free(kernel);
	if (!error)
		snapshot_adopt_by(*ret_snapshot, live_adopter(*ret_live));
	return error;
}
