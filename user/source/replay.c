/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/replay.h"

#include "io/recording.h"

#include <errno.h>
#include <string.h>

static int open_recording(const char *path, struct recording_reader **ret_reader, struct fault *fault)
{
	int problem = recording_open(path, ret_reader);

	if (problem < 0)
		return fault_set(fault, problem, "%s: %s", path, strerror(-problem));
	if (problem > 0)
		return fault_set(fault, -EBADMSG, "%s: %s", path, recording_strerror(problem));
	return 0;
}

int replay_read(const char *path, const struct sink *sink, bool *ret_cut, struct fault *fault)
{
	struct recording_reader *reader;
	const void *record;
	enum recording_problem state;
	int size = 0, result = open_recording(path, &reader, fault);

	*ret_cut = false;
	if (result)
		return result;
	while (!result && (size = recording_read(reader, &record)) > 0)
		result = sink_put(sink, record, (size_t)size);
	state = recording_state(reader);
	if (!result && size < 0)
		result = fault_set(fault, size, "%s: %s", path, strerror(-size));
	else if (!result && state != RECORDING_OK) {
		*ret_cut = true;
		fault_set(fault, 0, "%s: %s", path, recording_strerror(state));
	}
	recording_close(reader);
	return result;
}
