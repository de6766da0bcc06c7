/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A recording: a small uncompressed header, then the records as they came, compressed by zlib, then
 * an end mark, so that a cut file is told from a whole one. Reading takes nothing on trust: it hands
 * out only records whose size is plausible; what they mean is the decoder's business.
 *
 * File: struct recording_header, header_size bytes | one gzip stream of records (RFC 1952, with a header CRC)
 * | inside it, last, struct recording_end. Every byte is under some checksum. A file that ends before its end
 * mark is truncated and is read up to the cut.
 */
#ifndef PORTSNOOP_IO_RECORDING_H
#define PORTSNOOP_IO_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORDING_MAGIC	  "portsnoop\r\n\x1a\n" /* 13 bytes; catches text-mode damage */
#define RECORDING_ENDIAN  0x01020304u		/* native order of the machine that wrote */
#define RECORDING_VERSION 1u

struct recording_header {
	char magic[16]; /* RECORDING_MAGIC, zero padded */
	uint32_t endian;
	uint32_t version;
	uint32_t schema;		/* PORTSNOOP_SCHEMA of the writer */
	uint32_t header_size;		/* bytes; a later version may be longer: skip what is not known */
	char boot_id[40];		/* /proc/sys/kernel/random/boot_id, NUL-terminated */
	int64_t clock_offset_ns;	/* CLOCK_REALTIME - CLOCK_BOOTTIME when the recording began */
	uint16_t range_low, range_high; /* ip_local_port_range of the writer's namespace; 0 unknown */
	uint32_t checksum; /* recording_checksum() of this header, then of what header_size adds to it */
};
_Static_assert(sizeof(struct recording_header) == 88, "recording_header has changed size");

#define RECORDING_END "theend"
struct recording_end {
	uint16_t size; /* 8, which no record has */
	char text[6];  /* RECORDING_END, without NUL */
};
_Static_assert(sizeof(struct recording_end) == 8, "recording_end has changed size");

struct recording_writer;
struct recording_reader;

/* CRC-32 of header with its checksum as 0. For the writer, the reader and their tests. */
uint32_t recording_checksum(struct recording_header header);

/*
 * Creates (readable by its owner only) or opens path ("-" is standard output). header.magic, endian,
 * version, header_size and checksum are filled in here, schema too if it is 0. 0 or a negative errno. Writes
 * nothing yet: a full disk shows at the first recording_flush(), and until then the file has what it had.
 */
int recording_create(const char *path, struct recording_header header, struct recording_writer **ret_writer);
/*
 * Buffers one record of size bytes: 0 or a negative errno. What is no record (its size field is not size, not
 * a multiple of 8, or not between struct rec_header and REC_SIZE_MAX) is refused with -EINVAL and changes
 * nothing. After any other error the writer refuses everything with that error.
 */
int recording_write(struct recording_writer *writer, const void *record, size_t size);
/* Makes everything written so far readable up to here (zlib sync flush and write). */
int recording_flush(struct recording_writer *writer);
/* Writes the end mark, flushes, closes; returns the first error of all. Frees writer in any case. */
int recording_finish(struct recording_writer *writer);
/*
 * For a run that failed: the same if there was anything to record; if not, the file at path is as it was
 * before recording_create(), or is not there.
 */
int recording_abandon(struct recording_writer *writer, const char *path);

/* What can be wrong with a recording besides an errno; recording_strerror() puts it in words. */
enum recording_problem {
	RECORDING_OK,
	RECORDING_NOT_ONE, /* no magic */
	RECORDING_OTHER_ENDIAN,
	RECORDING_TOO_NEW,   /* version or schema above ours */
	RECORDING_DAMAGED,   /* checksum, compression or record size */
	RECORDING_TRUNCATED, /* ends before its end mark */
};

/* Opens path ("-" is standard input) and reads the header. 0, a negative errno, or a positive enum
 * recording_problem. */
int recording_open(const char *path, struct recording_reader **ret_reader);
/* As it stands in the file, but boot_id ends in a NUL for certain. */
const struct recording_header *recording_get_header(const struct recording_reader *reader);
/* The next record: *ret_record stays valid until the next call, is 8-byte aligned, and its size field is what
 * is returned. Returns its size, 0 at the end (whole or not: see recording_state()), or a negative errno;
 * both stick. From a pipe, records are handed out as they arrive. */
int recording_read(struct recording_reader *reader, const void **ret_record);
/* RECORDING_OK once the end mark is read and the checksum is right, RECORDING_TRUNCATED before that,
 * RECORDING_DAMAGED from the damage on. */
enum recording_problem recording_state(const struct recording_reader *reader);
const char *recording_strerror(enum recording_problem problem);
void recording_close(struct recording_reader *reader);

#endif
