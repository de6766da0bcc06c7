/* SPDX-License-Identifier: GPL-2.0-only */
/* Comparing what the tool printed with the truth. */
#ifndef LIVE_LEDGER_H
#define LIVE_LEDGER_H

#include "tool.h"

/*
 * Every line of truth must have its event and every event in the scenario's namespace its line of truth,
 * matched by kind and cookie in their order; the keys that the truth names must have those values. Kinds
 * whose number is not the actors' doing (refuse, overflow, conflicts) count only when the truth has some,
 * those in `ignore` (a list with blanks, or NULL) not at all. Fails the scenario at any difference.
 */
void ledger_check(const struct tool *tool, const char *ignore);
/* The same on a file of lines. */
void ledger_check_file(struct scene *scene, const char *path, const char *ignore);
/* As ledger_check(), but returns the number of differences and prints them. */
unsigned ledger_compare(struct scene *scene, const char *path, const char *ignore);

#endif
