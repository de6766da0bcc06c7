/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing a recording. recording_write() costs a copy in most calls; compression and system calls come once a
 * buffer. When to flush is the caller's business. Signals (SIGPIPE, SIGXFSZ) are, too.
 */
#include "io/recording.h"
#include "io/write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <portsnoop/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define BUFFER_SIZE (64 * 1024)
/* Fastest: it has to keep up with the ring. Records repeat so much that higher levels gain little. */
#define COMPRESSION_LEVEL 1
#define WINDOW_BITS_GZIP  (15 + 16)
#define MEMORY_LEVEL	  8

struct recording_writer {
	int fd;
	bool close_fd;
	bool created; /* the file was not there */
	bool begun;   /* something was written: what was in the file is gone */
	int error;    /* the first one, sticks */
	z_stream deflate;
	gz_header gzip_header;		    /* deflate refers to it until its first output */
	size_t pending;			    /* bytes in records */
	unsigned char records[BUFFER_SIZE]; /* not yet compressed */
	unsigned char out[BUFFER_SIZE];	    /* compressed, not yet written; deflate.next_out is its end */
};

/* Only now what was in the file before gives way. What cannot be cut is written into as it is. */
static int begin_writing(struct recording_writer *w)
{
	w->begun = true;
	return w->close_fd && ftruncate(w->fd, 0) && errno != EINVAL ? -errno : 0;
}

static int write_out(struct recording_writer *w)
{
	int error = w->begun ? 0 : begin_writing(w);

	if (!error)
		error = write_all(w->fd, w->out, (size_t)(w->deflate.next_out - w->out));
	w->deflate.next_out = w->out;
	w->deflate.avail_out = sizeof(w->out);
	return error;
}

/* Compresses all pending records; with flush as deflate() takes it. */
static int compress_pending(struct recording_writer *w, int flush)
{
	int error, code;

	w->deflate.next_in = w->records;
	w->deflate.avail_in = w->pending;
	w->pending = 0;
	do {
		if (w->deflate.avail_out == 0) {
			error = write_out(w);
			if (error)
				return error;
		}
		code = deflate(&w->deflate, flush);
		if (code == Z_STREAM_ERROR)
			return -EIO;
		/* Z_BUF_ERROR only says that there was nothing left to do. */
	} while (w->deflate.avail_out == 0);
	return 0;
}

static int start_deflate(struct recording_writer *w)
{
	w->deflate.next_out = w->out;
	w->deflate.avail_out = sizeof(w->out);
	if (deflateInit2(&w->deflate, COMPRESSION_LEVEL, Z_DEFLATED, WINDOW_BITS_GZIP, MEMORY_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	w->gzip_header = (gz_header){.os = 255 /* unknown */, .hcrc = 1};
	deflateSetHeader(&w->deflate, &w->gzip_header);
	return 0;
}

/* Our header stands in front of what deflate will put into the same buffer. */
static void put_header(struct recording_writer *w, struct recording_header header)
{
	memset(header.magic, 0, sizeof(header.magic));
	memcpy(header.magic, RECORDING_MAGIC, strlen(RECORDING_MAGIC));
	header.endian = RECORDING_ENDIAN;
	header.version = RECORDING_VERSION;
	header.header_size = sizeof(header);
	if (header.schema == 0)
		header.schema = PORTSNOOP_SCHEMA;
	header.boot_id[sizeof(header.boot_id) - 1] = '\0';
	header.checksum = recording_checksum(header);
	memcpy(w->out, &header, sizeof(header));
	w->deflate.next_out += sizeof(header);
	w->deflate.avail_out -= sizeof(header);
}

/* Arguments and paths of other users' processes stand in a recording: its owner alone may read it. */
static int open_output(struct recording_writer *w, const char *path)
{
	if (strcmp(path, "-") == 0) {
		w->fd = STDOUT_FILENO;
		return 0;
	}
	w->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600);
	w->created = w->fd >= 0;
	while (w->fd < 0 && (errno == EEXIST || errno == EINTR))
		w->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	w->close_fd = w->fd >= 0;
	return w->fd < 0 ? -errno : 0;
}

int recording_create(const char *path, struct recording_header header, struct recording_writer **ret_writer)
{
	struct recording_writer *w = calloc(1, sizeof(*w));
	int error;

	if (!w)
		return -ENOMEM;
	error = start_deflate(w);
	if (!error)
		error = open_output(w, path);
	if (error) {
		deflateEnd(&w->deflate);
		free(w);
		return error;
	}
	put_header(w, header);
	*ret_writer = w;
	return 0;
}

static bool is_record(const void *record, size_t size)
{
	uint16_t own_size;

	if (size < sizeof(struct rec_header) || size > REC_SIZE_MAX || size % 8 != 0)
		return false;
	memcpy(&own_size, record, sizeof(own_size));
	return own_size == size;
}

/* For size more bytes in records. */
static int make_room(struct recording_writer *w, size_t size)
{
	if (!w->error && size > sizeof(w->records) - w->pending)
		w->error = compress_pending(w, Z_NO_FLUSH);
	return w->error;
}

int recording_write(struct recording_writer *w, const void *record, size_t size)
{
	if (w->error)
		return w->error;
	if (!is_record(record, size))
		return -EINVAL;
	if (make_room(w, size) < 0)
		return w->error;
	memcpy(w->records + w->pending, record, size);
	w->pending += size;
	return 0;
}

static int flush_all(struct recording_writer *w, int flush)
{
	if (!w->error)
		w->error = compress_pending(w, flush);
	if (!w->error)
		w->error = write_out(w);
	return w->error;
}

int recording_flush(struct recording_writer *w)
{
	return flush_all(w, Z_SYNC_FLUSH);
}

static void put_end(struct recording_writer *w)
{
	struct recording_end end = {.size = sizeof(end)};

	if (make_room(w, sizeof(end)) < 0)
		return;
	memcpy(end.text, RECORDING_END, sizeof(end.text));
	memcpy(w->records + w->pending, &end, sizeof(end));
	w->pending += sizeof(end);
}

/* 0 or what close() says. EINTR: Linux has closed it all the same. */
static int free_writer(struct recording_writer *w)
{
	int error = w->close_fd && close(w->fd) && errno != EINTR ? -errno : 0;

	deflateEnd(&w->deflate);
	free(w);
	return error;
}

int recording_finish(struct recording_writer *w)
{
	int error, close_error;

	put_end(w);
	error = flush_all(w, Z_FINISH);
	close_error = free_writer(w);
	return error ? error : close_error;
}

int recording_abandon(struct recording_writer *w, const char *path)
{
	if (w->begun || w->pending)
		return recording_finish(w);
	if (w->created)
		unlink(path);
	return free_writer(w);
}
