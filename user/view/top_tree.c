/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes below their parents, those of one parent in the order of a column. */
#include "core/ancestry.h"
#include "view/top.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY	  UINT32_MAX
#define UNREACHED UINT8_MAX /* depth of a row that the walk has not come by */

/* --- who is below whom ------------------------------------------------------------------------------------
 */

static int compare_rows(const void *left, const void *right)
{
	const struct top_row *a = left, *b = right;
	int order = top_compare_numbers(a->who.pid, b->who.pid);

	return order ? order : top_compare_numbers(a->who.start_ns, b->who.start_ns);
}

/* Rows are by pid, then by start. */
static uint32_t row_of(const struct top_table *table, uint32_t pid, uint64_t start_ns)
{
	const struct top_row wanted = {.who = {.pid = pid, .start_ns = start_ns}};
	const struct top_row *row =
		bsearch(&wanted, table->rows, table->n, sizeof(*table->rows), compare_rows);

	return row ? (uint32_t)(row - table->rows) : NOBODY;
}

/* The nearest ancestor that holds a socket, too. */
static uint32_t find_parent(const struct top_table *table, const struct model *model,
			    const struct rec_task *who)
{
	const struct process *chain[ANCESTRY_MAX];
	size_t n = ancestry_of(model, model_process(model, who->pid, who->start_ns), chain);

	for (size_t i = 1; i < n; i++) {
		uint32_t row = row_of(table, chain[i]->pid, chain[i]->start_ns);

		if (row != NOBODY)
			return row;
	}
	return NOBODY;
}

int top_tree_read(struct top_table *table, const struct model *model)
{
	struct top_kin *kin = reallocarray(table->kin, table->n + 1, sizeof(*kin));

	if (!kin)
		return -ENOMEM;
	table->kin = kin;
	if (table->n)
		qsort(table->rows, table->n, sizeof(*table->rows), compare_rows);
	for (uint32_t i = 0; i < table->n; i++) {
		uint32_t parent = find_parent(table, model, &table->rows[i].who);

		kin[i].parent = parent == NOBODY || parent == i ? (uint32_t)table->n : parent;
	}
	return 0;
}

/* --- the order --------------------------------------------------------------------------------------------
 */

/* Children are put before those that are there, from the last row on: so they stand as rows do. The one after
 * the last row is the root. */
static void link_rows(struct top_table *table)
{
	for (size_t i = 0; i <= table->n; i++)
		table->kin[i].first_child = table->kin[i].next = NOBODY;
	for (size_t i = table->n; i-- > 0;) {
		uint32_t row = table->order[i], parent = table->kin[row].parent;

		table->kin[row].next = table->kin[parent].first_child;
		table->kin[parent].first_child = row;
	}
}

/* Parents before their children. */
static size_t walk_tree(struct top_table *table)
{
	const struct top_kin *kin = table->kin;
	uint32_t root = (uint32_t)table->n, at = kin[root].first_child;
	unsigned depth = 0;
	size_t n = 0;

	while (at != NOBODY && n < table->n) {
		table->order[n++] = at;
		table->rows[at].depth = (uint8_t)(depth < UNREACHED ? depth : UNREACHED - 1);
		if (kin[at].first_child != NOBODY) {
			at = kin[at].first_child;
			depth++;
			continue;
		}
		while (at != root && kin[at].next == NOBODY) {
			at = kin[at].parent;
			if (at != root)
				depth--;
		}
		at = at == root ? NOBODY : kin[at].next;
	}
	return n;
}

/* Rows of damaged recordings may be their own ancestors: nothing leads to such a circle, and it stands at the
 * end. */
void top_tree_arrange(struct top_table *table)
{
	size_t n;

	if (!table->n)
		return;
	for (size_t i = 0; i < table->n; i++)
		table->rows[i].depth = UNREACHED;
	link_rows(table);
	n = walk_tree(table);
	for (uint32_t i = 0; i < table->n; i++) {
		if (table->rows[i].depth != UNREACHED)
			continue;
		table->rows[i].depth = 0;
		table->order[n++] = i;
	}
}
