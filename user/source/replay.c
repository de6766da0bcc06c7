/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/replay.h"

#include "io/recording.h"

#include <errno.h>
#include <portsnoop/event.h>
#include <stdlib.h>
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

/* --- in pieces --------------------------------------------------------------------------------------------
 */

struct replay {
	struct recording_reader *reader;
	const struct rec_header *next; /* read, and not handed out; NULL: none */
};

int replay_open(const char *path, struct replay **ret_replay, struct fault *fault)
{
	struct replay *replay = calloc(1, sizeof(*replay));
	int error = replay ? open_recording(path, &replay->reader, fault)
			   : fault_set(fault, -ENOMEM, "out of memory");

	if (error)
		free(replay);
	else
		*ret_replay = replay;
	return error;
}

void replay_close(struct replay *replay)
{
	if (!replay)
		return;
	recording_close(replay->reader);
	free(replay);
}

int replay_until(struct replay *replay, uint64_t time_ns, const struct sink *sink, bool *ret_ended)
{
	const void *record;
	int result = 0;

	*ret_ended = false;
	while (!result) {
		if (!replay->next) {
			int size = recording_read(replay->reader, &record);

			*ret_ended = size <= 0;
			if (*ret_ended)
				return size;
			replay->next = record;
		}
		if (replay->next->time_ns > time_ns)
			return 0;
		record = replay->next;
		replay->next = NULL;
		result = sink_put(sink, record, ((const struct rec_header *)record)->size);
	}
	return result;
}

struct times {
	uint64_t ready_ns, first_ns, last_ns;
};

static int measure(void *context, const void *record, size_t size)
{
	const struct rec_header *header = record;
	struct times *times = context;

	if (header->kind == REC_READY && !times->ready_ns)
		times->ready_ns = header->time_ns;
	if (header->time_ns && (!times->first_ns || header->time_ns < times->first_ns))
		times->first_ns = header->time_ns;
	if (header->time_ns > times->last_ns)
		times->last_ns = header->time_ns;
	return 0;
}

int replay_span(const char *path, struct replay_span *ret_span, struct fault *fault)
{
	struct times times = {0};
	const struct sink sink = {.take = measure, .context = &times};
	int error = replay_read(path, &sink, &ret_span->cut, fault);

	if (error)
		return error;
	ret_span->begin_ns = times.ready_ns ? times.ready_ns : times.first_ns;
	ret_span->end_ns = times.last_ns;
	return 0;
}
