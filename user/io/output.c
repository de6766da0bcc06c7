/* SPDX-License-Identifier: GPL-2.0-only */
#include "io/output.h"

#include "io/write_all.h"

#include <string.h>

void output_init(struct output *output, int fd)
{
	output->fd = fd;
	output->error = 0;
	output->length = 0;
}

int output_flush(struct output *output)
{
	if (!output->error && output->length)
		output->error = write_all(output->fd, output->buffer, output->length);
	output->length = 0;
	return output->error;
}

int output_put(struct output *output, const char *text, size_t length)
{
	if (output->length + length > sizeof(output->buffer))
		output_flush(output);
	if (output->error)
		return output->error;
	if (length > sizeof(output->buffer)) {
		output->error = write_all(output->fd, text, length);
		return output->error;
	}
	memcpy(output->buffer + output->length, text, length);
	output->length += length;
	return 0;
}
