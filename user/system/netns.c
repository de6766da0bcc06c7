/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A name is a file that a namespace is mounted on. For names, only its inode is looked at: nothing is opened
 * for reading and no namespace is entered.
 */
#include "system/netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define NS_PER_S     INT64_C(1000000000)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* hidden is docker's name for the namespace of the machine, which comes and goes with the containers in it.
 * The first two are one directory on most systems. */
static const struct {
	const char *path, *hidden;
} directories[] = {{"/run/netns", ""}, {"/var/run/netns", ""}, {"/run/docker/netns", "default"}};

/* 0: no namespace is mounted there. */
static uint32_t inode_of(int directory_fd, const char *name)
{
	int fd = openat(directory_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct statfs filesystem;
	struct stat file;
	uint32_t inode = 0;

	if (fd < 0)
		return 0;
	if (fstatfs(fd, &filesystem) == 0 && filesystem.f_type == NSFS_MAGIC && fstat(fd, &file) == 0)
		inode = (uint32_t)file.st_ino;
	close(fd);
	return inode;
}

static int each_in(DIR *directory, const char *hidden,
		   int (*callback)(void *context, uint32_t inode, const char *name), void *context)
{
	struct dirent *entry;
	int result = 0;

	while (!result && (entry = readdir(directory))) {
		uint32_t inode = 0;

		if (entry->d_name[0] != '.' && strcmp(entry->d_name, hidden))
			inode = inode_of(dirfd(directory), entry->d_name);
		if (inode)
			result = callback(context, inode, entry->d_name);
	}
	return result;
}

int netns_each_name(int (*callback)(void *context, uint32_t inode, const char *name), void *context)
{
	int result = 0;

	for (size_t i = 0; i < COUNT(directories) && !result; i++) {
		DIR *directory = opendir(directories[i].path);

		if (!directory)
			continue;
		result = each_in(directory, directories[i].hidden, callback, context);
		closedir(directory);
	}
	return result;
}

static int compare(void *context, uint32_t inode, const char *name)
{
	return !strcmp(context, name);
}

int netns_find_name(const char *name)
{
	return netns_each_name(compare, (char *)name) ? 0 : -ENOENT;
}

static int open_namespace(int directory_fd, const char *path)
{
	int fd = openat(directory_fd, path, O_RDONLY | O_CLOEXEC);
	struct statfs filesystem;

	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &filesystem) || filesystem.f_type != NSFS_MAGIC) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

static int open_name(const char *name)
{
	int fd = -ENOENT;

	for (size_t i = 0; i < COUNT(directories) && fd == -ENOENT; i++) {
		int directory = open(directories[i].path, O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (directory < 0)
			continue;
		fd = open_namespace(directory, name);
		close(directory);
	}
	return fd;
}

int netns_open(const char *word)
{
	char path[64];

	if (strchr(word, '/'))
		return open_namespace(AT_FDCWD, word);
	if (!*word || word[strspn(word, "0123456789")])
		return open_name(word);
	snprintf(path, sizeof(path), "/proc/%.20s/ns/net", word);
	return open_namespace(AT_FDCWD, path);
}

int64_t netns_names_changed_ns(void)
{
	int64_t latest = 0;

	for (size_t i = 0; i < COUNT(directories); i++) {
		struct stat directory;
		int64_t changed;

		if (stat(directories[i].path, &directory))
			continue;
		changed = directory.st_mtim.tv_sec * NS_PER_S + directory.st_mtim.tv_nsec;
		if (changed > latest)
			latest = changed;
	}
	return latest;
}
