/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/describe.h"

#include "core/errno_name.h"
#include "core/port_choice.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#define PID_NS_INITIAL	    0xeffffffcu /* PROC_PID_INIT_INO of include/linux/proc_ns.h, since 3.8 */
#define KERNEL_NEW_SYN_RECV 12		/* a request that is no socket yet; RFC 9293 knows one SYN-RECEIVED */

/* --- the socket -------------------------------------------------------------------------------------------
 */

const char *socket_state_name(const struct rec_socket *socket, uint16_t local_port)
{
	if (socket->protocol == IPPROTO_UDP) {
		if (socket->state == TCP_ESTABLISHED)
			return "established";
		return local_port ? "unconnected" : NULL;
	}
	if (socket->state == TCP_CLOSE)
		return local_port ? "bound" : NULL;
	if (socket->state == KERNEL_NEW_SYN_RECV)
		return record_state_name(TCP_SYN_RECV);
	return socket->state && socket->state < KERNEL_NEW_SYN_RECV ? record_state_name(socket->state) : NULL;
}

const char *holder_change_name(unsigned change)
{
	static const char *const names[CHANGE_COUNT] = {
		[CHANGE_ACTED] = "acted",   [CHANGE_FORK] = "fork", [CHANGE_EXEC] = "exec",
		[CHANGE_EXIT] = "exit",	    [CHANGE_PASS] = "pass", [CHANGE_CLOSE] = "close",
		[CHANGE_REPAIR] = "repair",
	};

	return change < CHANGE_COUNT ? names[change] : NULL;
}

const char *direction_name(unsigned direction)
{
	switch (direction) {
	case DIRECTION_IN:
		return "in";
	case DIRECTION_OUT:
		return "out";
	default:
		return NULL;
	}
}

enum row_kind socket_row_kind(const struct rec_socket *socket)
{
	if (socket->protocol == IPPROTO_UDP || socket->state == TCP_CLOSE || socket->state == TCP_LISTEN)
		return socket->local_port ? ROW_PORT : ROW_NONE;
	return socket->state ? ROW_CONNECTION : ROW_NONE;
}

static bool says_something(const struct endpoint *endpoint)
{
	return endpoint->port || !endpoint_is_wildcard(endpoint);
}

/* The kernel leaves the peer of a connect that failed in a socket that goes on to listen. */
static bool is_listener(const struct rec_socket *socket)
{
	return socket->protocol == IPPROTO_TCP && socket->state == TCP_LISTEN;
}

static void describe_socket(const struct model *model, const struct rec_socket *socket,
			    struct description *ret)
{
	*ret = (struct description){
		.socket = socket,
		.local = endpoint_local(socket),
		.peer = endpoint_peer(socket),
		.dual_stack = endpoint_is_dual_stack(socket),
		.creator_pid = socket->creator_pid,
	};
	ret->has_local = says_something(&ret->local);
	ret->has_peer = says_something(&ret->peer) && !is_listener(socket);
}

/* Once it is settled which ends are shown. */
static void describe_ends(const struct model *model, struct description *ret)
{
	if (ret->has_local)
		ret->family = ret->local.family;
	if (ret->has_peer)
		ret->family = ret->peer.family;
	ret->mapped = ret->socket->family == AF_INET6 && ret->family == AF_INET;
	if (ret->has_local && ret->local.port)
		ret->port_class = model_port_class(model, ret->socket->netns, ret->local.port);
}

/* --- changes ----------------------------------------------------------------------------------------------
 */

/* A failed bind that does not say what was asked for has the address the socket had before: nobody's. A
 * wildcard that was asked for is an answer even without a port. */
static void correct_bind(const struct record *record, struct description *ret)
{
	const struct rec_bind *bind = (const void *)record->header;

	ret->error = bind->error;
	ret->has_local = !bind->error || record->header->flags & BIND_F_REQUESTED;
	ret->has_peer = false;
	if (record->header->flags & BIND_F_DEFERRED)
		ret->local.port = 0;
}

/* TCP gives the port back before it says so: then the row still has it. */
static void correct_close(const struct change *change, struct description *ret)
{
	const struct rec_close *close = (const void *)change->record.header;

	ret->direction = close->direction;
	if (ret->local.port || !change->socket || !change->socket->socket.local_port)
		return;
	ret->local = endpoint_local(&change->socket->socket);
	ret->has_local = true;
}

/* The connection was gone before anybody looked: what is there is the listener's. */
static void correct_accept(struct description *ret)
{
	ret->direction = DIRECTION_IN;
	if (!ret->socket->cookie)
		ret->has_peer = false;
}

static void correct_by_kind(const struct change *change, struct description *ret)
{
	const struct record *record = &change->record;

	switch (record->header->kind) {
	case REC_BIND:
		correct_bind(record, ret);
		break;
	case REC_CONFLICTS: /* about a bind that failed: who asks for failures wants it */
		ret->error = EADDRINUSE;
		ret->has_peer = false;
		break;
	case REC_LISTEN:
		ret->error = ((const struct rec_listen *)record->header)->error;
		break;
	case REC_ATTEMPT:
	case REC_CONNECT:
		ret->error = ((const struct rec_connect *)record->header)->error;
		ret->direction = DIRECTION_OUT;
		break;
	case REC_ACCEPT:
		correct_accept(ret);
		break;
	case REC_CLOSE:
		correct_close(change, ret);
		break;
	case REC_REFUSE:
	case REC_OVERFLOW:
		ret->direction = DIRECTION_IN;
		break;
	default:
		break;
	}
}

/* The port that a well-known name would be of: the server's side. */
static const struct endpoint *server_side(const struct record *record, const struct description *ret)
{
	if (record->header->kind == REC_AUTOBIND)
		return NULL;
	if (ret->direction == DIRECTION_OUT)
		return &ret->peer;
	if (ret->direction == DIRECTION_UNKNOWN && ret->has_peer)
		return NULL;
	return ret->assigned_by ? NULL : &ret->local;
}

static const char *event_state(const struct record *record, const struct description *ret)
{
	if (ret->error || (record->header->kind == REC_ACCEPT && !ret->socket->cookie))
		return NULL;
	return socket_state_name(ret->socket, ret->local.port);
}

static bool made_by_actor(const struct record *record)
{
	return record->task && record->task->pid == record->socket->creator_pid &&
	       record->task->start_ns == record->socket->creator_start_ns;
}

void describe_change(const struct model *model, const struct change *change, struct description *ret)
{
	const struct record *record = &change->record;
	const struct endpoint *server;

	*ret = (struct description){0};
	if (!record->socket)
		return;
	describe_socket(model, record->socket, ret);
	correct_by_kind(change, ret);
	describe_ends(model, ret);
	ret->state = event_state(record, ret);
	ret->assigned_by = port_assigned_by(record, ret->local.port);
	server = server_side(record, ret);
	if (server && server->port)
		ret->service = model_service_name(model, record->socket->protocol, server->port);
	if (made_by_actor(record))
		ret->creator_pid = 0;
}

bool describe_accepts_known(const struct change *change)
{
	return change->record.socket && change->record.socket->state == TCP_LISTEN && change->socket &&
	       change->socket->seen_from_start;
}

/* --- rows -------------------------------------------------------------------------------------------------
 */

void describe_row(const struct model *model, const struct socket_row *row, struct description *ret)
{
	describe_socket(model, &row->socket, ret);
	if (row->socket.protocol == IPPROTO_TCP && socket_row_kind(&row->socket) == ROW_PORT)
		ret->has_peer = false; /* the same of one that is only bound */
	describe_ends(model, ret);
	ret->creator_pid = 0;
	ret->direction = row->direction;
	ret->state = socket_state_name(&row->socket, ret->local.port);
	if (socket_row_kind(&row->socket) == ROW_PORT)
		ret->service = model_service_name(model, row->socket.protocol, ret->local.port);
}

/* TCP measures the round trip with the handshake, so there is no connection that was looked at without it. */
bool describe_in_flight(const struct socket_row *row)
{
	return row->in_flight && !row->n_holders;
}

bool describe_row_has_counters(const struct socket_row *row)
{
	return row->socket.protocol == IPPROTO_TCP &&
	       (row->rtt_us || row->bytes_sent || row->bytes_received || row->retransmits);
}

/* --- processes --------------------------------------------------------------------------------------------
 */

static const char *text_or_null(const char *text)
{
	return text && *text ? text : NULL;
}

struct actor describe_actor(const struct change *change)
{
	const struct rec_task *task = change->record.task;

	if (!task)
		return (struct actor){.uid = UID_UNKNOWN};
	return (struct actor){
		.process = change->process,
		.comm = text_or_null(task->comm),
		.cgroup_id = task->cgroup_id,
		.pid = task->pid,
		.uid = task->uid,
	};
}

struct actor describe_process(const struct process *process)
{
	if (!process)
		return (struct actor){.uid = UID_UNKNOWN};
	return (struct actor){
		.process = process,
		.comm = text_or_null(process->comm),
		.cgroup_id = process->cgroup_id,
		.pid = process->pid,
		.uid = process->uid,
	};
}

struct actor describe_holder(const struct model *model, const struct holder *holder)
{
	return describe_process(holder->process);
}

const struct past_holder *describe_last_holder(const struct model *model, const struct socket_row *row)
{
	if (row->holders || socket_row_kind(&row->socket) != ROW_CONNECTION)
		return NULL;
	return model_past_of_socket(model, &row->socket);
}

struct actor describe_past_holder(const struct model *model, const struct past_holder *holder)
{
	return (struct actor){
		.process = model_process(model, holder->pid, holder->start_ns),
		.comm = text_or_null(holder->comm),
		.pid = holder->pid,
		.uid = holder->uid,
	};
}

/* A cut path lacks its beginning or its end, depending on who read it. */
const char *actor_path(const struct actor *actor)
{
	if (!actor->process || actor->process->path_cut)
		return NULL;
	return text_or_null(actor->process->path);
}

const char *actor_name(const struct actor *actor)
{
	const char *path = actor_path(actor), *slash = path ? strrchr(path, '/') : NULL;
	const char *name = slash ? slash + 1 : path;

	return name && *name ? name : actor->comm;
}

/* A process that writes its own title (setproctitle) leaves a row of NULs behind it. */
size_t actor_args_length(const struct actor *actor)
{
	size_t length = actor->process ? actor->process->args_length : 0;

	while (length && !actor->process->args[length - 1])
		length--;
	return length;
}

void actor_place(const struct model *model, const struct actor *actor, struct cgroup_name *ret_place)
{
	cgroup_name_read(actor->cgroup_id ? model_cgroup_path(model, actor->cgroup_id) : NULL, ret_place);
}

/* A process may have the same number in both, so the namespace decides where it is known. */
bool actor_pid_ns(const struct actor *actor, struct pid_ns *ret_pid_ns)
{
	const struct process *process = actor->process;
	bool elsewhere;

	if (!process)
		return false;
	if (process->pid_ns)
		elsewhere = process->pid_ns != PID_NS_INITIAL;
	else
		elsewhere = process->ns_pid && process->ns_pid != process->pid;
	if (elsewhere)
		*ret_pid_ns = (struct pid_ns){.inode = process->pid_ns, .pid = process->ns_pid};
	return elsewhere;
}

bool actor_is_cut(const struct actor *actor)
{
	return actor->process && (actor->process->path_cut || actor->process->args_cut);
}

const char *error_type(int error, char *buf)
{
	const char *name = errno_name(error);

	if (name)
		return name;
	if (error == CONNECT_ABORTED)
		return "aborted";
	snprintf(buf, ERROR_TYPE_MAX, "errno_%d", error);
	return buf;
}
