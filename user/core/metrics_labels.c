/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/metrics_labels.h"

#include "core/filter_program.h"
#include "core/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static void put_port(const char **ret_value, char text[8], uint16_t port)
{
	if (!port)
		return;
	snprintf(text, 8, "%u", port);
	*ret_value = text;
}

/* Its ID; of one that has none the name. */
static const char *container_of_path(const char *path, char text[CGROUP_PART_TEXT_MAX])
{
	struct cgroup_name place;

	cgroup_name_read(path, &place);
	if (!place.id.length)
		return cgroup_container_name(&place, text);
	memcpy(text, place.id.text, place.id.length);
	text[place.id.length] = '\0';
	return text;
}

static void fill_labels(struct labels_room *room, const struct labels_of *of)
{
	const char **value = room->labels.value;

	value[LABEL_TRANSPORT] = record_transport_name(of->protocol);
	put_port(&value[LABEL_LOCAL_PORT], room->local_port, of->local_port);
	put_port(&value[LABEL_SERVER_PORT], room->server_port, of->server_port);
	value[LABEL_EXECUTABLE] = of->executable;
	if (of->netns) {
		snprintf(room->netns, sizeof(room->netns), "%" PRIu32, of->netns);
		value[LABEL_NETNS] = room->netns;
	}
	value[LABEL_CONTAINER] = of->cgroup ? container_of_path(of->cgroup, room->container) : NULL;
	value[LABEL_DIRECTION] = direction_name(of->direction);
	value[LABEL_STATE] = of->state;
	value[LABEL_ERROR] = of->error ? error_type(of->error, room->error) : NULL;
	if (!of->local)
		return;
	value[LABEL_TYPE] = of->local->family == AF_INET ? "ipv4" : "ipv6";
	value[LABEL_LOCAL_ADDRESS] = endpoint_address_text(of->local, room->address);
}

static void fill_subject(struct labels_room *room, const struct model *model, const struct labels_of *of)
{
	struct filter_subject *subject = &room->subject;

	if (of->local_port)
		subject->present |= FILTER_HAS_LOCAL;
	if (of->server_port)
		subject->present |= FILTER_HAS_PEER;
	if (of->state)
		subject->present |= FILTER_HAS_STATE;
	subject->state = of->state;
	subject->local_port = of->local_port;
	subject->peer_port = of->server_port;
	subject->protocol = of->protocol;
	subject->direction = of->direction;
	subject->error = of->error;
	if (of->netns) {
		subject->present |= FILTER_HAS_NETNS;
		subject->netns = of->netns;
		subject->netns_name = model_netns_name(model, of->netns);
	}
	if (of->local) {
		subject->family = of->local->family;
		memcpy(subject->local_addr, of->local->addr, sizeof(subject->local_addr));
	}
	room->process = (struct filter_process){.comm = of->executable, .cgroup = of->cgroup};
	subject->processes = &room->process;
	subject->n_processes = of->executable || of->cgroup;
}

void labels_fill(struct labels_room *room, const struct model *model, const struct labels_of *of)
{
	room->labels = (struct metric_labels){{NULL}};
	room->subject = (struct filter_subject){0};
	fill_labels(room, of);
	fill_subject(room, model, of);
}

/* --- filters ----------------------------------------------------------------------------------------------
 */

static bool asks_about_label(unsigned key)
{
	switch (key) {
	case KEY_PORT:
	case KEY_LPORT:
	case KEY_RPORT:
	case KEY_LADDR:
	case KEY_COMM:
	case KEY_PROTO:
	case KEY_IPV4:
	case KEY_IPV6:
	case KEY_STATE:
	case KEY_DIRECTION:
	case KEY_IN:
	case KEY_OUT:
	case KEY_ERRNO:
	case KEY_NETNS:
	case KEY_CONTAINER:
		return true;
	default:
		return false;
	}
}

const char *labels_unknown_key(const struct filter *filter)
{
	static const char *const names[] = {
#define X(name, text, value) text,
		FILTER_KEY_LIST(X)
#undef X
	};

	for (size_t i = 0; filter && i < filter->n_ops; i++)
		if (filter->ops[i].kind == OP_TEST && !asks_about_label(filter->ops[i].key))
			return names[filter->ops[i].key];
	return NULL;
}
