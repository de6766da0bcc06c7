/* SPDX-License-Identifier: GPL-2.0-only */
/* Users and services as the system's nsswitch.conf(5) says. */
#include "system/lookup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#define RECORD_MAX 16384 /* of passwd and services */

const char *lookup_limits(void)
{
	return NULL;
}

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
