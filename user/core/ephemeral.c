/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/ephemeral.h"

#include "core/describe.h"
#include "core/ephemeral_spaces.h"
#include "core/slab.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define NARROW_PORTS	2048 /* fewer than these are few for a server; the kernel's default is 28,232 */
#define NEAR_EXHAUSTION 0.8
#define SOON_SECONDS	600
#define UNDER_PRESSURE	0.5

/* --- findings ---------------------------------------------------------------------------------------------
 */

struct finding_list {
	const struct model *model;
	struct ephemeral *ephemeral;
	size_t room;
	bool no_memory;
};

static void add(struct finding_list *list, const struct ephemeral_finding *finding)
{
	struct ephemeral *ephemeral = list->ephemeral;

	if (ephemeral->n_findings == list->room) {
		size_t room = list->room ? 2 * list->room : 16;
		struct ephemeral_finding *findings = realloc(ephemeral->findings, room * sizeof(*findings));

		if (!findings) {
			list->no_memory = true;
			return;
		}
		ephemeral->findings = findings;
		list->room = room;
	}
	ephemeral->findings[ephemeral->n_findings++] = *finding;
}

static void look_at_destination(struct finding_list *list, size_t index)
{
	const struct ephemeral_destination *destination = &list->ephemeral->destinations[index];
	const struct ephemeral_space *space = &list->ephemeral->spaces[destination->space];
	double used = ephemeral_used_ratio(list->ephemeral, destination);
	struct ephemeral_finding finding = {.kind = destination->available ? FINDING_NEAR_EXHAUSTION
									   : FINDING_EXHAUSTED,
					    .space = destination->space,
					    .destination = index,
					    .process = destination->process};

	if (used >= NEAR_EXHAUSTION ||
	    (destination->will_be_exhausted && destination->exhausted_in_seconds <= SOON_SECONDS))
		add(list, &finding);
	finding.kind = FINDING_TW_REUSE_OFF;
	if (used >= UNDER_PRESSURE && destination->time_wait > destination->in_use &&
	    model_tw_reuse(list->model, space->netns) == 0)
		add(list, &finding);
}

static void look_at_consumer(struct finding_list *list, const struct ephemeral_consumer *consumer)
{
	const struct ephemeral_finding finding = {.kind = FINDING_BIND_BEFORE_CONNECT,
						  .space = consumer->space,
						  .process = consumer->process,
						  .count = consumer->bound_before};

	if (consumer->bound_before)
		add(list, &finding);
}

/* A service: somebody asked for this port by its number. */
static int look_at_row(const struct socket_row *row, void *context)
{
	struct finding_list *list = context;
	size_t index = ephemeral_space_of(list->ephemeral, &row->socket);
	const struct ephemeral_finding finding = {.kind = FINDING_LISTENER_IN_RANGE,
						  .space = index,
						  .process = row->holders ? row->holders->process : NULL,
						  .port = row->socket.local_port};
	bool serves = row->socket.protocol == IPPROTO_TCP ? row->socket.state == TCP_LISTEN
							  : !row->socket.peer_port;

	if (index == NO_SPACE || !serves || !row->chosen ||
	    port_set_has(&list->ephemeral->spaces[index].reserved, row->socket.local_port))
		return 0;
	add(list, &finding);
	return 0;
}

static void look_at_space(struct finding_list *list, size_t index)
{
	const struct ephemeral_space *space = &list->ephemeral->spaces[index];
	const struct ephemeral_finding finding = {.kind = FINDING_RANGE_NARROW, .space = index};

	if (space->protocol == IPPROTO_TCP && space->range_known && space->n_usable < NARROW_PORTS)
		add(list, &finding);
}

static int compare_findings(const void *left, const void *right)
{
	const struct ephemeral_finding *a = left, *b = right;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->space != b->space)
		return a->space < b->space ? -1 : 1;
	if (a->destination != b->destination)
		return a->destination < b->destination ? -1 : 1;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return (a->port > b->port) - (a->port < b->port);
}

/* A service on several addresses, or a group of listeners, is one. */
static void fold(struct ephemeral *ephemeral)
{
	struct ephemeral_finding *findings = ephemeral->findings;
	size_t kept = 0;

	for (size_t i = 0; i < ephemeral->n_findings; i++)
		if (!kept || findings[i].kind != FINDING_LISTENER_IN_RANGE ||
		    compare_findings(&findings[kept - 1], &findings[i]))
			findings[kept++] = findings[i];
	ephemeral->n_findings = kept;
}

int ephemeral_read_findings(struct ephemeral *ephemeral, const struct model *model)
{
	struct finding_list list = {.model = model, .ephemeral = ephemeral};

	model_each_socket(model, look_at_row, &list);
	for (size_t i = 0; i < ephemeral->n_destinations; i++)
		look_at_destination(&list, i);
	for (size_t i = 0; i < ephemeral->n_consumers; i++)
		look_at_consumer(&list, &ephemeral->consumers[i]);
	for (size_t i = 0; i < ephemeral->n_spaces; i++)
		look_at_space(&list, i);
	if (ephemeral->n_findings)
		qsort(ephemeral->findings, ephemeral->n_findings, sizeof(*ephemeral->findings),
		      compare_findings);
	fold(ephemeral);
	return list.no_memory ? -ENOMEM : 0;
}

const char *ephemeral_finding_name(enum ephemeral_finding_kind kind)
{
	static const char *const names[] = {
		[FINDING_EXHAUSTED] = "exhausted",
		[FINDING_NEAR_EXHAUSTION] = "near-exhaustion",
		[FINDING_BIND_BEFORE_CONNECT] = "bind-before-connect",
		[FINDING_LISTENER_IN_RANGE] = "listener-in-range",
		[FINDING_RANGE_NARROW] = "range-narrow",
		[FINDING_TW_REUSE_OFF] = "tw-reuse-off",
	};

	return names[kind];
}

static bool is_loopback(const struct endpoint *endpoint)
{
	return endpoint->family == AF_INET
		       ? endpoint->addr[0] == 127
		       : !memcmp(endpoint->addr, &in6addr_loopback, sizeof(in6addr_loopback));
}

bool ephemeral_takes_over(const struct model *model, const struct rec_socket *ends)
{
	struct endpoint peer = endpoint_peer(ends);
	int reuse = model_tw_reuse(model, ends->netns);

	return reuse == 1 || (reuse == 2 && is_loopback(&peer));
}

/* --- all of it --------------------------------------------------------------------------------------------
 */

double ephemeral_used_ratio(const struct ephemeral *ephemeral,
			    const struct ephemeral_destination *destination)
{
	const struct ephemeral_space *space = &ephemeral->spaces[destination->space];

	return space->n_usable ? 1.0 - (double)destination->available / space->n_usable : 1.0;
}

int ephemeral_read(const struct model *model, uint32_t netns, uint64_t now_ns, bool by_events,
		   struct ephemeral *ret_ephemeral)
{
	struct ephemeral ephemeral = {.by_events = by_events};
	int error = ephemeral_read_spaces(&ephemeral, model, netns);

	if (!error)
		error = ephemeral_read_destinations(&ephemeral, model, now_ns);
	if (!error)
		error = ephemeral_read_consumers(&ephemeral, model);
	if (!error)
		error = ephemeral_read_findings(&ephemeral, model);
	if (error) {
		ephemeral_free(&ephemeral);
		return error;
	}
	*ret_ephemeral = ephemeral;
	return 0;
}

void ephemeral_free(struct ephemeral *ephemeral)
{
	free(ephemeral->spaces);
	free(ephemeral->destinations);
	free(ephemeral->consumers);
	free(ephemeral->groups);
	free(ephemeral->findings);
	*ephemeral = (struct ephemeral){0};
}
