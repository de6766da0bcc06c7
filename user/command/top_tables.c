/* SPDX-License-Identifier: GPL-2.0-only */
#include "command/top_tables.h"

#include "command/command.h"
#include "core/subject.h"
#include "system/proc.h"
#include "view/top_print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define EVENTS_KEPT   8192
#define DEPARTED_KEPT 1024
#define HISTORY_KEPT  4096
#define FORESEE_NS    2000000000ull /* between looks ahead, or ... */
#define FORESEE_SHARE 100	    /* ... so many times what the last one took */

/* --- collecting -------------------------------------------------------------------------------------------
 */

/* While a filter is in force only what it lets through pushes out what was before: a busy machine's other
 * events would leave no room. */
static bool wanted(const struct top_tables *tables, const struct model *model, const struct change *change)
{
	struct subject_storage storage;

	if (!record_is_public(change->record.header->kind))
		return false;
	return !tables->filter || !change->record.fact ||
	       filter_match(tables->filter, subject_of_change(model, change, &storage));
}

static void take(void *context, const struct model *model, const struct change *change)
{
	struct top_tables *tables = context;

	rates_take(tables->rates, model, change);
	departed_take(tables->departed, change);
	history_take(tables->history, model, change);
	if (wanted(tables, model, change))
		backlog_put(tables->backlog, change->record.header);
}

/* --- from beginning to end --------------------------------------------------------------------------------
 */

struct parts {
	struct pipeline *pipeline;
	struct rates *rates;
	struct departed *departed;
	struct backlog *backlog;
	struct history *history;
};

static void free_parts(const struct parts *parts)
{
	pipeline_free(parts->pipeline);
	rates_free(parts->rates);
	departed_free(parts->departed);
	backlog_free(parts->backlog);
	history_free(parts->history);
}

int top_tables_restart(struct top_tables *tables)
{
	const struct pipeline_options options = {.watch = take, .watch_context = tables};
	const struct parts old = {tables->pipeline, tables->rates, tables->departed, tables->backlog,
				  tables->history};
	const struct parts new = {pipeline_new(&options, -1), rates_new(NULL), departed_new(DEPARTED_KEPT),
				  backlog_new(EVENTS_KEPT), history_new(HISTORY_KEPT)};

	if (!new.pipeline || !new.rates || !new.departed || !new.backlog || !new.history) {
		free_parts(&new);
		return -ENOMEM;
	}
	free_parts(&old);
	tables->pipeline = new.pipeline;
	tables->rates = new.rates;
	tables->departed = new.departed;
	tables->backlog = new.backlog;
	tables->history = new.history;
	tables->foreseen_ns = 0;
	tables->forecast = (struct top_forecast){0};
	return 0;
}

int top_tables_open(struct top_tables *tables, const struct options *options)
{
	struct utsname name;

	memset(tables, 0, sizeof(*tables));
	tables->options = options;
	if (!options->from && !uname(&name))
		snprintf(tables->kernel, sizeof(tables->kernel), "%s", name.release);
	return top_tables_restart(tables);
}

void top_tables_close(struct top_tables *tables)
{
	const struct parts parts = {tables->pipeline, tables->rates, tables->departed, tables->backlog,
				    tables->history};

	free_parts(&parts);
	top_frozen_free(tables->frozen);
	filter_free(tables->filter);
	top_table_free(&tables->table);
}

/* --- reading ----------------------------------------------------------------------------------------------
 */

static const struct backlog *backlog_shown(const struct top_tables *tables)
{
	return tables->frozen ? top_frozen_backlog(tables->frozen) : tables->backlog;
}

struct top_source top_tables_source(const struct top_tables *tables, const struct top_state *state,
				    uint64_t now_ns)
{
	struct top_source source = {
		.model = pipeline_model(tables->pipeline),
		.rates = tables->rates,
		.departed = tables->departed,
		.backlog = backlog_shown(tables),
		.history = tables->history,
		.filter = tables->filter,
		.view = view_options_of(tables->options),
		.now_ns = now_ns,
		.home_netns = tables->options->from ? 0 : proc_netns(),
		.closed = state->closed,
		.unfold = tables->options->verbose,
		.tree = state->tree,
		.by_events = tables->options->from,
	};

	source.view.numeric = state->numeric;
	source.view.colour = false;
	return source;
}

struct top_page top_tables_page(const struct top_tables *tables, const struct top_state *state)
{
	struct top_page page = {
		.table = &tables->table,
		.model = pipeline_model(tables->pipeline),
		.backlog = backlog_shown(tables),
		.view = view_options_of(tables->options),
	};

	page.view.numeric = state->numeric;
	page.view.colour = false;
	return page;
}

static void foresee(struct top_tables *tables, const struct top_source *source)
{
	uint64_t pause_ns = FORESEE_SHARE * tables->foresight_ns, begun_ns = proc_boottime_ns();

	if (pause_ns < FORESEE_NS)
		pause_ns = FORESEE_NS;
	if (tables->foreseen_ns && begun_ns - tables->foreseen_ns < pause_ns)
		return;
	top_foresee(source, &tables->forecast); /* without memory, the last one stands */
	tables->foreseen_ns = proc_boottime_ns();
	tables->foresight_ns = tables->foreseen_ns - begun_ns;
}

void top_tables_tick(struct top_tables *tables, const struct top_state *state, uint64_t now_ns)
{
	const struct top_source source = top_tables_source(tables, state, now_ns);

	rates_tick(tables->rates, now_ns);
	top_count(source.model, &tables->counts);
	foresee(tables, &source);
}

int top_tables_read(struct top_tables *tables, const struct top_state *state, uint64_t now_ns)
{
	const struct top_source source = top_tables_source(tables, state, now_ns);

	return top_table_read(&tables->table, state->view, &source);
}

void top_tables_head(struct top_tables *tables, const struct top_state *state, uint64_t now_ns, bool utf8)
{
	const struct top_source source = top_tables_source(tables, state, now_ns);
	const struct top_head_facts facts = {
		.kernel = tables->kernel,
		.counts = &tables->counts,
		.forecast = &tables->forecast,
		.clock = &tables->clock,
		.frozen_ns = tables->frozen ? top_frozen_time(tables->frozen) : 0,
		.partial = tables->partial,
		.utf8 = utf8,
	};

	top_head_make(&tables->head, &source, &facts);
}

/* The rows are read once more, so that they and what is kept are of the same moment. */
int top_tables_freeze(struct top_tables *tables, const struct top_state *state, uint64_t now_ns)
{
	int error;

	top_frozen_free(tables->frozen);
	tables->frozen = NULL;
	if (!state->frozen)
		return 0;
	error = top_tables_read(tables, state, now_ns);
	if (error)
		return error;
	tables->frozen = top_frozen_take(pipeline_model(tables->pipeline), tables->backlog, now_ns);
	return tables->frozen ? 0 : -ENOMEM;
}

int top_tables_shown(const struct top_tables *tables, const struct top_state *state, uint64_t now_ns,
		     struct top_source *ret_source)
{
	struct top_source source = top_tables_source(tables, state, now_ns);

	if (tables->frozen) {
		source.now_ns = top_frozen_time(tables->frozen);
		source.model = top_frozen_model(tables->frozen);
	}
	if (!source.model)
		return -ENOMEM;
	*ret_source = source;
	return 0;
}

int top_tables_print(struct top_tables *tables, const struct top_state *state, uint64_t now_ns, FILE *out)
{
	const struct top_source source = top_tables_source(tables, state, now_ns);
	const struct top_page page = top_tables_page(tables, state);
	const struct top_place *place = &state->places[state->view];
	int error;

	if (tables->options->json)
		return top_print_json(out, state->view, &source);
	error = top_tables_read(tables, state, now_ns);
	if (error)
		return error;
	top_tables_head(tables, state, now_ns, true);
	errno = 0;
	error = top_print_text(out, &tables->head, &tables->table, &page, place->sort, place->reverse);
	return error == -EIO && errno ? -errno : error; /* a stream keeps no reason */
}
