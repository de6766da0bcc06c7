/* SPDX-License-Identifier: GPL-2.0-only */
/* Stands in for HTTP in a program without shared libraries, which can load none. */
#include "io/http_api.h"

#include <errno.h>
#include <stdio.h>

int http_load(const struct http_api **ret_api, char *message, size_t size)
{
	snprintf(message, size, "this portsnoop was built without HTTP: use --textfile or --once");
	return -EOPNOTSUPP;
}
