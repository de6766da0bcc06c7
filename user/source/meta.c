/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/meta.h"

#include "system/proc.h"

#include <string.h>

int meta_put(const struct sink *to, enum meta_type type, uint64_t key, const char *text)
{
	union {
		struct rec_meta meta;
		char room[sizeof(struct rec_meta) + META_TEXT_MAX + 8];
	} u = {.room = {0}};
	size_t length = strnlen(text, META_TEXT_MAX);

	u.meta.header.size = (uint16_t)((sizeof(u.meta) + length + 1 + 7) & ~7ul);
	u.meta.header.kind = REC_META;
	u.meta.header.probe = PROBE_PROC;
	u.meta.header.time_ns = proc_boottime_ns();
	u.meta.key = key;
	u.meta.type = type;
	u.meta.length = (uint16_t)length;
	memcpy(u.meta.text, text, length);
	return sink_put(to, &u.meta, u.meta.header.size);
}

_Static_assert(sizeof(struct rec_meta) + META_TEXT_MAX + 8 <= REC_SIZE_MAX, "META_TEXT_MAX is too large");
