/* SPDX-License-Identifier: GPL-2.0-only */
/* who: what is on a local port, and who holds it, now or at the end of a recording. */
#include "view/who.h"
#include "command/command.h"
#include "command/fill.h"
#include "io/pager.h"
#include "pipeline.h"
#include "source/ancestors.h"
#include "system/proc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- parents of the holders -------------------------------------------------------------------------------
 */

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

struct question {
	const struct model *model;
	struct who_options who;
};

static int put_parents(void *context, const struct sink *sink)
{
	const struct question *question = context;
	const struct model *model = question->model;
	struct port_table table;
	struct people people = {.n = 0};
	int error = who_read(model, &question->who, &table);

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

/* --- asking -----------------------------------------------------------------------------------------------
 */

static int print(const struct options *options, const struct model *model, const struct who_options *who)
{
	struct pager pager;
	bool held;
	int status, error = pager_begin(&pager, stdout, !options->json && !options->no_pager);

	if (!error)
		error = pager_end(&pager, who_print(pager.out, model, who, &held));
	if (!error && !options->json)
		tell_holders_age(who->list.holders_as_of_ns, who->list.now_ns);
	status = output_status(error);
	if (status == EXIT_DONE && !held)
		status = EXIT_NEGATIVE;
	return status;
}

static int ask(const struct options *options, struct pipeline *pipeline, struct question *question)
{
	const struct fill fill = {
		.connections = true,
		.descriptions = true,
		.no_instance = options->no_instance,
		.sync = options->sync,
		.port = question->who.spec->port,
		.more = options->json ? NULL : put_parents, /* a row has no more than its parent's pid */
		.context = question,
	};
	int printed, status = options->from ? fill_from_recording(pipeline, options->from)
					    : fill_from_kernel(pipeline, &fill);

	if (status != EXIT_DONE && status != EXIT_LOST)
		return status;
	question->who.list.now_ns = options->from ? pipeline_time_ns(pipeline) : proc_boottime_ns();
	question->who.list.holders_as_of_ns =
		options->from ? 0 : model_repairs(question->model)->holders_as_of_ns;
	printed = print(options, question->model, &question->who);
	/* Of a recording that was cut, the end is not known. */
	return status == EXIT_LOST && (printed == EXIT_DONE || printed == EXIT_NEGATIVE) ? status : printed;
}

int command_who(const struct options *options, char **words, size_t n_words)
{
	const struct pipeline_options pipeline_options = {.print = false};
	struct pipeline *pipeline;
	struct filter *filter = NULL;
	struct port_spec spec;
	int status = parse_port(options, "who", words, n_words, &spec);

	if (!status)
		status = parse_filter(options->from, words + 1, n_words - 1, &filter);
	if (status)
		return status;
	pipeline = pipeline_new(&pipeline_options, STDOUT_FILENO);
	if (pipeline) {
		struct question question = {
			.model = pipeline_model(pipeline),
			.who = {.list = {.view = view_options_of(options),
					 .json = options->json,
					 .filter = filter},
				.spec = &spec,
				.home_netns = options->from ? 0 : proc_netns()},
		};

		status = ask(options, pipeline, &question);
	} else {
		complain("out of memory");
		status = EXIT_INTERNAL;
	}
	pipeline_free(pipeline);
	filter_free(filter);
	return status;
}
