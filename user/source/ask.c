/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/ask.h"

#include "io/run_socket.h"
#include "system/proc.h"

#include <errno.h>
#include <portsnoop/event.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define READ_BYTES 262144u
#define PATIENCE_S 5 /* then it is quicker to look oneself */

static bool send_question(int fd, uint32_t flags, uint16_t port)
{
	const struct rec_ask ask = {
		.header = {.size = sizeof(ask), .kind = REC_ASK, .time_ns = proc_boottime_ns()},
		.schema = PORTSNOOP_SCHEMA,
		.flags = flags,
		.port = port,
	};

	return send(fd, &ask, sizeof(ask), MSG_NOSIGNAL) == (ssize_t)sizeof(ask);
}

/* What came and has not been handed out: less than a record, between two reads. */
struct answer {
	char *data; /* READ_BYTES */
	size_t length;
	bool begun, ended;
};

/* Whole records. 0, -ESTALE when these are none, or what the sink said. */
static int hand_out(struct answer *answer, const struct sink *sink)
{
	size_t at = 0;
	int result = 0;

	while (!result && !answer->ended && answer->length - at >= sizeof(struct rec_header)) {
		const struct rec_walk *record = (const void *)(answer->data + at);
		uint16_t size = record->header.size;

		if (size < sizeof(record->header) || size % 8 || size > REC_SIZE_MAX)
			return -ESTALE;
		if (size > answer->length - at)
			break;
		answer->ended = record->header.kind == REC_WALK && record->part == WALK_END;
		answer->begun = true;
		result = sink_put(sink, &record->header, size);
		at += size;
	}
	answer->length -= at;
	memmove(answer->data, answer->data + at, answer->length);
	return result;
}

/* 0: nothing more comes; negative: the same, and it is an error. */
static ssize_t read_more(int fd, struct answer *answer)
{
	ssize_t n;

	do
		n = read(fd, answer->data + answer->length, READ_BYTES - answer->length);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		answer->length += (size_t)n;
	return n;
}

static int take_answer(int fd, const struct sink *sink)
{
	struct answer answer = {.data = malloc(READ_BYTES)};
	int result = answer.data ? 0 : -ENOENT;

	while (!result && !answer.ended) {
		if (read_more(fd, &answer) > 0)
			result = hand_out(&answer, sink);
		else
			result = answer.begun ? -ESTALE : -ENOENT;
	}
	free(answer.data);
	return result;
}

int ask_instance(uint32_t flags, uint16_t port, const struct sink *sink)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	int fd = run_socket_connect(), result = -ENOENT;

	if (fd < 0)
		return -ENOENT;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (send_question(fd, flags, port))
		result = take_answer(fd, sink);
	close(fd);
	return result;
}
