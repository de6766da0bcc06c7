/* SPDX-License-Identifier: GPL-2.0-only */
/* What top collects, reads and draws, without a terminal: for tests and measurements. */
#ifndef TESTS_UNIT_TOP_SCENE_H
#define TESTS_UNIT_TOP_SCENE_H

#include "core/history.h"
#include "screen/draw.h"

struct top_scene {
	struct rates *rates;
	struct departed *departed;
	struct backlog *backlog;
	struct history *history;
	struct top_state state;
	struct top_table table;
	struct top_layout layout;
	struct top_head head;
	struct top_counts counts;
	struct top_forecast forecast;
	const char *const *lines; /* of the details */
	size_t n_lines;
};

/* False: no memory. */
static inline bool top_scene_open(struct top_scene *scene)
{
	*scene = (struct top_scene){.rates = rates_new(NULL),
				    .departed = departed_new(1024),
				    .backlog = backlog_new(8192),
				    .history = history_new(4096)};
	top_state_init(&scene->state);
	return scene->rates && scene->departed && scene->backlog && scene->history;
}

static inline void top_scene_close(struct top_scene *scene)
{
	rates_free(scene->rates);
	departed_free(scene->departed);
	backlog_free(scene->backlog);
	history_free(scene->history);
	top_table_free(&scene->table);
}

static inline void top_scene_take(struct top_scene *scene, const struct model *model,
				  const struct change *change)
{
	rates_take(scene->rates, model, change);
	departed_take(scene->departed, change);
	history_take(scene->history, model, change);
	if (record_is_public(change->record.header->kind))
		backlog_put(scene->backlog, change->record.header);
}

/* 0 or -ENOMEM. */
static inline int top_scene_read(struct top_scene *scene, const struct model *model, uint64_t now_ns)
{
	const struct top_source source = {.model = model,
					  .rates = scene->rates,
					  .departed = scene->departed,
					  .backlog = scene->backlog,
					  .history = scene->history,
					  .now_ns = now_ns,
					  .closed = true};
	const struct top_clock clock = {.speed = 1};
	const struct top_head_facts facts = {.kernel = "6.18",
					     .counts = &scene->counts,
					     .forecast = &scene->forecast,
					     .clock = &clock,
					     .utf8 = true};

	top_head_make(&scene->head, &source, &facts);
	return top_table_read(&scene->table, scene->state.view, &source);
}

static inline void top_scene_draw(struct top_scene *scene, const struct model *model, struct canvas *canvas)
{
	const struct top_page page = {.table = &scene->table, .model = model, .backlog = scene->backlog};
	const struct drawing drawing = {.head = &scene->head,
					.state = &scene->state,
					.table = &scene->table,
					.page = &page,
					.layout = &scene->layout,
					.lines = scene->lines,
					.n_lines = scene->n_lines};

	draw(canvas, &drawing);
}

#endif
