/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The text line of an event: who, where, and in words what came of it. Colour is decided here and nowhere
 * else, one style a line, so that what went wrong is seen before it is read.
 */
#include "view/civil_time.h"
#include "view/command_line.h"
#include "view/text_parts.h"

#include <string.h>

#define TIME_WIDTH     12
#define EVENT_WIDTH    9
#define PROTOCOL_WIDTH 5
#define ENDPOINT_WIDTH 21 /* 255.255.255.255:65535; IPv6 pushes the rest to the right */
#define PID_WIDTH      7
#define COMM_WIDTH     (REC_COMM_LEN - 1)
/* Line end, reset of the colour and the NUL: there is always room for them. */
#define TAIL_MAX 8

#define STYLE_RESET "\x1b[0m"
#define STYLE_TITLE "\x1b[1m"
#define STYLE_DIM   "\x1b[2m"
#define STYLE_RED   "\x1b[31m"
#define STYLE_ALARM "\x1b[1;31m"
#define STYLE_GREEN "\x1b[32m"
#define STYLE_YELL  "\x1b[33m"
#define STYLE_CYAN  "\x1b[36m"

enum event_meaning event_meaning(const struct record *record, const struct description *description)
{
	const struct rec_summary *summary = (const void *)record->header;

	if (description->error)
		return MEANS_ERROR;
	if (description->assigned_by)
		return MEANS_ASSIGNED;
	switch (record->header->kind) {
	case REC_LISTEN:
		return MEANS_BEGIN;
	case REC_CLOSE:
		return MEANS_END;
	case REC_REFUSE:
		return MEANS_WARNING;
	case REC_OVERFLOW:
		return MEANS_ERROR;
	case REC_LOST:
		return MEANS_LOSS;
	case REC_SUMMARY:
		for (unsigned stage = 0; stage < LOSS_STAGE_COUNT; stage++)
			if (summary->lost[stage])
				return MEANS_LOSS;
		return MEANS_NOTHING;
	default:
		return MEANS_NOTHING;
	}
}

static const char *style_of(const struct record *record, const struct description *description)
{
	static const char *const styles[] = {
		[MEANS_NOTHING] = "",	       [MEANS_BEGIN] = STYLE_GREEN,  [MEANS_END] = STYLE_DIM,
		[MEANS_ASSIGNED] = STYLE_CYAN, [MEANS_WARNING] = STYLE_YELL, [MEANS_ERROR] = STYLE_RED,
		[MEANS_LOSS] = STYLE_ALARM,
	};

	return styles[event_meaning(record, description)];
}

/* --- the columns ------------------------------------------------------------------------------------------
 */

static void put_column(struct text *text, const char *string, size_t width)
{
	size_t begin = text->length;

	text_put(text, string);
	text_pad(text, begin, width);
}

static void put_end(struct text *text, bool known, const struct endpoint *endpoint)
{
	char buf[ENDPOINT_TEXT_MAX];

	put_column(text, known ? endpoint_text(endpoint, buf) : "-", ENDPOINT_WIDTH);
}

static void put_actor(struct text *text, const struct actor *actor)
{
	size_t begin = text->length;

	if (!actor->pid) {
		put_column(text, "-", PID_WIDTH);
		put_column(text, "-", COMM_WIDTH);
		return;
	}
	text_uint(text, actor->pid);
	text_pad(text, begin, PID_WIDTH);
	begin = text->length;
	text_comm(text, actor);
	text_pad(text, begin, COMM_WIDTH);
}

static void put_columns(struct text *text, const struct description *description, const struct actor *actor)
{
	put_column(text, description->socket ? protocol_name(description->socket) : "-", PROTOCOL_WIDTH);
	put_end(text, description->has_local, &description->local);
	put_end(text, description->has_peer, &description->peer);
	put_actor(text, actor);
}

static void put_begin(struct text *text, const struct model *model, const struct rec_header *header,
		      const struct view_options *options)
{
	char buf[CIVIL_TIME_MAX];

	put_column(text, civil_clock(model_wall_ns(model, header->time_ns), options->utc_offset_s, buf),
		   TIME_WIDTH);
	put_column(text, record_kind_name(header->kind), EVENT_WIDTH);
}

/* --- verbose ----------------------------------------------------------------------------------------------
 */

static void put_place(struct text *text, const struct cgroup_name *place, const struct view_options *options)
{
	struct cgroup_part unit = cgroup_telling_unit(place);
	char uid[CGROUP_POD_UID_MAX];

	if (place->id.length || (place->name.length && !options->numeric)) {
		text_put(text, " | container ");
		text_container(text, place, options->numeric);
	}
	if (cgroup_pod_uid(place, uid)) {
		text_put(text, " | pod ");
		text_put(text, uid);
	}
	if (unit.length) {
		text_put(text, " | unit ");
		text_name(text, unit.text, unit.length);
	}
}

static void put_pid_ns(struct text *text, const struct actor *actor)
{
	struct pid_ns pid_ns;

	if (!actor_pid_ns(actor, &pid_ns))
		return;
	text_put(text, " | pid ");
	if (pid_ns.pid)
		text_uint(text, pid_ns.pid);
	else
		text_put(text, "?");
	text_put(text, pid_ns.inode ? " in namespace " : " in its namespace");
	if (pid_ns.inode)
		text_uint(text, pid_ns.inode);
}

static void put_process(struct text *text, const struct model *model, const struct actor *actor,
			const struct view_options *options)
{
	const char *cgroup = actor->cgroup_id ? model_cgroup_path(model, actor->cgroup_id) : NULL;
	char arguments[COMMAND_LINE_MAX];
	size_t length = options->no_args ? 0 : command_line(actor, arguments);
	struct cgroup_name place;

	text_put(text, " | user ");
	text_user(text, model, actor->uid, options->numeric);
	put_pid_ns(text, actor);
	actor_place(model, actor, &place);
	put_place(text, &place, options);
	if (cgroup) {
		text_put(text, " | cgroup ");
		text_name(text, cgroup, strlen(cgroup));
	}
	if (length) {
		text_put(text, " | ");
		text_name(text, arguments, length);
	}
}

static void put_verbose(struct text *text, const struct model *model, const struct description *description,
			const struct actor *actor, const struct view_options *options)
{
	uint32_t netns = description->socket ? description->socket->netns : 0;

	if (netns) {
		text_put(text, " | netns ");
		text_netns(text, model, netns, options->numeric);
	}
	if (actor->pid)
		put_process(text, model, actor, options);
}

/* --- the line ---------------------------------------------------------------------------------------------
 */

static bool is_about_socket(unsigned kind)
{
	return kind != REC_READY && kind != REC_LOST && kind != REC_RESYNC && kind != REC_SUMMARY;
}

/* Columns without anything behind them leave no spaces. */
static void trim_spaces(struct text *text)
{
	while (text->length && text->buf[text->length - 1] == ' ')
		text->length--;
	text->buf[text->length] = '\0';
}

static size_t end_line(struct text *text, size_t size, bool styled)
{
	trim_spaces(text);
	text->size = size;
	if (styled)
		text_put(text, STYLE_RESET);
	text_put(text, "\n");
	return text->length;
}

size_t event_text(char *buf, size_t size, const struct model *model, const struct change *change,
		  const struct view_tally *tally, const struct view_options *options)
{
	const struct rec_header *header = change->record.header;
	struct actor actor = describe_actor(change);
	struct description description;
	const char *style;
	struct text text;

	if ((!record_is_public(header->kind) && !change->holder) || size <= TAIL_MAX)
		return 0;
	text = text_in(buf, size - TAIL_MAX);
	describe_change(model, change, &description);
	style = options->colour ? style_of(&change->record, &description) : "";
	text_put(&text, style);
	put_begin(&text, model, header, options);
	if (is_about_socket(header->kind)) {
		put_columns(&text, &description, &actor);
		text_event_details(&text, model, change, &description, options);
		if (options->verbose)
			put_verbose(&text, model, &description, &actor, options);
	} else {
		text_trace_details(&text, model, change, tally);
	}
	return end_line(&text, size, style[0]);
}

size_t event_text_header(char *buf, size_t size, const struct view_options *options)
{
	struct text text;

	if (size <= TAIL_MAX)
		return 0;
	text = text_in(buf, size - TAIL_MAX);
	if (options->colour)
		text_put(&text, STYLE_TITLE);
	put_column(&text, "TIME", TIME_WIDTH);
	put_column(&text, "EVENT", EVENT_WIDTH);
	put_column(&text, "PROTO", PROTOCOL_WIDTH);
	put_column(&text, "LOCAL", ENDPOINT_WIDTH);
	put_column(&text, "PEER", ENDPOINT_WIDTH);
	put_column(&text, "PID", PID_WIDTH);
	put_column(&text, "PROCESS", COMM_WIDTH);
	text_put(&text, "DETAILS");
	return end_line(&text, size, options->colour);
}
