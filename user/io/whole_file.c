/* SPDX-License-Identifier: GPL-2.0-only */
#include "io/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct whole_file {
	char *path;
	char *draft; /* beside it: a rename must not cross file systems */
	mode_t mode;
};

/* Whether it may be replaced: a file, or nothing yet. */
static int check(const char *path)
{
	struct stat status;

	if (lstat(path, &status))
		return errno == ENOENT ? 0 : -errno;
	return S_ISREG(status.st_mode) ? 0 : -EEXIST;
}

/* What a symbolic link means, followed to its end; anything else means itself. */
static int resolve(const char *path, char **ret_path)
{
	struct stat status;
	bool link = !lstat(path, &status) && S_ISLNK(status.st_mode);

	*ret_path = link ? realpath(path, NULL) : strdup(path);
	return *ret_path ? 0 : -errno;
}

int whole_file_new(const char *path, mode_t mode, struct whole_file **ret_file)
{
	struct whole_file *file = calloc(1, sizeof(*file));
	int error = file ? resolve(path, &file->path) : -ENOMEM;

	if (!error)
		error = check(file->path);
	if (!error && asprintf(&file->draft, "%s.%d.tmp", file->path, (int)getpid()) < 0) {
		file->draft = NULL;
		error = -ENOMEM;
	}
	if (error) {
		whole_file_free(file);
		return error;
	}
	file->mode = mode;
	*ret_file = file;
	return 0;
}

void whole_file_free(struct whole_file *file)
{
	if (!file)
		return;
	free(file->draft);
	free(file->path);
	free(file);
}

/* Always one of our own making: what stands there already was left over, or put there by somebody else. */
static int open_draft(const struct whole_file *file)
{
	unlink(file->draft);
	return open(file->draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, file->mode);
}

static int write_all(int fd, const char *data, size_t length)
{
	while (length) {
		ssize_t written = write(fd, data, length);

		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			data += written;
			length -= (size_t)written;
		}
	}
	return 0;
}

int whole_file_write(struct whole_file *file, const void *data, size_t length)
{
	int error = check(file->path), fd;

	if (error)
		return error;
	fd = open_draft(file);
	if (fd < 0)
		return -errno;
	error = write_all(fd, data, length);
	if (close(fd) && !error)
		error = -errno;
	if (!error && rename(file->draft, file->path))
		error = -errno;
	if (error)
		unlink(file->draft);
	return error;
}
