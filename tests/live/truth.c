/* SPDX-License-Identifier: GPL-2.0-only */
#include "truth.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define TRUTH_SIZE (256u << 20) /* of address space; memory is what is written */

struct truth {
	_Atomic size_t used;
	char text[];
};

struct truth *truth_new(const struct scene *scene)
{
	return shared_new(scene, TRUTH_SIZE);
}

void truth_log(const struct scene *scene, const char *format, ...)
{
	struct truth *truth = scene->truth;
	char line[1024];
	va_list arguments;
	size_t length, at;

	va_start(arguments, format);
	length = (size_t)vsnprintf(line, sizeof(line) - 1, format, arguments);
	va_end(arguments);
	if (length >= sizeof(line) - 1)
		scene_fail(scene, "a line of truth is too long");
	line[length++] = '\n';
	at = atomic_fetch_add(&truth->used, length);
	if (at + length > TRUTH_SIZE - sizeof(*truth))
		scene_fail(scene, "the truth is too long");
	memcpy(truth->text + at, line, length);
}

const char *truth_next(const struct truth *truth, size_t *position, size_t *ret_length)
{
	size_t used = atomic_load(&truth->used);
	const char *line, *newline;

	/* An actor that was killed while it wrote leaves zeros. */
	while (*position < used && !truth->text[*position])
		(*position)++;
	if (*position >= used)
		return NULL;
	line = truth->text + *position;
	newline = memchr(line, '\n', used - *position);
	if (!newline)
		return NULL;
	*ret_length = (size_t)(newline - line) + 1;
	*position += *ret_length;
	return line;
}

unsigned truth_count(const struct truth *truth, const char *event)
{
	size_t position = 0, length, name = strlen(event);
	unsigned count = 0;
	const char *line;

	while ((line = truth_next(truth, &position, &length)))
		count += length > name && !memcmp(line, event, name) && line[name] == ' ';
	return count;
}

void truth_clear(struct truth *truth)
{
	atomic_store(&truth->used, 0);
}
