/* SPDX-License-Identifier: GPL-2.0-only */
#include "system/lookup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RECORD_MAX    16384 /* of passwd and services */
#define HANDLE_KERNFS 0xfe  /* FILEID_KERNFS, include/linux/exportfs.h: the handle is the 64-bit id */

bool lookup_user(uint32_t uid, char *buf, size_t size)
{
	char record[RECORD_MAX];
	struct passwd entry, *found = NULL;

	if (getpwuid_r(uid, &entry, record, sizeof(record), &found) || !found)
		return false;
	return snprintf(buf, size, "%s", found->pw_name) < (int)size;
}

int lookup_user_id(const char *name, uint32_t *ret_uid)
{
	char record[RECORD_MAX];
	struct passwd entry, *found = NULL;

	if (getpwnam_r(name, &entry, record, sizeof(record), &found) || !found)
		return -ENOENT;
	*ret_uid = found->pw_uid;
	return 0;
}

int lookup_service_port(const char *name, uint16_t *ret_port)
{
	char record[RECORD_MAX];
	struct servent entry, *found = NULL;

	if (getservbyname_r(name, NULL, &entry, record, sizeof(record), &found) || !found)
		return -ENOENT;
	*ret_port = ntohs((uint16_t)found->s_port);
	return 0;
}

static uint16_t protocol_number(const char *name)
{
	return !strcmp(name, "tcp") ? IPPROTO_TCP : !strcmp(name, "udp") ? IPPROTO_UDP : 0;
}

void lookup_each_service(void (*callback)(void *context, uint16_t protocol, uint16_t port, const char *name),
			 void *context)
{
	char record[RECORD_MAX];
	struct servent entry, *found;

	setservent(1);
	while (getservent_r(&entry, record, sizeof(record), &found) == 0 && found) {
		uint16_t protocol = protocol_number(found->s_proto);

		if (protocol)
			callback(context, protocol, ntohs((uint16_t)found->s_port), found->s_name);
	}
	endservent();
}

/* Where this descriptor's directory is in the tree that is seen here; a detached mount's own root is "". */
static bool path_of(int fd, char path[PATH_MAX])
{
	char link[40];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 1);
	if (n <= 0)
		return false;
	path[n == 1 ? 0 : n] = '\0'; /* "/" */
	return true;
}

bool lookup_cgroup(int cgroup2_fd, uint64_t id, char *buf, size_t size)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(id)];
	} u = {.handle = {.handle_bytes = sizeof(id), .handle_type = HANDLE_KERNFS}};
	char root[PATH_MAX], path[PATH_MAX];
	bool known;
	int fd;

	memcpy(u.handle.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(cgroup2_fd, &u.handle, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return false;
	known = path_of(fd, path) && path_of(cgroup2_fd, root) && !strncmp(path, root, strlen(root)) &&
		strlen(path) - strlen(root) < size;
	close(fd);
	if (known)
		strcpy(buf, path[strlen(root)] ? path + strlen(root) : "/");
	return known;
}
