/* SPDX-License-Identifier: GPL-2.0-only */
#include "command/parents.h"

#include "source/ancestors.h"

#include <errno.h>
#include <stdlib.h>

/* By identity: rows may go while more records come. */
struct person {
	uint32_t pid;
	uint64_t start_ns;
};

struct people {
	struct person *items;
	size_t n;
};

static int compare_people(const void *left, const void *right)
{
	const struct person *a = left, *b = right;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->start_ns > b->start_ns) - (a->start_ns < b->start_ns);
}

static void take_holders(struct people *people, const struct socket_row *row)
{
	for (const struct holder *holder = row->holders; holder; holder = holder->next)
		people->items[people->n++] = (struct person){holder->process->pid, holder->process->start_ns};
}

static size_t count_holders(const struct port_table *table)
{
	size_t n = 0;

	for (size_t i = 0; i < table->n_ports; i++)
		n += table->ports[i].socket->n_holders;
	for (size_t i = 0; i < table->n_connections; i++)
		n += table->connections[i].socket->n_holders;
	return n;
}

/* Everybody once. 0 or -ENOMEM. */
static int read_people(const struct port_table *table, struct people *ret_people)
{
	struct people people = {.items = calloc(count_holders(table) + 1, sizeof(*people.items))};
	size_t kept = 0;

	if (!people.items)
		return -ENOMEM;
	for (size_t i = 0; i < table->n_ports; i++)
		take_holders(&people, table->ports[i].socket);
	for (size_t i = 0; i < table->n_connections; i++)
		take_holders(&people, table->connections[i].socket);
	qsort(people.items, people.n, sizeof(*people.items), compare_people);
	for (size_t i = 0; i < people.n; i++)
		if (!kept || compare_people(&people.items[kept - 1], &people.items[i]))
			people.items[kept++] = people.items[i];
	people.n = kept;
	*ret_people = people;
	return 0;
}

int parents_put(const struct model *model, const struct who_options *who, const struct sink *sink)
{
	struct port_table table;
	struct people people = {.n = 0};
	int error = who_read(model, who, &table);

	if (error)
		return error;
	error = read_people(&table, &people);
	port_table_free(&table);
	for (size_t i = 0; i < people.n && !error; i++) {
		const struct person *person = &people.items[i];
		const struct process *process = model_process(model, person->pid, person->start_ns);

		if (process)
			error = ancestors_put(model, process, sink);
	}
	free(people.items);
	return error;
}
