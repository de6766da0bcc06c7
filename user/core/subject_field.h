/* SPDX-License-Identifier: GPL-2.0-only */
/* `has FIELD`: which fields the JSON line of a change or a row would have, without writing it. */
#ifndef PORTSNOOP_CORE_SUBJECT_FIELD_H
#define PORTSNOOP_CORE_SUBJECT_FIELD_H

#include <stdbool.h>
#include <stddef.h>

/* context is a struct subject_storage that is filled. A field that has parts is present when one of them is.
 * The prefix `portsnoop.` may be left out. */
bool subject_has_field(const void *context, const char *field);
/* Whether any line can have such a field. */
bool subject_field_exists(const char *field);
/* The index-th name in full, of those without parts; NULL behind the last. */
const char *subject_field_name(size_t index);

#endif
