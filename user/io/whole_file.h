/* SPDX-License-Identifier: GPL-2.0-only */
/* A file that others read at any time: what is in it is the whole of the last writing, or of the one before.
 * Only a file proper gives way to another; a device, a pipe or a directory stays what it is. */
#ifndef PORTSNOOP_IO_WHOLE_FILE_H
#define PORTSNOOP_IO_WHOLE_FILE_H

#include <stddef.h>
#include <sys/types.h>

struct whole_file;

/* Nothing is made yet. At a symbolic link it is what it points to that is replaced. 0 or a negative errno;
 * -EEXIST: something is there that is no file. */
int whole_file_new(const char *path, mode_t mode, struct whole_file **ret_file);
/* 0 or a negative errno: then there is what was there. */
int whole_file_write(struct whole_file *file, const void *data, size_t length);
/* The file stays. NULL is none. */
void whole_file_free(struct whole_file *file);

#endif
