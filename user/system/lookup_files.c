/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Users and services for a static program: from the two files, whatever nsswitch.conf(5) says. What it names
 * are shared libraries, made for another C library than the one in here; loading them ends in a crash.
 */
#include "system/lookup.h"
#include "system/services_file.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#define RECORD_MAX 16384 /* of passwd */

const char *lookup_limits(void)
{
	return "static: names of users and services from /etc/passwd and /etc/services alone";
}

/* The first entry with this name, or without a name with this number. Their + and - lines are NIS's. */
static bool find_user(const char *name, uint32_t uid, struct passwd *ret_entry, char record[RECORD_MAX])
{
	FILE *file = fopen("/etc/passwd", "re");
	struct passwd *entry = NULL;
	bool found = false;

	while (file && !found && fgetpwent_r(file, ret_entry, record, RECORD_MAX, &entry) == 0)
		found = entry->pw_name[0] != '+' && entry->pw_name[0] != '-' &&
			(name ? !strcmp(entry->pw_name, name) : entry->pw_uid == uid);
	if (file)
		fclose(file);
	return found;
}

bool lookup_user(uint32_t uid, char *buf, size_t size)
{
	char record[RECORD_MAX];
	struct passwd entry;

	return find_user(NULL, uid, &entry, record) && snprintf(buf, size, "%s", entry.pw_name) < (int)size;
}

int lookup_user_id(const char *name, uint32_t *ret_uid)
{
	char record[RECORD_MAX];
	struct passwd entry;

	if (!find_user(name, 0, &entry, record))
		return -ENOENT;
	*ret_uid = entry.pw_uid;
	return 0;
}

int lookup_service_port(const char *name, uint16_t *ret_port)
{
	FILE *file = fopen("/etc/services", "re");
	struct service service;
	bool found = false;

	while (file && !found && services_next(file, &service))
		found = service_is_called(&service, name);
	if (file)
		fclose(file);
	if (!found)
		return -ENOENT;
	*ret_port = service.port;
	return 0;
}

void lookup_each_service(void (*callback)(void *context, uint16_t protocol, uint16_t port, const char *name),
			 void *context)
{
	FILE *file = fopen("/etc/services", "re");
	struct service service;

	while (file && services_next(file, &service))
		if (service.protocol)
			callback(context, service.protocol, service.port, service.name);
	if (file)
		fclose(file);
}
