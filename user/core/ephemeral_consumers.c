/* SPDX-License-Identifier: GPL-2.0-only */
/* Who has ephemeral ports. */
#include "core/ephemeral_spaces.h"
#include "core/slab.h"

#include <errno.h>
#include <stdlib.h>

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

struct possessions {
	const struct ephemeral *ephemeral;
	struct ephemeral_possession *items;
	size_t n;
};

static int count_holders(const struct socket_row *row, void *context)
{
	*(size_t *)context += row->n_holders;
	return 0;
}

/* By bind to any port, and connected since: a connect without a bind would have shared it. */
static bool was_bound_before(const struct ephemeral_space *space, const struct socket_row *row)
{
	return ephemeral_is_outgoing(space, row) && row->port_read && row->exclusive && !row->chosen;
}

static int take_possession(const struct socket_row *row, void *context)
{
	struct possessions *possessions = context;
	size_t index = ephemeral_space_of(possessions->ephemeral, &row->socket);
	const struct ephemeral_space *space;

	if (index == NO_SPACE)
		return 0;
	space = &possessions->ephemeral->spaces[index];
	for (const struct holder *holder = row->holders; holder; holder = holder->next)
		possessions->items[possessions->n++] = (struct ephemeral_possession){
			.process = holder->process,
			.space = index,
			.port = row->socket.local_port,
			.exclusive = port_set_has(&space->exclusive, row->socket.local_port),
			.bound_before = was_bound_before(space, row),
		};
	return 0;
}

static int compare_owners(const struct ephemeral_possession *a, const struct ephemeral_possession *b)
{
	int order = process_compare(a->process, b->process);

	return order ? order : COMPARE(a->space, b->space);
}

static int compare_possessions(const void *left, const void *right)
{
	const struct ephemeral_possession *a = left, *b = right;
	int order = compare_owners(a, b);

	if (!order)
		order = COMPARE(a->port, b->port);
	return order ? order : COMPARE(b->bound_before, a->bound_before); /* the first of a port counts */
}

static int compare_consumers(const void *left, const void *right)
{
	const struct ephemeral_consumer *a = left, *b = right;
	int order = COMPARE(b->in_use, a->in_use);

	if (!order)
		order = process_compare(a->process, b->process);
	return order ? order : COMPARE(a->space, b->space);
}

static int count_possessions(struct ephemeral *ephemeral, const struct possessions *possessions)
{
	struct ephemeral_consumer *consumer = NULL;
	const struct ephemeral_possession *before = NULL;

	ephemeral->consumers = slab_array(possessions->n + 1, sizeof(*ephemeral->consumers));
	if (!ephemeral->consumers)
		return -ENOMEM;
	for (size_t i = 0; i < possessions->n; i++) {
		const struct ephemeral_possession *item = &possessions->items[i];

		if (!before || compare_owners(before, item)) {
			consumer = &ephemeral->consumers[ephemeral->n_consumers++];
			*consumer =
				(struct ephemeral_consumer){.space = item->space, .process = item->process};
		} else if (before->port == item->port) {
			continue;
		}
		consumer->in_use++;
		consumer->exclusive += item->exclusive;
		consumer->bound_before += item->bound_before;
		before = item;
	}
	qsort(ephemeral->consumers, ephemeral->n_consumers, sizeof(*ephemeral->consumers), compare_consumers);
	return 0;
}

int ephemeral_read_consumers(struct ephemeral *ephemeral, const struct model *model)
{
	struct possessions possessions = {.ephemeral = ephemeral};
	size_t most = 0;
	int error;

	model_each_socket(model, count_holders, &most);
	possessions.items = slab_array(most + 1, sizeof(*possessions.items));
	if (!possessions.items)
		return -ENOMEM;
	model_each_socket(model, take_possession, &possessions);
	qsort(possessions.items, possessions.n, sizeof(*possessions.items), compare_possessions);
	error = count_possessions(ephemeral, &possessions);
	if (!error)
		error = ephemeral_read_groups(ephemeral, model, possessions.items, possessions.n);
	free(possessions.items);
	return error;
}
