/* SPDX-License-Identifier: GPL-2.0-only */
/* The answer for people: the verdict first, then each that is in the way, why, and what would help. */
#include "view/who_parts.h"
#include "view/why_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_EACH 3 /* of those that are in the way for the same reason; -v shows all */
#define ASIDE_MAX  5 /* of those that are not in the way */

struct why_text {
	struct who who; /* its table holds those in the way */
	const struct why_answer *answer;
	const struct why_rows *rows;
};

/* --- the verdict ------------------------------------------------------------------------------------------
 */

static void put_asker(struct text *text, const struct why_text *why)
{
	const struct why_answer *answer = why->answer;
	const struct bind_wish *wish = answer->wish;

	text_put(text, WHO_INDENT "asked ");
	if (answer->pid)
		text_format(text, "as process %u, ", answer->pid);
	text_put(text, "as user ");
	text_user(text, why->who.model, wish->uid, answer->who.list.view.numeric);
	text_put(text, wish->reuseaddr ? ", with SO_REUSEADDR" : ", without SO_REUSEADDR");
	text_put(text, wish->reuseport == wish->reuseaddr ? " and "
		       : wish->reuseport		  ? ", with "
							  : ", without ");
	text_put(text, "SO_REUSEPORT");
	if (answer->device)
		text_format(text, ", on %s", answer->device);
}

static void put_verdict(struct text *text, const struct why_answer *answer)
{
	static const char *const beginnings[] = {
		[BIND_YES] = "yes: ", [BIND_NO] = "no: ", [BIND_UNKNOWN] = "unknown: "};
	char error[ERROR_TYPE_MAX];

	text_put(text, beginnings[answer->outcome]);
	why_wish(text, answer->wish);
	if (answer->outcome == BIND_YES) {
		text_put(text, " can be bound now");
	} else if (answer->outcome == BIND_UNKNOWN) {
		text_format(text, ": %s", bind_doubt_text(answer->doubt));
		if (answer->doubt_label) {
			text_put(text, ": ");
			text_name(text, answer->doubt_label, strlen(answer->doubt_label));
		}
	} else {
		text_format(text, " cannot be bound now (%s): ", error_type(answer->verdict.error, error));
		why_error(text, answer);
		if (answer->verdict.n_conflicts)
			text_count(text, answer->verdict.n_conflicts, "socket is in the way",
				   "sockets are in the way");
	}
}

static void print_verdict(const struct why_text *why)
{
	struct text text = who_line(&why->who);
	unsigned n = 0;

	put_verdict(&text, why->answer);
	who_title_end(&why->who, &text);
	text = who_line(&why->who);
	put_asker(&text, why);
	who_line_end(&why->who, &text);
	for (;; n++) {
		text = who_line(&why->who);
		text_put(&text, n ? WHO_INDENT "        or: " : WHO_INDENT "what helps: ");
		if (!why_whole_remedy(&text, why->answer, n))
			return;
		who_line_end(&why->who, &text);
	}
}

/* --- in the way -------------------------------------------------------------------------------------------
 */

static void print_title(const struct why_text *why, const struct why_row *row)
{
	const struct who *who = &why->who;
	struct text text = who_line(who);

	who_socket(&text, &row->socket.socket, row->socket.direction);
	text_put(&text, "  ");
	who_state(&text, &row->socket.socket);
	text_options(&text, row->socket.socket.options, ", ");
	who_since(&text, who, &row->socket);
	who_title_end(who, &text);
}

static void print_reason(const struct why_text *why, const struct why_row *row)
{
	struct text text = who_line(&why->who);
	size_t begin;

	text_put(&text, WHO_INDENT "in the way: ");
	why_rule(&text, why->answer, row);
	who_line_end(&why->who, &text);
	text = who_line(&why->who);
	text_put(&text, WHO_INDENT "what helps: ");
	begin = text.length;
	why_remedy(&text, why->who.model, why->answer, row);
	if (text.length > begin)
		who_line_end(&why->who, &text);
}

/* Of TIME_WAIT, the reason is told above. */
static void put_no_holder(struct text *text, const struct who *who, const struct why_row *row)
{
	if (row->unlisted && !row->socket.orphan)
		text_put(text, " that can be seen has it: it may be under way in a message, in another pid "
			       "namespace, or the "
			       "kernel's own");
	else if (row->conflict->rule != RULE_TIME_WAIT)
		text_format(text, ": %s", who_no_holder(who, &row->socket));
}

static void print_row(const struct why_text *why, size_t index)
{
	const struct why_row *row = &why->rows->items[index];
	const struct who *who = &why->who;
	struct text text;

	fputc('\n', who->out);
	print_title(why, row);
	print_reason(why, row);
	for (const struct holder *holder = row->socket.holders; holder; holder = holder->next)
		who_holder_lines(&why->who, holder, index);
	if (row->socket.holders)
		return;
	text = who_line(who);
	text_put(&text, WHO_INDENT "no process");
	put_no_holder(&text, who, row);
	who_last_holder(&text, who, &row->socket, describe_last_holder(who->model, &row->socket));
	who_line_end(who, &text);
}

static void print_more(const struct why_text *why, size_t n, enum bind_rule rule)
{
	struct text text = who_line(&why->who);

	if (!n)
		return;
	text_format(&text, "\n%zu more of this kind (%s); -v shows them", n, bind_rule_name(rule));
	who_line_end(&why->who, &text);
}

static void print_rows(const struct why_text *why)
{
	const struct why_rows *rows = why->rows;
	bool all = why->answer->who.list.view.verbose;
	size_t shown = 0, hidden = 0;

	for (size_t i = 0; i < rows->n; i++) {
		enum bind_rule rule = rows->items[i].conflict->rule;

		if (i && rule != rows->items[i - 1].conflict->rule) {
			print_more(why, hidden, rows->items[i - 1].conflict->rule);
			shown = hidden = 0;
		}
		if (all || shown++ < SHOWN_EACH)
			print_row(why, i);
		else
			hidden++;
	}
	if (rows->n)
		print_more(why, hidden, rows->items[rows->n - 1].conflict->rule);
}

/* --- not in the way ---------------------------------------------------------------------------------------
 */

struct aside {
	const struct why_text *why;
	unsigned n;
};

/* What people suspect: others on that port, in another namespace. */
static bool is_aside(const struct why_answer *answer, const struct rec_socket *socket)
{
	return socket->local_port == answer->wish->port && socket->protocol == answer->wish->protocol &&
	       socket_row_kind(socket) == ROW_PORT && socket->netns != answer->who.home_netns;
}

static int print_aside(const struct socket_row *row, void *context)
{
	struct aside *aside = context;
	const struct who *who = &aside->why->who;
	struct text text;

	if (!is_aside(aside->why->answer, &row->socket))
		return 0;
	if (aside->n++ == 0)
		fputs("\nnot in the way, since it is in another network namespace:\n", who->out);
	if (aside->n > ASIDE_MAX && !who->options->list.view.verbose)
		return 0;
	text = who_line(who);
	text_put(&text, WHO_INDENT);
	who_row(&text, who, row, DIRECTION_UNKNOWN);
	who_line_end(who, &text);
	return 0;
}

static void print_asides(const struct why_text *why)
{
	struct aside aside = {.why = why};

	model_each_socket(why->who.model, print_aside, &aside);
	if (aside.n > ASIDE_MAX && !why->answer->who.list.view.verbose)
		fprintf(why->who.out, WHO_INDENT "and %u more; -v shows them\n", aside.n - ASIDE_MAX);
}

int why_text_print(FILE *out, const struct model *model, const struct why_answer *answer,
		   const struct why_rows *rows)
{
	struct port_table table = {.ports = calloc(rows->n + 1, sizeof(*table.ports)), .n_ports = rows->n};
	char room[WHO_LINE_MAX];
	const struct why_text why = {
		.who = {.out = out, .model = model, .options = &answer->who, .table = &table, .room = room},
		.answer = answer,
		.rows = rows};

	if (!table.ports)
		return -ENOMEM;
	for (size_t i = 0; i < rows->n; i++)
		table.ports[i].socket = &rows->items[i].socket;
	print_verdict(&why);
	print_rows(&why);
	print_asides(&why);
	free(table.ports);
	return 0;
}
