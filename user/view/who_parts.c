/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/who_parts.h"

#include "core/ancestry.h"
#include "core/cgroup_name.h"
#include "view/command_line.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

/* --- sockets ----------------------------------------------------------------------------------------------
 */

/* As ss has it: * serves both families, 0.0.0.0 and [::] one. */
static void put_local(struct text *text, const struct rec_socket *socket)
{
	struct endpoint local = endpoint_local(socket);
	bool bracket = local.family == AF_INET6;
	char buf[ENDPOINT_TEXT_MAX];

	if (endpoint_is_dual_stack(socket))
		text_put(text, "*");
	else
		text_format(text, "%s%s%s", bracket ? "[" : "", endpoint_address_text(&local, buf),
			    bracket ? "]" : "");
	text_format(text, ":%u", local.port);
}

void who_socket(struct text *text, const struct rec_socket *socket, unsigned direction)
{
	struct endpoint peer = endpoint_peer(socket);
	const char *arrow = direction == DIRECTION_IN ? "←" : direction == DIRECTION_OUT ? "→" : "-";
	char buf[ENDPOINT_TEXT_MAX];

	text_format(text, "%s ", protocol_name(socket));
	put_local(text, socket);
	if (peer.port)
		text_format(text, " %s %s", arrow, endpoint_text(&peer, buf));
}

void who_state(struct text *text, const struct rec_socket *socket)
{
	const char *state = socket_state_name(socket, socket->local_port);

	text_put(text, state ? state : "?");
}

static bool is_known_age(const struct who *who, uint64_t then_ns)
{
	return then_ns && who->options->list.now_ns >= then_ns;
}

void who_since(struct text *text, const struct who *who, const struct socket_row *row)
{
	if (!is_known_age(who, row->since_ns))
		return;
	text_put(text, ", for ");
	text_duration(text, who->options->list.now_ns - row->since_ns);
}

static bool has_other_netns(const struct port_table *table, uint32_t netns)
{
	if (!table) /* not known */
		return true;
	for (size_t i = 0; i < table->n_ports; i++)
		if (table->ports[i].socket->socket.netns != netns)
			return true;
	for (size_t i = 0; i < table->n_connections; i++)
		if (table->connections[i].socket->socket.netns != netns)
			return true;
	return false;
}

/* Of who asks, it goes without saying; where that is not known, it does when there is only one. */
void who_netns(struct text *text, const struct who *who, const struct rec_socket *socket)
{
	uint32_t home = who->options->home_netns, netns = socket->netns;

	if (!netns || (home ? netns == home : !has_other_netns(who->table, netns)))
		return;
	text_put(text, ", in network namespace ");
	text_netns(text, who->model, netns, who->options->list.view.numeric);
}

/* --- holders ----------------------------------------------------------------------------------------------
 */

void who_actor(struct text *text, const struct actor *actor)
{
	text_comm(text, actor);
	text_format(text, "(%u)", actor->pid);
}

static void put_ago(struct text *text, const struct who *who, uint64_t then_ns)
{
	if (!is_known_age(who, then_ns))
		return;
	text_put(text, " ");
	text_duration(text, who->options->list.now_ns - then_ns);
	text_put(text, " ago");
}

/* Of one that was only seen with it, nobody knows how it came by it, and since when. */
void who_holding(struct text *text, const struct who *who, const struct holder *holder)
{
	static const char *const causes[] = {
		[HOLDER_MADE] = "made it",
		[HOLDER_CONNECTED] = "connected it",
		[HOLDER_ACCEPTED] = "accepted it",
		[HOLDER_INHERITED] = "inherited it",
	};
	const char *cause = holder->cause < sizeof(causes) / sizeof(causes[0]) ? causes[holder->cause] : NULL;

	if (holder->fd >= 0)
		text_format(text, "  fd %d", holder->fd);
	if (!cause)
		return;
	text_format(text, "  %s", cause);
	put_ago(text, who, holder->since_ns);
}

/* Only what its process has closed leaves these; the rest of what has no file was not accepted yet. */
static bool was_closed(unsigned state)
{
	return state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2 || state == TCP_LAST_ACK ||
	       state == TCP_CLOSING || state == TCP_TIME_WAIT;
}

const char *who_no_holder(const struct who *who, const struct socket_row *row)
{
	if (describe_in_flight(row))
		return "its only descriptor is under way in a message";
	if (!row->orphan)
		return model_repairs(who->model)->holders_as_of_ns
			       ? "in another pid namespace, or the kernel's own"
			       : "not known who holds it";
	if (row->socket.state == TCP_TIME_WAIT)
		return "60 s at most";
	if (was_closed(row->socket.state))
		return "closed, the peer has yet to agree";
	return socket_row_kind(&row->socket) == ROW_CONNECTION ? "waiting to be accepted" : "no descriptor";
}

void who_until(struct text *text, const struct who *who, const struct past_holder *holder, const char *verb)
{
	const struct actor actor = describe_past_holder(who->model, holder);

	who_actor(text, &actor);
	text_put(text, verb);
	if (!is_known_age(who, holder->until_ns))
		return;
	text_put(text, " until");
	put_ago(text, who, holder->until_ns);
}

void who_last_holder(struct text *text, const struct who *who, const struct socket_row *row,
		     const struct past_holder *holder)
{
	if (holder) {
		text_put(text, "; was ");
		who_until(text, who, holder, "");
	} else if (row->orphan && was_closed(row->socket.state)) {
		text_put(text, "; nobody was watching when it closed");
	}
}

void who_row(struct text *text, const struct who *who, const struct socket_row *row, unsigned direction)
{
	who_socket(text, &row->socket, direction);
	text_put(text, " ");
	who_state(text, &row->socket);
	who_since(text, who, row);
	who_netns(text, who, &row->socket);
	text_put(text, ":");
	for (const struct holder *holder = row->holders; holder; holder = holder->next) {
		const struct actor actor = describe_holder(who->model, holder);

		text_put(text, holder == row->holders ? " " : ", ");
		who_actor(text, &actor);
		who_holding(text, who, holder);
	}
	if (row->holders)
		return;
	text_format(text, " no process, %s", who_no_holder(who, row));
	who_last_holder(text, who, row, describe_last_holder(who->model, row));
}

/* --- lines ------------------------------------------------------------------------------------------------
 */

struct text who_line(const struct who *who)
{
	return text_in(who->room, WHO_LINE_MAX);
}

void who_line_end(const struct who *who, const struct text *text)
{
	fwrite(text->buf, 1, text->length, who->out);
	fputc('\n', who->out);
}

void who_title_end(const struct who *who, const struct text *text)
{
	bool colour = who->options->list.view.colour;

	if (colour)
		fputs("\x1b[1m", who->out);
	fwrite(text->buf, 1, text->length, who->out);
	fputs(colour ? "\x1b[0m\n" : "\n", who->out);
}

static struct actor actor_of(const struct who *who, const struct process *process)
{
	const struct holder holder = {.process = (struct process *)process};

	return describe_holder(who->model, &holder);
}

static void command_line_line(const struct who *who, const struct actor *actor)
{
	struct text text = who_line(who);
	char arguments[COMMAND_LINE_MAX];
	size_t length = who->options->list.view.no_args ? 0 : command_line(actor, arguments);
	const char *path = actor_path(actor);

	if (!length && !path)
		return;
	text_put(&text, WHO_INDENT WHO_INDENT);
	if (length)
		text_name(&text, arguments, length);
	else
		text_name(&text, path, strlen(path));
	who_line_end(who, &text);
}

static void put_container(struct text *text, const struct cgroup_name *cgroup)
{
	char name[CGROUP_PART_TEXT_MAX], pod[CGROUP_POD_UID_MAX];
	size_t shown = cgroup->id.length < CONTAINER_ID_SHORT ? cgroup->id.length : CONTAINER_ID_SHORT;

	text_format(text, "%s%scontainer ", cgroup->runtime ? cgroup->runtime : "",
		    cgroup->runtime ? " " : "");
	if (cgroup->id.length)
		text_name(text, cgroup->id.text, shown);
	else if (cgroup_container_name(cgroup, name))
		text_name(text, name, strlen(name));
	if (cgroup_pod_uid(cgroup, pod)) {
		text_put(text, ", pod ");
		text_name(text, pod, strlen(pod));
	}
}

/* Container or unit; the path of the control group where that is neither. At its root nothing is known. */
static void place_line(const struct who *who, const struct actor *actor)
{
	const char *path = actor->cgroup_id ? model_cgroup_path(who->model, actor->cgroup_id) : NULL;
	struct text text = who_line(who);
	struct cgroup_name cgroup;

	if (!path || !strcmp(path, "/"))
		return;
	cgroup_name_read(path, &cgroup);
	text_put(&text, WHO_INDENT WHO_INDENT);
	if (cgroup_is_container(&cgroup))
		put_container(&text, &cgroup);
	else if (cgroup.unit.length)
		text_name(&text, cgroup.unit.text, cgroup.unit.length);
	else
		text_name(&text, path, strlen(path));
	who_line_end(who, &text);
}

/* nginx(813) ← nginx(812) ← systemd(1); of the last one's parent perhaps only the pid is known. */
static void parents_line(const struct who *who, const struct process *process)
{
	const struct process *chain[ANCESTRY_MAX];
	size_t n = ancestry_of(who->model, process, chain);
	struct text text = who_line(who);

	if (n == 1 && !process->parent_pid)
		return;
	text_put(&text, WHO_INDENT WHO_INDENT);
	for (size_t i = 0; i < n; i++) {
		const struct actor actor = actor_of(who, chain[i]);

		text_put(&text, i ? " ← " : "");
		who_actor(&text, &actor);
	}
	if (chain[n - 1]->parent_pid)
		text_format(&text, " ← ?(%u)", chain[n - 1]->parent_pid);
	who_line_end(who, &text);
}

void who_process_lines(const struct who *who, const struct process *process)
{
	const struct actor actor = actor_of(who, process);

	command_line_line(who, &actor);
	place_line(who, &actor);
	parents_line(who, process);
}

bool who_is_introduced(const struct who *who, const struct process *process, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (const struct holder *h = who->table->ports[i].socket->holders; h; h = h->next)
			if (h->process == process)
				return true;
	return false;
}

void who_holder_lines(const struct who *who, const struct holder *holder, size_t index)
{
	const struct actor actor = describe_holder(who->model, holder);
	struct text text = who_line(who);

	text_put(&text, WHO_INDENT);
	who_actor(&text, &actor);
	text_put(&text, "  ");
	text_user(&text, who->model, actor.uid, who->options->list.view.numeric);
	who_holding(&text, who, holder);
	who_line_end(who, &text);
	if (!who_is_introduced(who, holder->process, index))
		who_process_lines(who, holder->process);
}
