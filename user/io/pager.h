/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text that is longer than the terminal goes through a pager, as git does it: $PAGER, or `less -FRX`.
 * Anything else, and what is not for a terminal, goes where it would have gone.
 */
#ifndef PORTSNOOP_IO_PAGER_H
#define PORTSNOOP_IO_PAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* All members but out are the pager's own. */
struct pager {
	FILE *out; /* where to write */
	FILE *to;  /* where it ends up */
	char *text;
	size_t length;
};

/* Without wanted, or where to is no terminal or PAGER is empty or cat, out is to. 0 or -ENOMEM. */
int pager_begin(struct pager *pager, FILE *to, bool wanted);
/*
 * Shows what was written and waits until the reader has had enough. With error, nothing more is shown and it
 * comes back. 0 or a negative errno: of the stream; a pager that was left early is no error.
 */
int pager_end(struct pager *pager, int error);

#endif
