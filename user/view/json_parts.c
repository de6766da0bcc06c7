/* SPDX-License-Identifier: GPL-2.0-only */
/* On the hot path of `trace --json`: no printf, no locale, no allocation. */
#include "view/json_parts.h"

#include "view/civil_time.h"
#include "view/command_line.h"

#include <netinet/in.h>
#include <string.h>

void json_known(struct json_writer *w, const char *key, uint64_t value)
{
	if (value)
		json_uint(w, key, value);
}

void json_wrapped(struct json_writer *w, const char *object, const char *key, const char *value)
{
	if (!value)
		return;
	json_object(w, object);
	json_string(w, key, value);
	json_object_end(w);
}

void json_row_begin(struct json_writer *w, const char *row)
{
	json_begin(w);
	json_object(w, NULL);
	json_string(w, "row", row);
}

int json_row_print(struct json_writer *w, FILE *out)
{
	int error;

	json_object_end(w);
	error = json_finish(w);
	if (error)
		return error;
	fwrite(w->data, 1, w->length, out);
	fputc('\n', out);
	return 0;
}

void json_time(struct json_writer *w, const char *key, int64_t wall_ns)
{
	char text[CIVIL_TIME_MAX];

	json_string(w, key, civil_rfc3339(wall_ns, text));
}

/* --- network ----------------------------------------------------------------------------------------------
 */

static void json_end(struct json_writer *w, const char *key, const struct endpoint *endpoint)
{
	char text[ENDPOINT_TEXT_MAX];

	json_object(w, key);
	json_string(w, "address", endpoint_address_text(endpoint, text));
	json_known(w, "port", endpoint->port);
	json_object_end(w);
}

void json_network(struct json_writer *w, const struct description *description, bool with_state)
{
	if (!description->socket)
		return;
	json_object(w, "network");
	json_string(w, "transport", record_transport_name(description->socket->protocol));
	if (description->family)
		json_string(w, "type", description->family == AF_INET ? "ipv4" : "ipv6");
	if (description->has_local)
		json_end(w, "local", &description->local);
	if (description->has_peer)
		json_end(w, "peer", &description->peer);
	if (with_state)
		json_wrapped(w, "connection", "state", description->state);
	json_object_end(w);
}

void json_options(struct json_writer *w, uint8_t socket_options)
{
	static const char *const names[] = {"reuseaddr", "reuseport", "freebind", "transparent", "v6only"};

	if (!socket_options)
		return;
	json_array(w, "options");
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (socket_options & 1u << i)
			json_string(w, NULL, names[i]);
	json_array_end(w);
}

void json_counters(struct json_writer *w, uint64_t sent, uint64_t received, uint32_t retransmits,
		   uint32_t rtt_us)
{
	json_object(w, "bytes");
	json_uint(w, "sent", sent);
	json_uint(w, "received", received);
	json_object_end(w);
	json_uint(w, "retransmits", retransmits);
	json_known(w, "rtt_us", rtt_us);
}

void json_accept_queue(struct json_writer *w, uint32_t length, uint32_t limit)
{
	json_object(w, "accept_queue");
	json_uint(w, "length", length);
	json_uint(w, "limit", limit);
	json_object_end(w);
}

/* --- processes --------------------------------------------------------------------------------------------
 */

static void json_executable(struct json_writer *w, const struct actor *actor)
{
	const char *name = actor_name(actor);

	if (!name)
		return;
	json_object(w, "executable");
	json_string(w, "name", name);
	json_string(w, "path", actor_path(actor));
	json_object_end(w);
}

static void json_command_line(struct json_writer *w, const struct actor *actor)
{
	char text[COMMAND_LINE_MAX];
	size_t length = command_line(actor, text);

	if (length)
		json_string_n(w, "command_line", text, length);
}

static void json_user(struct json_writer *w, const struct model *model, const struct actor *actor,
		      const struct view_options *options)
{
	if (actor->uid == UID_UNKNOWN)
		return;
	json_object(w, "user");
	json_uint(w, "id", actor->uid);
	if (!options->numeric)
		json_string(w, "name", model_user_name(model, actor->uid));
	json_object_end(w);
}

void json_process(struct json_writer *w, const struct model *model, const struct actor *actor,
		  const struct view_options *options)
{
	if (!actor->pid)
		return;
	json_object(w, "process");
	json_uint(w, "pid", actor->pid);
	if (actor->process)
		json_known(w, "parent_pid", actor->process->parent_pid);
	json_executable(w, actor);
	if (!options->no_args)
		json_command_line(w, actor);
	json_user(w, model, actor, options);
	if (actor->cgroup_id)
		json_wrapped(w, "linux", "cgroup", model_cgroup_path(model, actor->cgroup_id));
	json_object_end(w);
}

static void json_part(struct json_writer *w, const char *key, struct cgroup_part part)
{
	if (part.length)
		json_string_n(w, key, part.text, part.length);
}

void json_container(struct json_writer *w, const struct cgroup_name *place,
		    const struct view_options *options)
{
	char name[CGROUP_PART_TEXT_MAX], uid[CGROUP_POD_UID_MAX];

	if (cgroup_is_container(place)) {
		json_object(w, "container");
		json_part(w, "id", place->id);
		if (!options->numeric)
			json_string(w, "name", cgroup_container_name(place, name));
		json_string(w, "runtime", place->runtime);
		json_object_end(w);
	}
	if (!place->pod.length)
		return;
	json_object(w, "k8s");
	json_wrapped(w, "pod", "uid", cgroup_pod_uid(place, uid));
	json_object_end(w);
}

void json_unit(struct json_writer *w, const struct cgroup_name *place)
{
	json_part(w, "unit", place->unit);
}

void json_surroundings(struct json_writer *w, const struct cgroup_name *place, const struct actor *actor)
{
	struct pid_ns pid_ns;

	json_unit(w, place);
	if (!actor_pid_ns(actor, &pid_ns))
		return;
	json_object(w, "pid_ns");
	json_known(w, "inode", pid_ns.inode);
	json_known(w, "pid", pid_ns.pid);
	json_object_end(w);
}

void json_netns(struct json_writer *w, const struct model *model, uint32_t netns,
		const struct view_options *options)
{
	json_known(w, "netns", netns);
	if (!options->numeric)
		json_string(w, "netns_name", model_netns_name(model, netns));
}

void json_peer_process(struct json_writer *w, const struct model *model, const struct socket_row *row)
{
	struct actor actor = describe_process(model_peer_process(model, row));

	if (!actor.pid)
		return;
	json_object(w, "peer_process");
	json_uint(w, "pid", actor.pid);
	json_wrapped(w, "executable", "name", actor_name(&actor));
	json_object_end(w);
}

static const char *cause_name(unsigned cause)
{
	static const char *const names[] = {"made", "connected", "accepted", "observed", "inherited"};

	return cause < sizeof(names) / sizeof(names[0]) ? names[cause] : NULL;
}

void json_holders(struct json_writer *w, const struct model *model, const struct socket_row *row,
		  const struct view_options *options)
{
	json_array(w, "holders");
	for (const struct holder *holder = row->holders; holder; holder = holder->next) {
		struct actor actor = describe_holder(model, holder);
		struct cgroup_name place;

		actor_place(model, &actor, &place);
		json_object(w, NULL);
		json_process(w, model, &actor, options);
		json_container(w, &place, options);
		json_surroundings(w, &place, &actor);
		if (holder->fd >= 0)
			json_uint(w, "fd", (uint64_t)holder->fd);
		json_string(w, "cause", cause_name(holder->cause));
		json_object_end(w);
	}
	json_array_end(w);
}

void json_last_holder(struct json_writer *w, const struct model *model, const struct socket_row *row,
		      const struct view_options *options)
{
	const struct past_holder *holder = describe_last_holder(model, row);
	struct actor actor;

	if (!holder)
		return;
	actor = describe_past_holder(model, holder);
	json_object(w, "last_holder");
	json_object(w, "process");
	json_uint(w, "pid", actor.pid);
	json_wrapped(w, "executable", "name", actor_name(&actor));
	json_user(w, model, &actor, options);
	json_object_end(w);
	json_time(w, "until", model_wall_ns(model, holder->until_ns));
	json_object_end(w);
}
