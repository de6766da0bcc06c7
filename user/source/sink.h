/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a source puts its records, one by one, in order. */
#ifndef PORTSNOOP_SOURCE_SINK_H
#define PORTSNOOP_SOURCE_SINK_H

#include <stddef.h>

struct sink {
	/* Takes one record (8-byte aligned, valid during the call). Non-zero: no more, pass it on. */
	int (*take)(void *context, const void *record, size_t size);
	void *context;
};

static inline int sink_put(const struct sink *sink, const void *record, size_t size)
{
	return sink->take(sink->context, record, size);
}

#endif
