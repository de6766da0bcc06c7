/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading a recording, in fixed memory whatever the file says. Checks sizes and checksums and nothing else:
 * what a record means is the decoder's business.
 */
#include "io/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <portsnoop/event.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define BUFFER_SIZE	 (64 * 1024)
#define WINDOW_BITS_GZIP (15 + 16)
/* A header longer than this is no later version's but damage. */
#define HEADER_SIZE_MAX 4096

struct recording_reader {
	int fd;
	bool close_fd;
	bool ended;    /* nothing more will come into records */
	bool verified; /* the gzip stream has ended and its checksum is right */
	int error;     /* a negative errno, sticks */
	enum recording_problem problem;
	struct recording_header header;
	z_stream inflate;
	size_t begin, end; /* what of records is not yet handed out */
	unsigned char in[BUFFER_SIZE];
	/* Sizes are multiples of 8, so every record in it is aligned. */
	alignas(8) unsigned char records[BUFFER_SIZE];
};

static int wait_readable(int fd)
{
	struct pollfd item = {.fd = fd, .events = POLLIN};

	return poll(&item, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

/* One read(2) that is neither interrupted nor told to come again: bytes, 0 at the end, or a negative errno.
 */
static ssize_t read_some(int fd, void *data, size_t size)
{
	for (;;) {
		ssize_t got = read(fd, data, size);
		int error = 0;

		if (got >= 0)
			return got;
		if (errno == EAGAIN)
			error = wait_readable(fd);
		else if (errno != EINTR)
			error = -errno;
		if (error)
			return error;
	}
}

/* As many bytes as there are up to size, or a negative errno. */
static ssize_t read_full(int fd, void *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = read_some(fd, (char *)data + done, size - done);

		if (got < 0)
			return got;
		if (got == 0)
			break;
		done += got;
	}
	return done;
}

/* Reads what a longer header has after ours, and checks the checksum over both. */
static int check_header_rest(int fd, const struct recording_header *header)
{
	unsigned char rest[HEADER_SIZE_MAX];
	size_t size = header->header_size - sizeof(*header);
	ssize_t got = read_full(fd, rest, size);

	if (got < 0)
		return got;
	if ((size_t)got < size)
		return RECORDING_TRUNCATED;
	if (crc32(recording_checksum(*header), rest, size) != header->checksum)
		return RECORDING_DAMAGED;
	return 0;
}

/* 0, a negative errno or a problem. The version comes before the checksum: a later one may count it
 * otherwise. */
static int read_header(int fd, struct recording_header *header)
{
	char magic[sizeof(header->magic)] = RECORDING_MAGIC;
	ssize_t got = read_full(fd, header, sizeof(*header));
	int problem;

	if (got < 0)
		return got;
	if (memcmp(header->magic, magic, (size_t)got < sizeof(magic) ? (size_t)got : sizeof(magic)) != 0)
		return RECORDING_NOT_ONE;
	if ((size_t)got < sizeof(*header))
		return RECORDING_TRUNCATED;
	if (header->endian == __builtin_bswap32(RECORDING_ENDIAN))
		return RECORDING_OTHER_ENDIAN;
	if (header->endian != RECORDING_ENDIAN)
		return RECORDING_DAMAGED;
	if (header->version > RECORDING_VERSION)
		return RECORDING_TOO_NEW;
	if (header->header_size < sizeof(*header) || header->header_size > HEADER_SIZE_MAX)
		return RECORDING_DAMAGED;
	problem = check_header_rest(fd, header);
	if (problem)
		return problem;
	header->boot_id[sizeof(header->boot_id) - 1] = '\0';
	return header->schema > PORTSNOOP_SCHEMA ? RECORDING_TOO_NEW : 0;
}

static int open_input(struct recording_reader *r, const char *path)
{
	if (strcmp(path, "-") == 0) {
		r->fd = STDIN_FILENO;
		return 0;
	}
	do
		r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	while (r->fd < 0 && errno == EINTR);
	r->close_fd = r->fd >= 0;
	return r->fd < 0 ? -errno : 0;
}

int recording_open(const char *path, struct recording_reader **ret_reader)
{
	struct recording_reader *r = calloc(1, sizeof(*r));
	int error;

	if (!r)
		return -ENOMEM;
	r->problem = RECORDING_TRUNCATED;
	error = open_input(r, path);
	if (!error)
		error = read_header(r->fd, &r->header);
	if (!error && inflateInit2(&r->inflate, WINDOW_BITS_GZIP) != Z_OK)
		error = -ENOMEM;
	if (error) {
		recording_close(r);
		return error;
	}
	*ret_reader = r;
	return 0;
}

const struct recording_header *recording_get_header(const struct recording_reader *r)
{
	return &r->header;
}

enum recording_problem recording_state(const struct recording_reader *r)
{
	return r->problem;
}

void recording_close(struct recording_reader *r)
{
	if (!r)
		return;
	if (r->close_fd)
		close(r->fd);
	inflateEnd(&r->inflate);
	free(r);
}

static void stop_input(struct recording_reader *r, enum recording_problem problem)
{
	r->ended = true;
	r->problem = problem;
}

/* Gives inflate more of the file if it has used up what it had. 0, or a negative errno. */
static int refill_input(struct recording_reader *r)
{
	ssize_t got;

	if (r->inflate.avail_in > 0)
		return 0;
	got = read_some(r->fd, r->in, sizeof(r->in));
	if (got < 0)
		return got;
	if (got == 0)
		stop_input(r, RECORDING_TRUNCATED);
	r->inflate.next_in = r->in;
	r->inflate.avail_in = got;
	return 0;
}

/* One inflate(): 0, or -ENOMEM. r->end moves by what came out. */
static int inflate_some(struct recording_reader *r)
{
	int code;

	r->inflate.next_out = r->records + r->end;
	r->inflate.avail_out = sizeof(r->records) - r->end;
	code = inflate(&r->inflate, Z_NO_FLUSH);
	r->end = sizeof(r->records) - r->inflate.avail_out;
	if (code == Z_MEM_ERROR)
		return -ENOMEM;
	if (code == Z_STREAM_END) {
		r->verified = true;
		/* Unless the end mark is among what has come: see read_end(). */
		stop_input(r, RECORDING_DAMAGED);
	} else if (code != Z_OK && code != Z_BUF_ERROR) {
		stop_input(r, RECORDING_DAMAGED);
	}
	return 0;
}

/* Appends to records until something has come or nothing will. 0, or a negative errno. */
static int refill_records(struct recording_reader *r)
{
	size_t kept = r->end - r->begin;
	int error = 0;

	memmove(r->records, r->records + r->begin, kept);
	r->begin = 0;
	r->end = kept;
	while (!error && !r->ended && r->end == kept) {
		/* First inflate: it may have more to give from what it was given before. */
		error = inflate_some(r);
		if (!error && !r->ended && r->end == kept)
			error = refill_input(r);
	}
	return error;
}

static int stop(struct recording_reader *r, enum recording_problem problem)
{
	stop_input(r, problem);
	r->begin = r->end = 0;
	return 0;
}

static bool is_end(const unsigned char *data)
{
	struct recording_end end;

	memcpy(&end, data, sizeof(end));
	return end.size == sizeof(end) && memcmp(end.text, RECORDING_END, sizeof(end.text)) == 0;
}

/* Behind the end mark: only the gzip trailer may follow, then the end of the file. */
static int read_end(struct recording_reader *r)
{
	ssize_t more;
	int error;

	r->begin += sizeof(struct recording_end);
	if (!r->ended && r->begin == r->end) {
		error = refill_records(r);
		if (error)
			return error;
	}
	if (r->begin != r->end)
		return stop(r, RECORDING_DAMAGED);
	if (!r->verified)
		return stop(r, r->problem);
	more = r->inflate.avail_in > 0 ? 1 : read_some(r->fd, r->in, sizeof(r->in));
	if (more < 0)
		return more;
	return stop(r, more > 0 ? RECORDING_DAMAGED : RECORDING_OK);
}

static bool is_plausible(size_t size)
{
	return size >= sizeof(struct rec_header) && size <= REC_SIZE_MAX && size % 8 == 0;
}

static int read_next(struct recording_reader *r, const void **ret_record)
{
	int error;

	for (;;) {
		const unsigned char *first = r->records + r->begin;
		size_t have = r->end - r->begin;
		uint16_t size;

		if (have >= sizeof(struct recording_end)) {
			memcpy(&size, first, sizeof(size));
			if (is_end(first))
				return read_end(r);
			if (!is_plausible(size))
				return stop(r, RECORDING_DAMAGED);
			if (have >= size) {
				r->begin += size;
				*ret_record = first;
				return size;
			}
		}
		if (r->ended)
			return stop(r, r->problem);
		error = refill_records(r);
		if (error)
			return error;
	}
}

int recording_read(struct recording_reader *r, const void **ret_record)
{
	int result = r->error ? r->error : read_next(r, ret_record);

	if (result < 0)
		r->error = result;
	return result;
}
