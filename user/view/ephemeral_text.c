/* SPDX-License-Identifier: GPL-2.0-only */
/* How ephemeral ports are used, for people: ranges with a map, then tables, then what to know and do. */
#include "core/record.h"
#include "view/columns.h"
#include "view/ephemeral_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define LINE_MAX_BYTES 2048
#define ROWS_SHOWN     10 /* of a table, unless --verbose */
#define MAP_CELLS      64

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- ranges -----------------------------------------------------------------------------------------------
 */

static unsigned percent(unsigned part, unsigned whole)
{
	return whole ? (unsigned)((part * 100ull + whole / 2) / whole) : 0;
}

bool ephemeral_space_is_empty(const struct ephemeral_space *space)
{
	return !space->n_in_use && !space->n_time_wait;
}

/* "tcp 32768-60999: 28232 ports, 2 reserved; 31 in use (0 %), 1 of them exclusively; 7 more in TIME_WAIT" */
void ephemeral_put_space(struct text *text, const struct model *model, const struct ephemeral_space *space,
			 const struct ephemeral_options *options)
{
	unsigned size = space->high - space->low + 1u;

	text_format(text, "%s %u-%u", record_transport_name(space->protocol), space->low, space->high);
	if (space->netns != options->home_netns) {
		text_put(text, " in network namespace ");
		text_netns(text, model, space->netns, options->view.numeric);
	}
	if (!space->range_known)
		text_put(text, " (IANA's range: the kernel's is not known)");
	text_format(text, ": %u ports", size);
	if (space->n_reserved)
		text_format(text, ", %u reserved", space->n_reserved);
	text_format(text, "; %u in use (%u %%)", space->n_in_use, percent(space->n_in_use, size));
	if (space->protocol == IPPROTO_TCP && space->n_exclusive)
		text_format(text, ", %u taken by bind and listen", space->n_exclusive);
	if (space->n_time_wait)
		text_format(text, "; %u more in TIME_WAIT", space->n_time_wait);
}

/* What one cell stands for: the most telling thing in it. */
static char map_cell(const struct ephemeral_space *space, uint16_t low, uint16_t high)
{
	unsigned size = high - low + 1u, used = port_set_count(&space->in_use, low, high);
	unsigned time_wait = port_set_count(&space->time_wait, low, high);

	if (port_set_count(&space->reserved, low, high) == size)
		return 'R';
	if (port_set_count(&space->listening, low, high))
		return 'L';
	if (time_wait > used)
		return 'w';
	if (used * 4 >= size * 3)
		return '#';
	if (used * 2 >= size)
		return '+';
	if (used * 4 >= size)
		return ':';
	return used || time_wait ? '.' : ' ';
}

void ephemeral_put_map(struct text *text, const struct ephemeral_space *space, unsigned cells)
{
	unsigned size = space->high - space->low + 1u;

	if (cells > size)
		cells = size;
	for (unsigned i = 0; i < cells; i++) {
		char cell[2] = {map_cell(space, (uint16_t)(space->low + size * i / cells),
					 (uint16_t)(space->low + size * (i + 1) / cells - 1)),
				'\0'};

		text_put(text, cell);
	}
}

static void print_text(FILE *out, const struct text *text)
{
	fwrite(text->buf, 1, text->length, out);
	fputc('\n', out);
}

static void print_space(const struct ephemeral_text *view, const struct ephemeral_space *space)
{
	char line[LINE_MAX_BYTES];
	struct text text = text_in(line, sizeof(line));

	ephemeral_put_space(&text, view->model, space, view->options);
	print_text(view->out, &text);
	text = text_in(line, sizeof(line));
	text_put(&text, "    [");
	ephemeral_put_map(&text, space, MAP_CELLS);
	text_put(&text, "]");
	print_text(view->out, &text);
}

/* The own namespace always, of others what is used. */
static void print_spaces(const struct ephemeral_text *view)
{
	bool any = false;

	for (size_t i = 0; i < view->ephemeral->n_spaces; i++) {
		const struct ephemeral_space *space = &view->ephemeral->spaces[i];

		if (ephemeral_space_is_empty(space) && space->netns != view->options->home_netns)
			continue;
		print_space(view, space);
		any |= !ephemeral_space_is_empty(space);
	}
	if (!any && !view->options->home_netns)
		fputs("no port of any range in use\n", view->out);
	if (any)
		fputs("    " EPHEMERAL_MAP_KEY "\n", view->out);
	if (view->ephemeral->incomplete)
		fputs("    and more network namespaces, which are left out\n", view->out);
}

/* --- destinations -----------------------------------------------------------------------------------------
 */

static const struct ephemeral_destination *destination_at(const void *context, size_t row)
{
	return &((const struct ephemeral_text *)context)->ephemeral->destinations[row];
}

static void cell_to(struct text *text, const void *context, size_t row)
{
	struct endpoint peer = endpoint_peer(&destination_at(context, row)->ends);
	char buf[ENDPOINT_TEXT_MAX];

	text_put(text, endpoint_text(&peer, buf));
}

static void cell_from(struct text *text, const void *context, size_t row)
{
	struct endpoint local = endpoint_local(&destination_at(context, row)->ends);
	char buf[ENDPOINT_TEXT_MAX];

	text_put(text, endpoint_address_text(&local, buf));
}

static void cell_in_use(struct text *text, const void *context, size_t row)
{
	text_uint(text, destination_at(context, row)->in_use);
}

static void cell_time_wait(struct text *text, const void *context, size_t row)
{
	text_uint(text, destination_at(context, row)->time_wait);
}

static void cell_free(struct text *text, const void *context, size_t row)
{
	text_uint(text, destination_at(context, row)->available);
}

static void cell_used(struct text *text, const void *context, size_t row)
{
	const struct ephemeral_text *view = context;
	double used = ephemeral_used_ratio(view->ephemeral, destination_at(context, row));

	text_format(text, "%.1f%%", 100 * used);
}

static void put_process(struct text *text, const struct process *process)
{
	struct actor actor = describe_process(process);

	text_actors(text, &actor, process != NULL);
}

static void cell_rate(struct text *text, const void *context, size_t row)
{
	const struct ephemeral_destination *destination = destination_at(context, row);

	if (destination->watched)
		text_format(text, "%.1f/s", destination->assigned_per_second);
}

static void cell_empty_in(struct text *text, const void *context, size_t row)
{
	const struct ephemeral_destination *destination = destination_at(context, row);

	if (destination->will_be_exhausted)
		text_duration_word(text, destination->exhausted_in_seconds * UINT64_C(1000000000));
}

static void cell_failed(struct text *text, const void *context, size_t row)
{
	if (destination_at(context, row)->watched)
		text_uint(text, destination_at(context, row)->failed);
}

static bool nobody_watched(const struct ephemeral *ephemeral)
{
	for (size_t i = 0; i < ephemeral->n_destinations; i++)
		if (ephemeral->destinations[i].watched)
			return false;
	return true;
}

static void cell_mostly(struct text *text, const void *context, size_t row)
{
	put_process(text, destination_at(context, row)->process);
}

static void cell_netns(struct text *text, const void *context, size_t row)
{
	const struct ephemeral_text *view = context;

	text_netns(text, view->model, view->ephemeral->spaces[destination_at(context, row)->space].netns,
		   view->options->view.numeric);
}

/* Of a table that was not shown whole. */
void ephemeral_print_rest(const struct ephemeral_text *view, size_t n, size_t shown, const char *what)
{
	if (n > shown)
		fprintf(view->out, "    and %zu more %s: --verbose shows all\n", n - shown, what);
}

size_t ephemeral_shown(const struct ephemeral_text *view, size_t n)
{
	return n > ROWS_SHOWN && !view->options->view.verbose ? ROWS_SHOWN : n;
}

/* With one namespace, it need not be said. */
static bool is_one_netns(const struct ephemeral_text *view)
{
	uint32_t netns = 0;

	for (size_t i = 0; i < view->ephemeral->n_spaces; i++) {
		const struct ephemeral_space *space = &view->ephemeral->spaces[i];

		if (ephemeral_space_is_empty(space) || space->netns == netns)
			continue;
		if (netns)
			return false;
		netns = space->netns;
	}
	return true;
}

static int print_destinations(const struct ephemeral_text *view)
{
	bool unwatched = nobody_watched(view->ephemeral);
	const struct column columns[] = {
		{"TO", cell_to, false},
		{"FROM", cell_from, false},
		{"IN-USE", cell_in_use, false},
		{"TIME-WAIT", cell_time_wait, false},
		{"FREE", cell_free, false},
		{"USED", cell_used, false},
		{"RATE", cell_rate, unwatched},
		{"EMPTY-IN", cell_empty_in, unwatched},
		{"FAILED", cell_failed, unwatched},
		{"NETNS", cell_netns, is_one_netns(view)},
		{"MOSTLY", cell_mostly, false},
	};
	size_t n = view->ephemeral->n_destinations, shown = ephemeral_shown(view, n);
	int error;

	if (!n)
		return 0;
	fputc('\n', view->out);
	error = columns_print(view->out, columns, COUNT(columns), shown, view, CELL_MAX,
			      view->options->view.colour);
	ephemeral_print_rest(view, n, shown, "destinations");
	return error;
}

/* --- consumers --------------------------------------------------------------------------------------------
 */

static const struct ephemeral_consumer *consumer_at(const void *context, size_t row)
{
	return &((const struct ephemeral_text *)context)->ephemeral->consumers[row];
}

static void cell_ports(struct text *text, const void *context, size_t row)
{
	text_uint(text, consumer_at(context, row)->in_use);
}

static void cell_exclusive(struct text *text, const void *context, size_t row)
{
	text_uint(text, consumer_at(context, row)->exclusive);
}

static void cell_protocol(struct text *text, const void *context, size_t row)
{
	const struct ephemeral_text *view = context;

	text_put(text,
		 record_transport_name(view->ephemeral->spaces[consumer_at(context, row)->space].protocol));
}

static void cell_process(struct text *text, const void *context, size_t row)
{
	put_process(text, consumer_at(context, row)->process);
}

static void place_of(const void *context, size_t row, struct cgroup_name *ret_place)
{
	const struct ephemeral_text *view = context;
	struct actor actor = describe_process(consumer_at(context, row)->process);

	actor_place(view->model, &actor, ret_place);
}

static void cell_unit(struct text *text, const void *context, size_t row)
{
	struct cgroup_name place;
	struct cgroup_part unit;

	place_of(context, row, &place);
	unit = cgroup_telling_unit(&place);
	if (unit.length)
		text_name(text, unit.text, unit.length);
}

static void cell_container(struct text *text, const void *context, size_t row)
{
	const struct ephemeral_text *view = context;
	struct cgroup_name place;

	place_of(context, row, &place);
	text_container(text, &place, view->options->view.numeric);
}

/* Whether a column would be empty for all that is shown. */
static bool is_blank(const struct ephemeral_text *view, size_t n,
		     void (*cell)(struct text *text, const void *context, size_t row))
{
	char buf[CELL_MAX];

	for (size_t i = 0; i < n; i++) {
		struct text text = text_in(buf, sizeof(buf));

		cell(&text, view, i);
		if (text.length)
			return false;
	}
	return true;
}

static int print_consumers(const struct ephemeral_text *view)
{
	size_t n = view->ephemeral->n_consumers, shown = ephemeral_shown(view, n);
	const struct column columns[] = {
		{"PORTS", cell_ports, false},
		{"EXCLUSIVE", cell_exclusive, false},
		{"PROTO", cell_protocol, false},
		{"PROCESS", cell_process, false},
		{"CONTAINER", cell_container, is_blank(view, shown, cell_container)},
		{"UNIT", cell_unit, is_blank(view, shown, cell_unit)},
	};
	int error;

	if (!n)
		return 0;
	fputc('\n', view->out);
	error = columns_print(view->out, columns, COUNT(columns), shown, view, CELL_MAX,
			      view->options->view.colour);
	ephemeral_print_rest(view, n, shown, "processes");
	return error;
}

/* --- findings ---------------------------------------------------------------------------------------------
 */

static void print_findings(const struct ephemeral_text *view)
{
	const struct ephemeral *ephemeral = view->ephemeral;
	char words[EPHEMERAL_WORDS_MAX];

	for (size_t i = 0; i < ephemeral->n_findings; i++) {
		const struct ephemeral_finding *finding = &ephemeral->findings[i];

		fprintf(view->out, "\n%s%s: %s%s\n", view->options->view.colour ? "\x1b[1m" : "",
			ephemeral_finding_name(finding->kind),
			ephemeral_finding_text(words, view->model, ephemeral, finding),
			view->options->view.colour ? "\x1b[0m" : "");
		fprintf(view->out, "    %s\n",
			ephemeral_finding_remedy(words, view->model, ephemeral, finding));
	}
}

int ephemeral_print_text(FILE *out, const struct model *model, const struct ephemeral *ephemeral,
			 const struct ephemeral_options *options)
{
	const struct ephemeral_text view = {
		.out = out, .model = model, .ephemeral = ephemeral, .options = options};
	int error;

	print_spaces(&view);
	error = print_destinations(&view);
	if (!error)
		error = print_consumers(&view);
	if (!error)
		error = ephemeral_print_groups(&view);
	if (!error)
		print_findings(&view);
	return error;
}
