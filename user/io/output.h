/* SPDX-License-Identifier: GPL-2.0-only */
/* Buffered text to a descriptor. The first error sticks: nothing more is written, everybody is told. */
#ifndef PORTSNOOP_IO_OUTPUT_H
#define PORTSNOOP_IO_OUTPUT_H

#include <stddef.h>

#define OUTPUT_BUFFER_BYTES (64u << 10)

struct output {
	int fd;
	int error; /* 0 or a negative errno */
	size_t length;
	char buffer[OUTPUT_BUFFER_BYTES];
};

void output_init(struct output *output, int fd);
/* 0 or the sticking error, as of write_all(). */
int output_put(struct output *output, const char *text, size_t length);
int output_flush(struct output *output);

#endif
