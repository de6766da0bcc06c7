/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/netns_settings.h"

#include "source/meta.h"
#include "system/proc.h"

#include <stdio.h>
#include <string.h>

static int put_range(const struct sink *to, uint32_t inode)
{
	uint16_t low, high;
	char text[32];

	if (!proc_ephemeral_range(&low, &high))
		return 0;
	snprintf(text, sizeof(text), "%u %u", low, high);
	return meta_put(to, META_RANGE, inode, text);
}

/* Half a list is worse than none. */
static int put_line(const struct sink *to, enum meta_type type, uint32_t inode, const char *path)
{
	char text[META_TEXT_MAX + 2];
	ssize_t length = proc_read(path, text, sizeof(text));

	if (length < 0 || (size_t)length == sizeof(text) - 1)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	return meta_put(to, type, inode, text);
}

int netns_settings_put(const struct sink *to, uint32_t inode)
{
	int result = put_range(to, inode);

	if (!result)
		result = put_line(to, META_RESERVED, inode, "/proc/sys/net/ipv4/ip_local_reserved_ports");
	if (!result)
		result = put_line(to, META_TW_REUSE, inode, "/proc/sys/net/ipv4/tcp_tw_reuse");
	return result;
}
