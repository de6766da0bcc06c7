/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who is in the way of the binds that fail with EADDRINUSE: a stage that lets every record pass and notes
 * those binds, and a thread that reads the kernel's tables of ports for them, at most once a second, and
 * answers with a REC_CONFLICTS each. The binds themselves never wait for it.
 */
#ifndef PORTSNOOP_SOURCE_CONFLICTS_H
#define PORTSNOOP_SOURCE_CONFLICTS_H

#include "source/sink.h"

struct conflicts;

/* to: where everything goes. The thread keeps the privileges that its maker has now. 0 or a negative errno.
 */
int conflicts_open(const struct sink *to, struct conflicts **ret_conflicts);
/* The way in. Valid as long as the stage. */
struct sink conflicts_sink(struct conflicts *conflicts);
/* Readable when answers have come. */
int conflicts_fd(const struct conflicts *conflicts);
/* Passes them on. 0, what the sink said, or a negative errno. */
int conflicts_take(struct conflicts *conflicts, const struct sink *sink);
/* The last of them: what was asked is answered now, and nothing more is asked. The same. */
int conflicts_finish(struct conflicts *conflicts, const struct sink *sink);
void conflicts_close(struct conflicts *conflicts);

#endif
