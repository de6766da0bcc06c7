/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hostile bytes (process names, paths, arguments) made safe for a terminal. For display only: a backslash
 * stays as it is, so the escapes cannot be read back.
 */
#ifndef PORTSNOOP_IO_TEXT_SAFE_H
#define PORTSNOOP_IO_TEXT_SAFE_H

#include <stddef.h>

/* An out of this size holds any in of in_len bytes uncut. */
#define TEXT_SAFE_SIZE(in_len) (4 * (in_len) + 1)

/*
 * Copies in (any bytes, NULs too) to out. Control characters (C0, DEL, C1) and invalid UTF-8 become \xNN, a
 * byte each; invisible characters that reorder text or break lines become \u{NNNN}; the rest stays. What
 * does not fit is cut before the first character or escape that does not fit whole. out is NUL-terminated
 * unless out_size is 0. Returns the bytes written, without the NUL.
 */
size_t text_safe(char *out, size_t out_size, const char *in, size_t in_len);

#endif
