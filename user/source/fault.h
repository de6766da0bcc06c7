/* SPDX-License-Identifier: GPL-2.0-only */
/* Why something could not be done, in words for the person who asked; the program prints it once. */
#ifndef PORTSNOOP_SOURCE_FAULT_H
#define PORTSNOOP_SOURCE_FAULT_H

#include <stdbool.h>

struct fault {
	char text[1024];
	bool unsupported; /* a missing privilege or kernel feature: exit status 3 */
};

/* Always returns error, so that it can end a function. */
int fault_set(struct fault *fault, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
/*
 * That the kernel refused `what`: with its reason, which kernel it is, and what is needed, as far as the
 * negative errno says it. Of too many open files the kernel is not blamed.
 */
int fault_set_refused(struct fault *fault, int error, const char *what);

#endif
