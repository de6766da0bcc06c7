/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/command_line.h"

#include <string.h>

#define ELLIPSIS "\xe2\x80\xa6" /* … */

/* Where the cut went through a character, what is left of it goes too. */
static size_t without_broken_end(const char *text, size_t length)
{
	size_t begin = length;

	while (begin && length - begin < 3 && ((unsigned char)text[begin - 1] & 0xc0) == 0x80)
		begin--;
	if (begin && (unsigned char)text[begin - 1] >= 0xc0)
		return begin - 1;
	return length;
}

size_t command_line(const struct actor *actor, char *buf)
{
	size_t length = actor_args_length(actor);

	if (length > REC_ARGS_MAX || !length)
		return 0;
	memcpy(buf, actor->process->args, length);
	for (size_t i = 0; i < length; i++)
		if (!buf[i])
			buf[i] = ' ';
	if (!actor->process->args_cut)
		return length;
	length = without_broken_end(buf, length);
	memcpy(buf + length, ELLIPSIS, strlen(ELLIPSIS));
	return length + strlen(ELLIPSIS);
}
