/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What really happened: an append-only text in memory that all actors share. A line is an event that the tool
 * has to print, `EVENT key=value ...`, written by the process that acted; keys are those of event.h, the
 * value
 * `*` stands for one that nobody can know, `-` for one that must be absent.
 */
#ifndef LIVE_TRUTH_H
#define LIVE_TRUTH_H

#include "scene.h"

struct truth *truth_new(const struct scene *scene);
void truth_log(const struct scene *scene, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Lines one after the other; *position begins at 0. The line ends with a newline. NULL at the end. */
const char *truth_next(const struct truth *truth, size_t *position, size_t *ret_length);
/* Lines of this event. */
unsigned truth_count(const struct truth *truth, const char *event);
void truth_clear(struct truth *truth);

#endif
