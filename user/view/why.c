/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/why.h"

#include "view/why_parts.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

/* --- rows -------------------------------------------------------------------------------------------------
 */

/* What the tables do not have was made a moment ago, or nobody has ever asked for its cookie. */
static struct socket_row row_of(const struct why_answer *answer, const struct bind_row *found)
{
	struct socket_row row = {.orphan = found->flags & BIND_ROW_ORPHAN};
	struct rec_socket *to = &row.socket;

	to->cookie = found->cookie;
	to->netns = answer->who.home_netns;
	memcpy(to->local_addr, found->local_addr, sizeof(to->local_addr));
	memcpy(to->peer_addr, found->peer_addr, sizeof(to->peer_addr));
	to->local_port = answer->wish->port;
	to->peer_port = found->peer_port;
	to->protocol = answer->wish->protocol;
	to->family = found->family;
	return row;
}

/* The cookie of what is in TIME_WAIT is that of a socket which may be something else by now. */
static const struct socket_row *listed(const struct model *model, const struct bind_row *found,
				       const struct rec_socket *socket)
{
	return found->state == TCP_TIME_WAIT ? model_remains(model, socket)
					     : model_socket(model, socket->cookie, socket->protocol);
}

static struct why_row read_row(const struct model *model, const struct why_answer *answer,
			       const struct bind_conflict *conflict)
{
	const struct bind_row *found = &answer->inventory->rows[conflict->row];
	const struct socket_row read = row_of(answer, found),
				*known = found->cookie ? listed(model, found, &read.socket) : NULL;
	struct why_row row = {
		.socket = known ? *known : read, .conflict = conflict, .found = found, .unlisted = !known};

	row.socket.socket.state = found->state;
	row.socket.socket.options &= (uint8_t) ~(SOCKOPT_REUSEADDR | SOCKOPT_REUSEPORT | SOCKOPT_V6ONLY);
	row.socket.socket.options |= bind_row_options(found);
	row.socket.orphan = found->flags & BIND_ROW_ORPHAN;
	return row;
}

/* Ranks first; else as the kernel has them. */
static int compare(const void *left, const void *right)
{
	const struct why_row *a = left, *b = right;

	unsigned rank_a = bind_rule_rank(a->conflict->rule), rank_b = bind_rule_rank(b->conflict->rule);

	if (rank_a != rank_b)
		return rank_a < rank_b ? -1 : 1;
	return (a->conflict > b->conflict) - (a->conflict < b->conflict);
}

int why_rows_read(const struct model *model, const struct why_answer *answer, struct why_rows *ret_rows)
{
	size_t n = answer->outcome == BIND_NO ? answer->verdict.n_conflicts : 0;
	struct why_rows rows = {.items = calloc(n + 1, sizeof(*rows.items)), .n = n};

	if (!rows.items)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		rows.items[i] = read_row(model, answer, &answer->conflicts[i]);
	qsort(rows.items, n, sizeof(*rows.items), compare);
	*ret_rows = rows;
	return 0;
}

void why_rows_free(struct why_rows *rows)
{
	free(rows->items);
	rows->items = NULL;
	rows->n = 0;
}

int why_print(FILE *out, const struct model *model, const struct why_answer *answer)
{
	struct why_rows rows;
	int error = why_rows_read(model, answer, &rows);

	if (error)
		return error;
	error = answer->who.list.json ? why_json_print(out, model, answer, &rows)
				      : why_text_print(out, model, answer, &rows);
	why_rows_free(&rows);
	if (!error && ferror(out))
		error = -EIO;
	return error;
}
