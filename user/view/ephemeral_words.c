/* SPDX-License-Identifier: GPL-2.0-only */
/* Findings about ephemeral ports, in words. */
#include "core/names.h"
#include "view/ephemeral.h"
#include "view/text_parts.h"

/* "nginx(812)"; somebody who is not known is nobody in particular. */
static void put_process(struct text *text, const struct process *process)
{
	struct actor actor = describe_process(process);

	if (process)
		text_actors(text, &actor, 1);
	else
		text_put(text, "somebody who is not known");
}

/* "from 10.0.0.2 to 10.0.0.5:5432" */
static void put_way(struct text *text, const struct ephemeral_destination *destination)
{
	struct endpoint local = endpoint_local(&destination->ends);
	struct endpoint peer = endpoint_peer(&destination->ends);
	char buf[ENDPOINT_TEXT_MAX];

	text_format(text, "from %s ", endpoint_address_text(&local, buf));
	text_format(text, "to %s", endpoint_text(&peer, buf));
}

static void put_mostly(struct text *text, const struct process *process)
{
	if (!process)
		return;
	text_put(text, ", mostly by ");
	put_process(text, process);
}

static void put_exhausted(struct text *text, const struct model *model, const struct ephemeral_space *space,
			  const struct ephemeral_destination *destination)
{
	text_put(text, "no port is left for TCP connections ");
	put_way(text, destination);
	text_format(text, ": %u in use, %u in TIME_WAIT", destination->in_use, destination->time_wait);
	if (space->n_blocked)
		text_format(text, ", %u taken by bind and listen", space->n_blocked);
	put_mostly(text, destination->process);
	if (destination->failed)
		text_format(text, "; %llu failed since we watch", (unsigned long long)destination->failed);
	text_put(text, destination->time_wait && ephemeral_takes_over(model, &destination->ends)
			       ? "; a new one can at best take over a TIME_WAIT older than a second"
			       : "; a new one fails with EADDRNOTAVAIL");
}

static void put_near(struct text *text, const struct ephemeral_space *space,
		     const struct ephemeral_destination *destination)
{
	text_count(text, destination->available, "port is", "ports are");
	text_put(text, " left for TCP connections ");
	put_way(text, destination);
	text_format(text, ", of %u", space->n_usable);
	if (destination->will_be_exhausted)
		text_format(text, ", for about %u s at %.1f new ones a second",
			    destination->exhausted_in_seconds, destination->assigned_per_second);
	put_mostly(text, destination->process);
}

static void put_bound_before(struct text *text, const struct ephemeral_finding *finding)
{
	put_process(text, finding->process);
	text_put(text, " binds to any port before it connects: ");
	text_count(text, finding->count, "port is", "ports are");
	text_put(text, " taken from everybody, whatever the destination");
}

static void put_listener(struct text *text, const struct ephemeral_space *space,
			 const struct ephemeral_finding *finding)
{
	put_process(text, finding->process);
	text_format(text,
		    " serves %u/%s, a port that the kernel also assigns: whoever is assigned it while "
		    "the service restarts makes its bind fail with EADDRINUSE",
		    finding->port, record_transport_name(space->protocol));
}

const char *ephemeral_finding_text(char *buf, const struct model *model, const struct ephemeral *ephemeral,
				   const struct ephemeral_finding *finding)
{
	const struct ephemeral_space *space = &ephemeral->spaces[finding->space];
	const struct ephemeral_destination *destination = &ephemeral->destinations[finding->destination];
	struct text text = text_in(buf, EPHEMERAL_WORDS_MAX);

	switch (finding->kind) {
	case FINDING_EXHAUSTED:
		put_exhausted(&text, model, space, destination);
		break;
	case FINDING_NEAR_EXHAUSTION:
		put_near(&text, space, destination);
		break;
	case FINDING_BIND_BEFORE_CONNECT:
		put_bound_before(&text, finding);
		break;
	case FINDING_LISTENER_IN_RANGE:
		put_listener(&text, space, finding);
		break;
	case FINDING_RANGE_NARROW:
		text_format(&text, "only %u ports are assigned from: %u to %u, %u of them reserved",
			    space->n_usable, space->low, space->high, space->n_reserved);
		break;
	case FINDING_TW_REUSE_OFF:
		text_format(&text, "TIME_WAIT holds %u of the %u ports that are used ",
			    destination->time_wait, destination->time_wait + destination->in_use);
		put_way(&text, destination);
		text_put(&text, ", and net.ipv4.tcp_tw_reuse is 0");
		break;
	case FINDING_EPHEMERAL_COUNT:
		break;
	}
	return buf;
}

/* The reserved ports as they are, and one more. */
static void put_reserve(struct text *text, const struct model *model, const struct ephemeral_space *space,
			uint16_t port)
{
	const char *reserved = names_get(model_names(model), META_RESERVED, space->netns);

	if (!reserved) {
		text_format(text, "add %u to net.ipv4.ip_local_reserved_ports", port);
		return;
	}
	text_format(text, "sysctl -w net.ipv4.ip_local_reserved_ports=%s%s%u", reserved, *reserved ? "," : "",
		    port);
}

const char *ephemeral_finding_remedy(char *buf, const struct model *model, const struct ephemeral *ephemeral,
				     const struct ephemeral_finding *finding)
{
	const struct ephemeral_space *space = &ephemeral->spaces[finding->space];
	struct text text = text_in(buf, EPHEMERAL_WORDS_MAX);

	switch (finding->kind) {
	case FINDING_EXHAUSTED:
	case FINDING_NEAR_EXHAUSTION:
		text_put(&text,
			 "keep connections open and share them (a pool), use more destination or local "
			 "addresses, or widen net.ipv4.ip_local_port_range");
		break;
	case FINDING_BIND_BEFORE_CONNECT:
		text_put(&text, "in the program: setsockopt IP_BIND_ADDRESS_NO_PORT before bind; the port is "
				"then assigned by connect and shared with other destinations");
		break;
	case FINDING_LISTENER_IN_RANGE:
		put_reserve(&text, model, space, finding->port);
		break;
	case FINDING_RANGE_NARROW:
		text_put(&text, "widen net.ipv4.ip_local_port_range, or reserve fewer ports");
		break;
	case FINDING_TW_REUSE_OFF:
		text_put(&text,
			 "sysctl -w net.ipv4.tcp_tw_reuse=1 lets a connect take over a TIME_WAIT older "
			 "than a second, where both ends use TCP timestamps");
		break;
	case FINDING_EPHEMERAL_COUNT:
		break;
	}
	return buf;
}
