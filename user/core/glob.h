/* SPDX-License-Identifier: GPL-2.0-only */
/* Patterns with * and ?, matched in bounded stack and without allocation. */
#ifndef PORTSNOOP_CORE_GLOB_H
#define PORTSNOOP_CORE_GLOB_H

#include <stdbool.h>

/*
 * Does the whole of text match the pattern? `*` is any run of bytes, slashes included; `?` is one UTF-8
 * character, or one byte where text is not UTF-8; a backslash takes what follows it as it is. There are no
 * bracket sets. At worst length of pattern times length of text steps.
 */
bool glob_match(const char *pattern, const char *text);

#endif
