/* SPDX-License-Identifier: GPL-2.0-only */
#include "system/services_file.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define SPACE " \t\r\n"

static uint16_t protocol_number(const char *name)
{
	return !strcmp(name, "tcp") ? IPPROTO_TCP : !strcmp(name, "udp") ? IPPROTO_UDP : 0;
}

/* NAME PORT/PROTOCOL ALIAS... # comment */
static bool parse(struct service *service)
{
	char *rest = service->line, *number, *end;
	unsigned long port;

	service->line[strcspn(service->line, "#")] = '\0';
	service->name = strtok_r(rest, SPACE, &rest);
	number = service->name ? strtok_r(NULL, SPACE, &rest) : NULL;
	if (!number || *number < '0' || *number > '9')
		return false;
	port = strtoul(number, &end, 10);
	if (port > UINT16_MAX || *end != '/' || !end[1])
		return false;
	service->port = (uint16_t)port;
	service->protocol = protocol_number(end + 1);
	service->aliases = rest;
	return true;
}

static void skip_line(FILE *file)
{
	int c;

	do
		c = getc(file);
	while (c != '\n' && c != EOF);
}

bool services_next(FILE *file, struct service *ret)
{
	while (fgets(ret->line, sizeof(ret->line), file)) {
		if (!strchr(ret->line, '\n') && !feof(file))
			skip_line(file);
		if (parse(ret))
			return true;
	}
	return false;
}

bool service_is_called(struct service *service, const char *name)
{
	const char *alias;

	if (!strcmp(service->name, name))
		return true;
	while ((alias = strtok_r(NULL, SPACE, &service->aliases)))
		if (!strcmp(alias, name))
			return true;
	return false;
}
