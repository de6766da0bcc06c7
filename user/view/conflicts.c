/* SPDX-License-Identifier: GPL-2.0-only */
/* Who is in the way of a bind that failed, as text and as JSON: each with its holders, where the tables know
 * them. */
#include "core/bind_conflict.h"
#include "core/errno_name.h"
#include "view/json_parts.h"
#include "view/text_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#define SHOWN 3 /* in a line of text */

/* --- one of them ------------------------------------------------------------------------------------------
 */

static struct rec_socket socket_of(const struct rec_conflicts *record, const struct rec_conflict *conflict)
{
	const struct rec_socket *asked = &record->fact.socket;
	struct rec_socket socket = {.cookie = conflict->cookie,
				    .netns = asked->netns,
				    .protocol = asked->protocol == IPPROTO_UDP ? IPPROTO_UDP : IPPROTO_TCP,
				    .local_port = asked->local_port,
				    .peer_port = conflict->peer_port,
				    .family = conflict->family,
				    .state = conflict->state,
				    .options = conflict->options};

	memcpy(socket.local_addr, conflict->local_addr, sizeof(socket.local_addr));
	memcpy(socket.peer_addr, conflict->peer_addr, sizeof(socket.peer_addr));
	return socket;
}

/* The cookie of what is in TIME_WAIT is that of a socket which may be something else by now. */
static const struct socket_row *listed(const struct model *model, const struct rec_socket *socket)
{
	if (!socket->cookie)
		return NULL;
	return socket->state == TCP_TIME_WAIT ? model_remains(model, socket)
					      : model_socket(model, socket->cookie, socket->protocol);
}

/* As the tables have it, with what the kernel had when it was looked at; without a row there, that alone. */
static struct socket_row row_of(const struct model *model, const struct rec_conflicts *record,
				const struct rec_conflict *conflict)
{
	const struct rec_socket socket = socket_of(record, conflict);
	const struct socket_row *known = listed(model, &socket);
	struct socket_row row = known ? *known : (struct socket_row){.holders = NULL};
	uint32_t creator_pid = row.socket.creator_pid;
	uint64_t creator_start_ns = row.socket.creator_start_ns;

	row.socket = socket;
	row.socket.creator_pid = creator_pid;
	row.socket.creator_start_ns = creator_start_ns;
	row.orphan = conflict->flags & CONFLICT_F_ORPHAN;
	return row;
}

/* Why they could not be read; NULL: they were. */
static const char *unread(const struct rec_conflicts *record)
{
	switch (record->error) {
	case 0:
		return NULL;
	case EAGAIN:
		return "too many binds failed at once, or the port's sockets changed faster than they could "
		       "be read";
	case ENOENT:
		return "nothing leads to its network namespace any more";
	case EPERM:
	case EACCES:
		return "its network namespace may not be entered, or the kernel's tables not be read";
	case ENOMEM:
		return "there was no memory";
	default:
		return "this kernel does not let its table of ports be read: it takes Linux 5.17";
	}
}

/* --- text -------------------------------------------------------------------------------------------------
 */

static void put_rule(struct text *text, const struct rec_conflict *conflict,
		     const struct description *description)
{
	static const char *const words[RULE_COUNT] = {
		[RULE_LISTENER] = "%s listens",
		[RULE_BOUND] = "%s is bound",
		[RULE_CONNECTION] = "a connection with %s has it",
		[RULE_TIME_WAIT] = "TIME_WAIT of a connection with %s",
		[RULE_UDP] = "%s has it",
		[RULE_REUSEPORT_USER] = "%s of another user",
	};
	bool with_peer = conflict->rule == RULE_CONNECTION || conflict->rule == RULE_TIME_WAIT;
	const struct endpoint *end = with_peer ? &description->peer : &description->local;
	char name[ENDPOINT_TEXT_MAX];

	text_format(text, words[conflict->rule], endpoint_text(end, name));
	if (conflict->left_s)
		text_format(text, ", gone in %" PRIu32 " s", conflict->left_s);
}

void text_conflicts(struct text *text, const struct model *model, const struct rec_conflicts *record)
{
	unsigned shown = record->n < SHOWN ? record->n : SHOWN;

	if (record->error) {
		text_put(text, "who is in the way is not known: ");
		text_put(text, unread(record));
		return;
	}
	if (!record->total)
		text_put(text, "nobody is in the way any more");
	for (unsigned i = 0; i < shown; i++) {
		struct socket_row row = row_of(model, record, &record->conflicts[i]);
		struct description description;

		describe_row(model, &row, &description);
		text_put(text, i ? "; " : "");
		put_rule(text, &record->conflicts[i], &description);
		text_holders(text, model, &row, ": ");
	}
	if (shown < record->total)
		text_format(text, "; %" PRIu32 " more", record->total - shown);
}

/* --- JSON -------------------------------------------------------------------------------------------------
 */

static void json_one(struct json_writer *w, const struct model *model, const struct rec_conflicts *record,
		     const struct rec_conflict *conflict, const struct view_options *options)
{
	struct socket_row row = row_of(model, record, conflict);
	struct description description;

	describe_row(model, &row, &description);
	json_object(w, NULL);
	json_network(w, &description, true);
	json_string(w, "rule", bind_rule_name(conflict->rule));
	json_string(w, "overlap", bind_overlap_name(conflict->overlap));
	json_known(w, "cookie", conflict->cookie);
	json_options(w, conflict->options);
	json_known(w, "gone_in_seconds", conflict->left_s);
	if (row.n_holders)
		json_holders(w, model, &row, options);
	else
		json_last_holder(w, model, &row, options);
	json_object_end(w);
}

void json_conflicts(struct json_writer *w, const struct model *model, const struct rec_conflicts *record,
		    const struct view_options *options)
{
	if (record->error) {
		json_string(w, "unknown", unread(record));
		return;
	}
	json_array(w, "conflicts");
	for (unsigned i = 0; i < record->n; i++)
		json_one(w, model, record, &record->conflicts[i], options);
	json_array_end(w);
	if (record->total > record->n)
		json_uint(w, "conflicts_left_out", record->total - record->n);
	json_time(w, "as_of", model_wall_ns(model, record->as_of_ns));
}
