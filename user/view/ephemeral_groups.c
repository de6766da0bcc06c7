/* SPDX-License-Identifier: GPL-2.0-only */
/* `ephemeral` as text: what the processes of a unit or a container have together. */
#include "core/record.h"
#include "view/columns.h"
#include "view/ephemeral_parts.h"
#include "view/text_parts.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct ephemeral_group *group_at(const void *context, size_t row)
{
	return &((const struct ephemeral_text *)context)->ephemeral->groups[row];
}

static void cell_ports(struct text *text, const void *context, size_t row)
{
	text_uint(text, group_at(context, row)->in_use);
}

static void cell_exclusive(struct text *text, const void *context, size_t row)
{
	text_uint(text, group_at(context, row)->exclusive);
}

static void cell_protocol(struct text *text, const void *context, size_t row)
{
	const struct ephemeral_text *view = context;

	text_put(text,
		 record_transport_name(view->ephemeral->spaces[group_at(context, row)->space].protocol));
}

static void cell_processes(struct text *text, const void *context, size_t row)
{
	text_uint(text, group_at(context, row)->processes);
}

static void cell_name(struct text *text, const void *context, size_t row)
{
	const struct ephemeral_text *view = context;
	struct actor actor = describe_process(group_at(context, row)->process);
	struct cgroup_name place;
	struct cgroup_part unit;

	actor_place(view->model, &actor, &place);
	unit = cgroup_telling_unit(&place);
	if (!cgroup_is_container(&place)) {
		text_name(text, unit.text, unit.length);
		return;
	}
	text_put(text, "container ");
	text_container(text, &place, view->options->view.numeric);
}

/* Each of one process would only repeat what stands above. */
static bool groups_tell_more(const struct ephemeral *ephemeral)
{
	for (size_t i = 0; i < ephemeral->n_groups; i++)
		if (ephemeral->groups[i].processes > 1)
			return true;
	return false;
}

int ephemeral_print_groups(const struct ephemeral_text *view)
{
	static const struct column columns[] = {
		{"PORTS", cell_ports, false},
		{"EXCLUSIVE", cell_exclusive, false},
		{"PROTO", cell_protocol, false},
		{"PROCESSES", cell_processes, false},
		{"UNIT OR CONTAINER", cell_name, false},
	};
	size_t n = view->ephemeral->n_groups, shown = ephemeral_shown(view, n);
	int error;

	if (!groups_tell_more(view->ephemeral))
		return 0;
	fputc('\n', view->out);
	error = columns_print(view->out, columns, COUNT(columns), shown, view, CELL_MAX,
			      view->options->view.colour);
	ephemeral_print_rest(view, n, shown, "units and containers");
	return error;
}
