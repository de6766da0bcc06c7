/* SPDX-License-Identifier: GPL-2.0-only */
/* The format of /etc/services, services(5). */
#ifndef PORTSNOOP_SYSTEM_SERVICES_FILE_H
#define PORTSNOOP_SYSTEM_SERVICES_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct service {
	uint16_t protocol; /* IPPROTO_TCP, IPPROTO_UDP, or 0 for another */
	uint16_t port;	   /* host order */
	const char *name;
	char line[1024]; /* in which name points; behind it further names */
	char *aliases;
};

/* The next entry; what is none is passed over, and of a line too long what does not fit is. False: no more.
 */
bool services_next(FILE *file, struct service *ret);
/* Whether this is its name or one of its aliases. To be asked once: it takes the aliases apart. */
bool service_is_called(struct service *service, const char *name);

#endif
