/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tables as records: whoever applies them has the same rows, holders, names and memory of last holders.
 * What one portsnoop answers another.
 */
#ifndef PORTSNOOP_CORE_DUMP_H
#define PORTSNOOP_CORE_DUMP_H

#include "core/model.h"

struct dump_options {
	uint64_t now_ns;   /* CLOCK_BOOTTIME: the time of the records */
	bool connections;  /* not only ports */
	bool destinations; /* what was seen of where connections went, too */
	uint16_t port;	   /* 0: all; otherwise what has this local port */
};

/* Calls put() for each record (8-byte aligned, valid during the call), until it returns something else than
 * 0. */
int dump_model(const struct model *model, const struct dump_options *options,
	       int (*put)(void *context, const void *record, size_t size), void *context);

#endif
