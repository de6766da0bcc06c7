/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/top_head.h"

#include "core/ephemeral.h"
#include "view/civil_time.h"

#include <netinet/tcp.h>
#include <string.h>

#define SPARK_SECONDS 24
#define FIGURE_WIDTH  5		     /* "12.3k" */
#define LOSS_SHOWN_NS 60000000000ull /* in red; later it is only said */

/* --- counting ---------------------------------------------------------------------------------------------
 */

/* Which of two queues is closer to its limit. */
static bool is_fuller(const struct socket_row *row, const struct top_counts *than)
{
	return row->queue_length && row->queue_limit &&
	       (!than->queue_limit || (uint64_t)row->queue_length * than->queue_limit >
					      (uint64_t)than->queue_length * row->queue_limit);
}

static int count_socket(const struct socket_row *row, void *context)
{
	struct top_counts *counts = context;

	switch (socket_row_kind(&row->socket)) {
	case ROW_PORT:
		counts->ports++;
		break;
	case ROW_CONNECTION:
		counts->connections++;
		counts->time_wait += row->socket.state == TCP_TIME_WAIT;
		return 0;
	default:
		return 0;
	}
	if (row->socket.state != TCP_LISTEN)
		return 0;
	counts->listeners++;
	if (is_fuller(row, counts)) {
		counts->fullest = row->socket;
		counts->queue_length = row->queue_length;
		counts->queue_limit = row->queue_limit;
	}
	return 0;
}

static int count_process(const struct process *process, void *context)
{
	((struct top_counts *)context)->processes += process->n_held != 0;
	return 0;
}

void top_count(const struct model *model, struct top_counts *ret_counts)
{
	struct top_counts counts = {0};

	model_each_socket(model, count_socket, &counts);
	model_each_process(model, count_process, &counts);
	*ret_counts = counts;
}

int top_foresee(const struct top_source *source, struct top_forecast *ret_forecast)
{
	struct top_forecast forecast = {0};
	struct ephemeral ephemeral;
	int error = ephemeral_read(source->model, 0, source->now_ns, source->by_events, &ephemeral);

	if (error)
		return error;
	if (ephemeral.n_destinations) {
		const struct ephemeral_destination *first = &ephemeral.destinations[0];

		forecast = (struct top_forecast){
			.any = true,
			.ends = first->ends,
			.used_ratio = ephemeral_used_ratio(&ephemeral, first),
			.available = first->available,
			.will_be_exhausted = first->will_be_exhausted,
			.exhausted_in_seconds = first->exhausted_in_seconds,
		};
	}
	ephemeral_free(&ephemeral);
	*ret_forecast = forecast;
	return 0;
}

/* --- pieces -----------------------------------------------------------------------------------------------
 */

/* 950, 12.3k, 4.5M */
static void put_amount(struct text *text, double value)
{
	if (value < 9999.5)
		text_format(text, "%.0f", value);
	else if (value < 999950)
		text_format(text, "%.1fk", value / 1e3);
	else
		text_format(text, "%.1fM", value / 1e6);
}

/* At the right of a fixed width, so that what follows does not move when it changes. */
static void put_figure(struct text *text, double value)
{
	char buf[32];
	struct text amount = text_in(buf, sizeof(buf));

	put_amount(&amount, value);
	text_format(text, "%*s", FIGURE_WIDTH, buf);
}

static void put_spark(struct text *text, const struct top_source *source, bool utf8)
{
	static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char ascii[] = "_.:-=+*#";
	uint32_t events[SPARK_SECONDS], most = 1;

	rates_past(source->rates, source->now_ns, events, SPARK_SECONDS);
	for (unsigned i = 0; i < SPARK_SECONDS; i++)
		if (events[i] > most)
			most = events[i];
	for (unsigned i = 0; i < SPARK_SECONDS; i++) {
		unsigned level = (unsigned)((uint64_t)events[i] * 7 / most);

		if (utf8)
			text_put(text, bars[level]);
		else
			text_format(text, "%c", ascii[level]);
	}
}

/* "  listening 12": a number that may be looked for, and what it is. */
static void put_count(struct top_line *line, const char *what, double value, enum top_style style)
{
	top_line_put(line, STYLE_DIM, line->text.length ? "  " : "");
	text_put(&line->text, what);
	text_put(&line->text, " ");
	top_line_style(line, style);
	put_figure(&line->text, value);
}

static void put_rate(struct top_line *line, const struct top_source *source, const char *what, enum rate rate)
{
	const struct rates_machine *machine = rates_machine(source->rates);
	double value = machine->counts.per_second[rate];

	put_count(line, what, value, rate == RATE_ERRORS && value > 0 ? STYLE_ERROR : STYLE_PLAIN);
	top_line_put(line, STYLE_DIM, "/s");
}

/* --- the lines --------------------------------------------------------------------------------------------
 */

static void make_first(struct top_line *line, const struct top_source *source,
		       const struct top_head_facts *facts)
{
	const char *host = model_host(source->model);

	top_line_put(line, STYLE_STRONG, "portsnoop");
	if (host) {
		top_line_put(line, STYLE_PLAIN, "  ");
		text_name(&line->text, host, strlen(host));
	}
	if (*facts->kernel) {
		top_line_put(line, STYLE_DIM, "  ");
		text_name(&line->text, facts->kernel, strlen(facts->kernel));
	}
	put_count(line, "events", rates_machine(source->rates)->events_per_second, STYLE_STRONG);
	top_line_put(line, STYLE_DIM, "/s");
	top_line_put(line, STYLE_DIM, " ");
	top_line_style(line, STYLE_KEY);
	put_spark(&line->text, source, facts->utf8);
}

static void make_second(struct top_line *line, const struct top_source *source,
			const struct top_head_facts *facts)
{
	const struct top_counts *counts = facts->counts;

	put_rate(line, source, "connects", RATE_CONNECTS);
	put_rate(line, source, "accepts", RATE_ACCEPTS);
	put_rate(line, source, "errors", RATE_ERRORS);
	put_count(line, "ports", counts->ports, STYLE_PLAIN);
	put_count(line, "listening", counts->listeners, STYLE_PLAIN);
	put_count(line, "connections", counts->connections, STYLE_PLAIN);
	if (counts->time_wait)
		put_count(line, "TIME_WAIT", counts->time_wait, STYLE_PLAIN);
	put_count(line, "processes", counts->processes, STYLE_PLAIN);
}

static void put_loss(struct top_line *line, const struct top_source *source)
{
	const struct rates_machine *machine = rates_machine(source->rates);

	if (!machine->lost) {
		top_line_put(line, STYLE_DIM, "nothing lost");
		return;
	}
	top_line_style(line, source->now_ns - machine->lost_ns < LOSS_SHOWN_NS ? STYLE_ALARM : STYLE_NOTE);
	text_put(&line->text, "LOST ");
	put_amount(&line->text, (double)machine->lost);
	text_put(&line->text, " events");
	if (machine->resync_ns < machine->lost_ns) {
		top_line_put(line, STYLE_NOTE, ", tables are being repaired");
		return;
	}
	top_line_put(line, STYLE_DIM, ", tables repaired ");
	top_put_age(&line->text, source->now_ns - machine->resync_ns);
	text_put(&line->text, " ago");
}

static void put_queue(struct top_line *line, const struct top_counts *counts)
{
	bool full = counts->queue_length >= counts->queue_limit;

	if (!counts->queue_length)
		return;
	top_line_put(line, STYLE_DIM, "  accept queue ");
	text_format(&line->text, ":%u ", counts->fullest.local_port);
	top_line_style(line, full					       ? STYLE_ERROR
			     : counts->queue_length * 2 >= counts->queue_limit ? STYLE_NOTE
									       : STYLE_PLAIN);
	text_format(&line->text, "%u/%u", counts->queue_length, counts->queue_limit);
}

static void put_forecast(struct top_line *line, const struct top_forecast *forecast)
{
	struct endpoint peer = endpoint_peer(&forecast->ends);
	char buf[ENDPOINT_TEXT_MAX];

	if (!forecast->any)
		return;
	top_line_put(line, STYLE_DIM, "  ephemeral ports to ");
	text_put(&line->text, endpoint_text(&peer, buf));
	text_put(&line->text, " ");
	if (!forecast->available) {
		top_line_put(line, STYLE_ERROR, "used up");
		return;
	}
	top_line_style(line, forecast->used_ratio >= 0.8 ? STYLE_NOTE : STYLE_PLAIN);
	text_format(&line->text, "%.0f%% used", 100 * forecast->used_ratio);
	if (!forecast->will_be_exhausted)
		return;
	top_line_put(line, STYLE_NOTE, ", none left in ");
	top_put_age(&line->text, forecast->exhausted_in_seconds * UINT64_C(1000000000));
}

static void make_third(struct top_line *line, const struct top_source *source,
		       const struct top_head_facts *facts)
{
	put_loss(line, source);
	if (facts->partial)
		top_line_put(line, STYLE_NOTE, "  not everything can be seen here: portsnoop doctor");
	put_queue(line, facts->counts);
	put_forecast(line, facts->forecast);
}

static void put_time(struct text *text, const struct top_source *source, uint64_t time_ns)
{
	char buf[CIVIL_TIME_MAX];

	civil_clock(model_wall_ns(source->model, time_ns), source->view.utc_offset_s, buf);
	buf[strcspn(buf, ".")] = '\0';
	text_put(text, buf);
}

static void make_frozen(struct top_line *line, const struct top_source *source, uint64_t since_ns)
{
	top_line_put(line, STYLE_ALARM, "FROZEN at ");
	put_time(&line->text, source, since_ns);
	text_put(&line->text, ", space goes on");
}

/* 20:41:20, and of a recording how far it is. */
static void make_clock(struct top_line *line, const struct top_source *source, const struct top_clock *clock)
{
	if (clock->recording) {
		top_line_style(line, clock->paused ? STYLE_NOTE : STYLE_DIM);
		text_format(&line->text, clock->paused ? "PAUSED " : "x%g ", clock->speed);
		text_put(&line->text, "at ");
		top_put_age(&line->text, source->now_ns - clock->begin_ns);
		text_put(&line->text, " of ");
		top_put_age(&line->text, clock->end_ns - clock->begin_ns);
		text_put(&line->text, "  ");
	}
	top_line_style(line, STYLE_PLAIN);
	put_time(&line->text, source, source->now_ns);
}

void top_head_make(struct top_head *head, const struct top_source *source, const struct top_head_facts *facts)
{
	for (unsigned i = 0; i < TOP_HEAD_LINES; i++) {
		top_line_begin(&head->left[i]);
		top_line_begin(&head->right[i]);
	}
	make_first(&head->left[0], source, facts);
	make_second(&head->left[1], source, facts);
	make_third(&head->left[2], source, facts);
	make_clock(&head->right[0], source, facts->clock);
	if (rates_machine(source->rates)->lost) {
		top_line_style(&head->right[2], STYLE_ALARM);
		text_put(&head->right[2].text, "LOST ");
		put_amount(&head->right[2].text, (double)rates_machine(source->rates)->lost);
	}
	if (facts->frozen_ns)
		make_frozen(&head->right[1], source, facts->frozen_ns);
}
