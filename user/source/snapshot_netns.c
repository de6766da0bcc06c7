/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/snapshot_netns.h"

#include "core/table.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMED "/run/netns"

struct netns_set {
	struct table *rows;
	int own_fd;
	uint32_t own_inode;
	uint32_t entered; /* inode of where the thread is */
};

static bool netns_equal(const void *row, const void *key)
{
	return ((const struct netns *)row)->inode == *(const uint32_t *)key;
}

static struct netns *find(const struct netns_set *set, uint32_t inode)
{
	return table_find(set->rows, table_hash(inode, 0), &inode);
}

static struct netns *find_or_add(struct netns_set *set, uint32_t inode)
{
	struct netns *netns = find(set, inode);

	if (netns)
		return netns;
	netns = table_add(set->rows, table_hash(inode, 0));
	if (netns)
		netns->inode = inode;
	return netns;
}

struct netns_set *netns_set_new(void)
{
	struct netns_set *set = calloc(1, sizeof(*set));
	struct stat st;

	if (!set)
		return NULL;
	set->rows = table_new(sizeof(struct netns), WALK_NETNS_MAX, netns_equal);
	set->own_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (set->own_fd >= 0 && fstat(set->own_fd, &st) == 0)
		set->own_inode = (uint32_t)st.st_ino;
	set->entered = set->own_inode;
	if (!set->rows || !find_or_add(set, set->own_inode)) {
		netns_set_free(set);
		return NULL;
	}
	return set;
}

static int forget(void *row, void *context)
{
	free(((struct netns *)row)->name);
	return 0;
}

void netns_set_free(struct netns_set *set)
{
	if (!set)
		return;
	if (set->rows)
		table_each(set->rows, forget, NULL);
	table_free(set->rows);
	if (set->own_fd >= 0)
		close(set->own_fd);
	free(set);
}

bool netns_set_add_task(struct netns_set *set, uint32_t inode, uint32_t tid)
{
	struct netns *netns = find_or_add(set, inode);

	if (netns && netns->n_tids < WALK_NETNS_TASKS)
		netns->tids[netns->n_tids++] = tid;
	return netns;
}

static bool add_named(struct netns_set *set, int folder_fd, const char *name)
{
	struct netns *netns;
	struct stat st;

	if (*name == '.' || fstatat(folder_fd, name, &st, 0))
		return true;
	netns = find_or_add(set, (uint32_t)st.st_ino);
	if (netns && !netns->name)
		netns->name = strdup(name); /* without memory, a task may still lead there */
	return netns;
}

bool netns_set_add_named(struct netns_set *set)
{
	DIR *folder = opendir(NAMED);
	struct dirent *entry;
	bool room = true;

	if (!folder)
		return true; /* none have names here */
	while (room && (entry = readdir(folder)))
		room = add_named(set, dirfd(folder), entry->d_name);
	closedir(folder);
	return room;
}

bool netns_set_reveal(struct netns_set *set, uint32_t inode)
{
	struct netns *netns = find_or_add(set, inode);

	if (netns)
		netns->revealed = true;
	if (netns && netns->state == NETNS_GONE) {
		netns->state = NETNS_WAITING;
		netns->n_tids = 0; /* for those that are there now */
	}
	return netns;
}

struct each {
	int (*callback)(struct netns *netns, void *context);
	void *context;
};

static int each_row(void *row, void *context)
{
	const struct each *each = context;

	return each->callback(row, each->context);
}

int netns_set_each(struct netns_set *set, int (*callback)(struct netns *netns, void *context), void *context)
{
	struct each each = {callback, context};

	return table_each(set->rows, each_row, &each);
}

/* --- going there ------------------------------------------------------------------------------------------
 */

/* Only if what is there now is that namespace: the task's number may be another's, or it moved on. */
static int enter_by(const char *path, uint32_t inode)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), error = 0;
	struct stat st;

	if (fd < 0)
		return errno == ESRCH ? -ENOENT : -errno;
	if (fstat(fd, &st) || (uint32_t)st.st_ino != inode)
		error = -ENOENT;
	else if (setns(fd, CLONE_NEWNET))
		error = -errno;
	close(fd);
	return error;
}

int netns_enter(struct netns_set *set, const struct netns *netns)
{
	char path[sizeof(NAMED) + NAME_MAX + 1];
	int error = -ENOENT;

	if (netns->inode == set->entered)
		return 0;
	for (unsigned i = 0; error == -ENOENT && i < netns->n_tids; i++) {
		snprintf(path, sizeof(path), "/proc/%u/ns/net", netns->tids[i]);
		error = enter_by(path, netns->inode);
	}
	if (error == -ENOENT && netns->name) {
		snprintf(path, sizeof(path), NAMED "/%s", netns->name);
		error = enter_by(path, netns->inode);
	}
	if (!error)
		set->entered = netns->inode;
	return error;
}

int netns_return(struct netns_set *set)
{
	if (set->entered == set->own_inode)
		return 0;
	if (setns(set->own_fd, CLONE_NEWNET))
		return -errno;
	set->entered = set->own_inode;
	return 0;
}
