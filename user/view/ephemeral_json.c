/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows of `ephemeral --json`, as docs/schema.json defines them. */
#include "core/record.h"
#include "view/ephemeral.h"
#include "view/json_parts.h"

static void put_transport(struct json_writer *w, const struct ephemeral_space *space)
{
	json_object(w, "network");
	json_string(w, "transport", record_transport_name(space->protocol));
	json_object_end(w);
}

static int print_space(struct json_writer *w, FILE *out, const struct model *model,
		       const struct ephemeral_space *space, const struct ephemeral_options *options)
{
	json_row_begin(w, "range");
	put_transport(w, space);
	json_object(w, "portsnoop");
	json_netns(w, model, space->netns, &options->view);
	if (space->range_known) {
		json_object(w, "range");
		json_uint(w, "low", space->low);
		json_uint(w, "high", space->high);
		json_object_end(w);
	}
	if (space->reserved_known)
		json_uint(w, "reserved", space->n_reserved);
	json_uint(w, "in_use", space->n_in_use);
	json_uint(w, "exclusive", space->n_exclusive);
	if (!options->by_events)
		json_uint(w, "time_wait", space->n_time_wait);
	json_object_end(w);
	return json_row_print(w, out);
}

static int print_destination(struct json_writer *w, FILE *out, const struct model *model,
			     const struct ephemeral *ephemeral,
			     const struct ephemeral_destination *destination,
			     const struct ephemeral_options *options)
{
	const struct description description = {
		.socket = &destination->ends,
		.local = endpoint_local(&destination->ends),
		.peer = endpoint_peer(&destination->ends),
		.has_local = true,
		.has_peer = true,
		.family = endpoint_peer(&destination->ends).family,
	};

	json_row_begin(w, "destination");
	json_network(w, &description, false);
	json_object(w, "portsnoop");
	json_netns(w, model, ephemeral->spaces[destination->space].netns, &options->view);
	json_uint(w, "in_use", destination->in_use);
	json_uint(w, "time_wait", destination->time_wait);
	json_uint(w, "available", destination->available);
	json_double(w, "used_ratio", ephemeral_used_ratio(ephemeral, destination), 4);
	if (destination->watched) {
		json_double(w, "assigned_per_second", destination->assigned_per_second, 1);
		json_uint(w, "failed", destination->failed);
	}
	if (destination->will_be_exhausted)
		json_uint(w, "exhausted_in_seconds", destination->exhausted_in_seconds);
	json_object_end(w);
	return json_row_print(w, out);
}

/* `process` and what stands beside it. */
static struct cgroup_name put_process(struct json_writer *w, const struct model *model,
				      const struct actor *actor, const struct ephemeral_options *options)
{
	struct cgroup_name place;

	actor_place(model, actor, &place);
	json_process(w, model, actor, &options->view);
	json_container(w, &place, &options->view);
	return place;
}

static int print_consumer(struct json_writer *w, FILE *out, const struct model *model,
			  const struct ephemeral *ephemeral, const struct ephemeral_consumer *consumer,
			  const struct ephemeral_options *options)
{
	struct actor actor = describe_process(consumer->process);
	struct cgroup_name place;

	json_row_begin(w, "consumer");
	put_transport(w, &ephemeral->spaces[consumer->space]);
	place = put_process(w, model, &actor, options);
	json_object(w, "portsnoop");
	json_netns(w, model, ephemeral->spaces[consumer->space].netns, &options->view);
	json_surroundings(w, &place, &actor);
	json_uint(w, "in_use", consumer->in_use);
	json_uint(w, "exclusive", consumer->exclusive);
	json_object_end(w);
	return json_row_print(w, out);
}

static int print_group(struct json_writer *w, FILE *out, const struct model *model,
		       const struct ephemeral *ephemeral, const struct ephemeral_group *group,
		       const struct ephemeral_options *options)
{
	struct actor actor = describe_process(group->process);
	struct cgroup_name place;

	actor_place(model, &actor, &place);
	json_row_begin(w, "group");
	put_transport(w, &ephemeral->spaces[group->space]);
	json_container(w, &place, &options->view);
	json_object(w, "portsnoop");
	json_netns(w, model, ephemeral->spaces[group->space].netns, &options->view);
	json_unit(w, &place);
	json_uint(w, "processes", group->processes);
	json_uint(w, "in_use", group->in_use);
	json_uint(w, "exclusive", group->exclusive);
	json_object_end(w);
	return json_row_print(w, out);
}

static int print_finding(struct json_writer *w, FILE *out, const struct model *model,
			 const struct ephemeral *ephemeral, const struct ephemeral_finding *finding,
			 const struct ephemeral_options *options)
{
	struct actor actor = describe_process(finding->process);
	char words[EPHEMERAL_WORDS_MAX];
	struct cgroup_name place;

	json_row_begin(w, "finding");
	if (finding->process)
		place = put_process(w, model, &actor, options);
	json_object(w, "portsnoop");
	json_string(w, "finding", ephemeral_finding_name(finding->kind));
	json_netns(w, model, ephemeral->spaces[finding->space].netns, &options->view);
	if (finding->process)
		json_surroundings(w, &place, &actor);
	json_string(w, "text", ephemeral_finding_text(words, model, ephemeral, finding));
	json_string(w, "remedy", ephemeral_finding_remedy(words, model, ephemeral, finding));
	json_object_end(w);
	return json_row_print(w, out);
}

int ephemeral_print_json(FILE *out, const struct model *model, const struct ephemeral *ephemeral,
			 const struct ephemeral_options *options)
{
	struct json_writer w = {0};
	int error = 0;

	for (size_t i = 0; i < ephemeral->n_spaces && !error; i++)
		error = print_space(&w, out, model, &ephemeral->spaces[i], options);
	for (size_t i = 0; i < ephemeral->n_destinations && !error; i++)
		error = print_destination(&w, out, model, ephemeral, &ephemeral->destinations[i], options);
	for (size_t i = 0; i < ephemeral->n_consumers && !error; i++)
		error = print_consumer(&w, out, model, ephemeral, &ephemeral->consumers[i], options);
	for (size_t i = 0; i < ephemeral->n_groups && !error; i++)
		error = print_group(&w, out, model, ephemeral, &ephemeral->groups[i], options);
	for (size_t i = 0; i < ephemeral->n_findings && !error; i++)
		error = print_finding(&w, out, model, ephemeral, &ephemeral->findings[i], options);
	json_free(&w);
	return error;
}
