/* SPDX-License-Identifier: GPL-2.0-only */
/* What the writer and the reader of recordings share: the header's checksum, and the problems in words. */
#include "io/recording.h"

#include <zlib.h>

uint32_t recording_checksum(struct recording_header header)
{
	header.checksum = 0;
	return crc32(0, (const Bytef *)&header, sizeof(header));
}

const char *recording_strerror(enum recording_problem problem)
{
	switch (problem) {
	case RECORDING_OK:
		return "the recording is whole";
	case RECORDING_NOT_ONE:
		return "this is not a portsnoop recording";
	case RECORDING_OTHER_ENDIAN:
		return "the recording was made on a machine of the other byte order; replay it on such a "
		       "machine";
	case RECORDING_TOO_NEW:
		return "the recording was made by a newer portsnoop; replay it with that version";
	case RECORDING_DAMAGED:
		return "the recording is damaged: what came after the damage is lost";
	case RECORDING_TRUNCATED:
		return "the recording is cut short: it ends before its end mark";
	}
	return "unknown problem";
}
