/* SPDX-License-Identifier: GPL-2.0-only */
/* Why something could not be done, in words for the person who asked; the program prints it once. */
#ifndef PORTSNOOP_SOURCE_FAULT_H
#define PORTSNOOP_SOURCE_FAULT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

struct fault {
	char text[1024];
	bool unsupported; /* a missing privilege or kernel feature: exit status 3 */
};

/* Always returns error, so that it can end a function. */
__attribute__((format(printf, 3, 4))) static inline int fault_set(struct fault *fault, int error,
								  const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(fault->text, sizeof(fault->text), format, arguments);
	va_end(arguments);
	return error;
}

/* That the kernel refused `what`: with its reason, which kernel it is, and what is needed. */
static inline int fault_set_refused(struct fault *fault, int error, const char *what)
{
	struct utsname kernel;

	if (uname(&kernel))
		kernel.release[0] = '\0';
	fault->unsupported = true;
	return fault_set(
		fault, error,
		"this kernel (%s) refuses %s: %s. portsnoop needs what Linux 5.15 has; --verbose shows "
		"what the kernel says",
		kernel.release, what, strerror(-error));
}

#endif
