/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The value of a label between its quotes, as OpenMetrics and the text format 0.0.4 have it. Values are
 * hostile bytes: what is no UTF-8 becomes U+FFFD, since scrapers refuse the whole answer over one; control
 * characters but the newline, and those that reorder text, are shown as \xNN and \u{NNNN}.
 */
#ifndef PORTSNOOP_VIEW_LABEL_VALUE_H
#define PORTSNOOP_VIEW_LABEL_VALUE_H

#include <stddef.h>

#define LABEL_VALUE_GROWTH 5 /* bytes that one takes at most */
#define LABEL_VALUE_SLACK  8 /* bytes behind the last that may be written, too */

/*
 * Writes the value that *value points to up to its NUL, which is before end; *value comes to what is behind
 * that. Returns where the text ends, without a NUL.
 */
char *label_value_put(char *to, const char **value, const char *end);

#endif
