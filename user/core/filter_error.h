/* SPDX-License-Identifier: GPL-2.0-only */
/* How the parser fills struct filter_error. */
#ifndef PORTSNOOP_CORE_FILTER_ERROR_H
#define PORTSNOOP_CORE_FILTER_ERROR_H

#include "core/filter.h"

/* What of the user's text a message quotes. */
#define FILTER_FOUND_SIZE 36

/* The text between quotation marks, cut when it is long. buf of FILTER_FOUND_SIZE. Returns buf. */
const char *filter_error_found(const char *text, size_t length, char *buf);

/* Says that there is an error at column of the words joined by blanks. error may be NULL. */
__attribute__((format(printf, 5, 6))) void filter_error_set(struct filter_error *error, char *const words[],
							    size_t n_words, size_t column, const char *format,
							    ...);

#endif
