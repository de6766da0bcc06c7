/* SPDX-License-Identifier: GPL-2.0-only */
/* What meta records said of users, services, namespaces and their ports. */
#include "core/model.h"
#include "core/names.h"

#include <errno.h>
#include <stdlib.h>

#define WELL_KNOWN_LAST	 1023
#define IANA_DYNAMIC_LOW 49152 /* RFC 6335, section 6 */

const char *model_user_name(const struct model *model, uint32_t uid)
{
	return names_get(model_names(model), META_USER, uid);
}

int model_user_id(const struct model *model, const char *name, uint32_t *ret_uid)
{
	uint64_t key;

	if (names_find(model_names(model), META_USER, name, &key))
		return -ENOENT;
	*ret_uid = (uint32_t)key;
	return 0;
}

const char *model_cgroup_path(const struct model *model, uint64_t cgroup_id)
{
	return names_get(model_names(model), META_CGROUP, cgroup_id);
}

/* A namespace that lost its name has an empty one, since inodes are used again. */
const char *model_netns_name(const struct model *model, uint32_t netns)
{
	const char *name = names_get(model_names(model), META_NETNS_NAME, netns);

	return name && *name ? name : NULL;
}

const char *model_service_name(const struct model *model, uint16_t protocol, uint16_t port)
{
	return names_get(model_names(model), META_SERVICE, (uint64_t)protocol << 16 | port);
}

int model_service_port(const struct model *model, const char *name, uint16_t *ret_port)
{
	uint64_t key;

	if (names_find(model_names(model), META_SERVICE, name, &key))
		return -ENOENT;
	*ret_port = (uint16_t)key;
	return 0;
}

static bool known_range(const struct model *model, uint32_t netns, uint16_t *ret_low, uint16_t *ret_high)
{
	const char *text = names_get(model_names(model), META_RANGE, netns);
	char *end;
	unsigned long low, high;

	if (!text)
		return false;
	low = strtoul(text, &end, 10);
	high = strtoul(end, NULL, 10);
	if (low > high || high > UINT16_MAX || !high)
		return false;
	*ret_low = (uint16_t)low;
	*ret_high = (uint16_t)high;
	return true;
}

const char *model_host(const struct model *model)
{
	return names_get(model_names(model), META_HOST, 0);
}

const char *model_version(const struct model *model)
{
	return names_get(model_names(model), META_VERSION, 0);
}

void model_ephemeral_ports(const struct model *model, uint32_t netns, uint16_t *ret_low, uint16_t *ret_high)
{
	if (!known_range(model, netns, ret_low, ret_high)) {
		*ret_low = IANA_DYNAMIC_LOW;
		*ret_high = UINT16_MAX;
	}
	if (*ret_low <= WELL_KNOWN_LAST)
		*ret_low = WELL_KNOWN_LAST + 1;
}

bool model_range_known(const struct model *model, uint32_t netns)
{
	uint16_t low, high;

	return known_range(model, netns, &low, &high);
}

bool model_reserved_ports(const struct model *model, uint32_t netns, struct port_set *ret_ports)
{
	const char *list = names_get(model_names(model), META_RESERVED, netns);

	*ret_ports = (struct port_set){{0}};
	if (list && port_set_add_list(ret_ports, list))
		return true;
	*ret_ports = (struct port_set){{0}};
	return false;
}

int model_tw_reuse(const struct model *model, uint32_t netns)
{
	const char *text = names_get(model_names(model), META_TW_REUSE, netns);

	return text && text[0] >= '0' && text[0] <= '2' && !text[1] ? text[0] - '0' : -1;
}

const char *model_port_class(const struct model *model, uint32_t netns, uint16_t port)
{
	uint16_t low, high;

	if (port <= WELL_KNOWN_LAST)
		return "well-known";
	model_ephemeral_ports(model, netns, &low, &high);
	return port >= low && port <= high ? "ephemeral" : "registered";
}
