/* SPDX-License-Identifier: GPL-2.0-only */
/* The answer for programs: a row each that is in the way, then the verdict. */
#include "view/json_parts.h"
#include "view/list_print.h"
#include "view/why_parts.h"

#include <netinet/in.h>
#include <string.h>

/* --- in the way -------------------------------------------------------------------------------------------
 */

struct conflict_context {
	const struct model *model;
	const struct why_answer *answer;
	const struct why_row *row;
};

static void json_conflict(struct json_writer *w, const void *context)
{
	const struct conflict_context *conflict = context;
	char buf[WHY_TEXT_MAX];
	struct text text = text_in(buf, sizeof(buf));

	json_object(w, "conflict");
	json_string(w, "rule", bind_rule_name(conflict->row->conflict->rule));
	json_string(w, "overlap", bind_overlap_name(conflict->row->conflict->overlap));
	why_rule(&text, conflict->answer, conflict->row);
	json_string_n(w, "reason", text.buf, text.length);
	text = text_in(buf, sizeof(buf));
	why_remedy(&text, conflict->model, conflict->answer, conflict->row);
	if (text.length)
		json_string_n(w, "remedy", text.buf, text.length);
	json_object_end(w);
}

/* --- the verdict ------------------------------------------------------------------------------------------
 */

static void json_wish(struct json_writer *w, const struct bind_wish *wish)
{
	struct rec_socket socket = {
		.protocol = wish->protocol, .family = wish->family, .local_port = wish->port};
	struct description description = {.socket = &socket, .has_local = true};

	memcpy(socket.local_addr, wish->addr, sizeof(socket.local_addr));
	description.local = endpoint_local(&socket);
	description.family = description.local.family;
	json_network(w, &description, false);
}

static void json_remedies(struct json_writer *w, const struct why_answer *answer)
{
	char buf[WHY_TEXT_MAX];
	struct text text = text_in(buf, sizeof(buf));

	if (!why_whole_remedy(&text, answer, 0))
		return;
	json_array(w, "remedies");
	for (unsigned i = 1; text.length; i++) {
		json_string_n(w, NULL, text.buf, text.length);
		text = text_in(buf, sizeof(buf));
		why_whole_remedy(&text, answer, i);
	}
	json_array_end(w);
}

static void json_reason(struct json_writer *w, const struct why_answer *answer)
{
	char buf[WHY_TEXT_MAX];
	struct text text = text_in(buf, sizeof(buf));

	if (answer->outcome == BIND_UNKNOWN) {
		json_string(w, "unknown", bind_doubt_text(answer->doubt));
		return;
	}
	json_bool(w, "would_bind", answer->outcome == BIND_YES);
	why_error(&text, answer);
	if (answer->outcome == BIND_NO && text.length)
		json_string_n(w, "reason", text.buf, text.length);
}

static void json_verdict(struct json_writer *w, const struct model *model, const struct why_answer *answer)
{
	const struct bind_wish *wish = answer->wish;
	char error[ERROR_TYPE_MAX];

	json_wish(w, wish);
	if (answer->outcome == BIND_NO)
		json_wrapped(w, "error", "type", error_type(answer->verdict.error, error));
	json_object(w, "portsnoop");
	json_netns(w, model, answer->who.home_netns, &answer->who.list.view);
	json_options(w, (uint8_t)((wish->reuseaddr ? SOCKOPT_REUSEADDR : 0) |
				  (wish->reuseport ? SOCKOPT_REUSEPORT : 0) |
				  (wish->v6only ? SOCKOPT_V6ONLY : 0)));
	json_reason(w, answer);
	json_remedies(w, answer);
	json_object_end(w);
}

int why_json_print(FILE *out, const struct model *model, const struct why_answer *answer,
		   const struct why_rows *rows)
{
	struct json_writer w = {0};
	int error = 0;

	for (size_t i = 0; i < rows->n && !error; i++) {
		const struct conflict_context context = {model, answer, &rows->items[i]};

		error = list_json_socket(out, model, &rows->items[i].socket, &answer->who.list, json_conflict,
					 &context);
	}
	if (!error) {
		json_row_begin(&w, "verdict");
		json_verdict(&w, model, answer);
		error = json_row_print(&w, out);
	}
	json_free(&w);
	return error;
}
