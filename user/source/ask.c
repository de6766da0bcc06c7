/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/ask.h"

#include "io/run_socket.h"
#include "system/proc.h"

#include <errno.h>
#include <portsnoop/event.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define READ_BYTES 262144u
#define ANSWER_MAX (512u << 20)
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

/* What came, and how far it has been looked at. */
struct answer {
	char *data;
	size_t length, room, at;
	bool ended;
};

static bool make_room(struct answer *answer)
{
	size_t room = answer->room ? 2 * answer->room : READ_BYTES;
	char *data;

	if (answer->length < answer->room)
		return true;
	data = room <= ANSWER_MAX ? realloc(answer->data, room) : NULL;
	if (!data)
		return false;
	answer->data = data;
	answer->room = room;
	return true;
}

/* Looks for the end. False when these are no records. */
static bool look(struct answer *answer)
{
	while (!answer->ended && answer->length - answer->at >= sizeof(struct rec_header)) {
		const struct rec_walk *record = (const void *)(answer->data + answer->at);
		uint16_t size = record->header.size;

		if (size < sizeof(record->header) || size % 8 || size > REC_SIZE_MAX)
			return false;
		if (size > answer->length - answer->at)
			break;
		answer->ended = record->header.kind == REC_WALK && record->part == WALK_END;
		answer->at += size;
	}
	return true;
}

static bool read_answer(int fd, struct answer *answer)
{
	while (!answer->ended) {
		ssize_t n;

		if (!make_room(answer))
			return false;
		n = read(fd, answer->data + answer->length, answer->room - answer->length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		answer->length += (size_t)n;
		if (!look(answer))
			return false;
	}
	return true;
}

static int hand_out(const struct answer *answer, const struct sink *sink)
{
	int result = 0;

	for (size_t at = 0; at < answer->at && !result;) {
		const struct rec_header *header = (const void *)(answer->data + at);

		result = sink_put(sink, header, header->size);
		at += header->size;
	}
	return result;
}

int ask_instance(uint32_t flags, uint16_t port, const struct sink *sink)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	int fd = run_socket_connect(), result = -ENOENT;
	struct answer answer = {0};

	if (fd < 0)
		return -ENOENT;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (send_question(fd, flags, port) && read_answer(fd, &answer))
		result = hand_out(&answer, sink);
	free(answer.data);
	close(fd);
	return result;
}
