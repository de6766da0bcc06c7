/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs a parsed filter over a subject. Every comparison is false where the field is absent, so that `not`,
 * which only turns the result round, is true there.
 */
#include "core/cgroup_name.h"
#include "core/filter_program.h"
#include "core/glob.h"

#include <portsnoop/event.h>

#include <string.h>
#include <sys/socket.h>

#define COMM_LENGTH_MAX (REC_COMM_LEN - 1) /* what the kernel keeps */

static bool in_range(const struct filter_value *value, uint32_t number)
{
	return number >= value->low && number <= value->high;
}

static bool text_matches(const struct filter_value *value, const char *text)
{
	if (!text || !text[0])
		return false;
	return value->wild ? glob_match(value->text, text) : !strcmp(value->text, text);
}

static bool is_present(const struct filter_subject *subject, uint32_t what)
{
	return subject->present & what;
}

static bool local_port_matches(const struct filter_value *value, const struct filter_subject *subject)
{
	return is_present(subject, FILTER_HAS_LOCAL) && subject->local_port &&
	       in_range(value, subject->local_port);
}

static bool peer_port_matches(const struct filter_value *value, const struct filter_subject *subject)
{
	return is_present(subject, FILTER_HAS_PEER) && subject->peer_port &&
	       in_range(value, subject->peer_port);
}

static bool local_addr_matches(const struct filter_value *value, const struct filter_subject *subject)
{
	return is_present(subject, FILTER_HAS_LOCAL) &&
	       address_prefix_contains(&value->prefix, subject->family, subject->local_addr);
}

static bool peer_addr_matches(const struct filter_value *value, const struct filter_subject *subject)
{
	return is_present(subject, FILTER_HAS_PEER) &&
	       address_prefix_contains(&value->prefix, subject->family, subject->peer_addr);
}

/* Would a connection to value arrive at the local end? */
static bool serves(const struct filter_value *value, const struct filter_subject *subject)
{
	if (!local_port_matches(value, subject) || subject->direction == DIRECTION_OUT)
		return false;
	if (!value->prefix.family)
		return true;
	if (!address_is_any(subject->local_addr))
		return local_addr_matches(value, subject);
	return value->prefix.family == subject->family ||
	       (value->prefix.family == AF_INET && subject->family == AF_INET6 && subject->dual_stack);
}

static bool comm_matches(const struct filter_value *value, const char *comm)
{
	if (text_matches(value, comm))
		return true;
	return comm && !value->wild && strlen(comm) == COMM_LENGTH_MAX &&
	       !strncmp(value->text, comm, COMM_LENGTH_MAX);
}

static bool container_matches(const struct filter_value *value, const struct filter_process *process)
{
	char name[CGROUP_PART_TEXT_MAX], id[CONTAINER_ID_LENGTH + 1];
	struct cgroup_name place;

	cgroup_name_read(process->cgroup, &place);
	if (!place.id.length)
		return text_matches(value, cgroup_container_name(&place, name));
	memcpy(id, place.id.text, CONTAINER_ID_LENGTH);
	id[CONTAINER_ID_LENGTH] = '\0';
	return text_matches(value, id) ||
	       (value->id_prefix && !strncmp(id, value->text, strlen(value->text)));
}

static bool process_matches(enum filter_key key, const struct filter_value *value,
			    const struct filter_process *process)
{
	switch (key) {
	case KEY_PID:
		return (process->pid && in_range(value, process->pid)) ||
		       (process->ns_pid && in_range(value, process->ns_pid));
	case KEY_COMM:
		return comm_matches(value, process->comm);
	case KEY_USER:
	case KEY_UID:
		return in_range(value, process->uid);
	case KEY_CGROUP:
		return text_matches(value, process->cgroup);
	default:
		return container_matches(value, process);
	}
}

static bool any_process_matches(enum filter_key key, const struct filter_value *value,
				const struct filter_subject *subject)
{
	for (size_t i = 0; i < subject->n_processes; i++)
		if (process_matches(key, value, &subject->processes[i]))
			return true;
	return false;
}

static bool netns_matches(const struct filter_value *value, const struct filter_subject *subject)
{
	return (is_present(subject, FILTER_HAS_NETNS) && in_range(value, subject->netns)) ||
	       text_matches(value, subject->netns_name);
}

static bool name_is(const struct filter_value *value, const char *name)
{
	return name && !strcmp(value->text, name);
}

static bool has_field(const struct filter_value *value, const struct filter_subject *subject)
{
	return subject->has_field && subject->has_field(subject->has_field_context, value->text);
}

/* Keys without a value. */
static bool flag_is_set(enum filter_key key, const struct filter_subject *subject)
{
	switch (key) {
	case KEY_IPV4:
		return subject->family == AF_INET;
	case KEY_IPV6:
		return subject->family == AF_INET6;
	case KEY_IN:
		return subject->direction == DIRECTION_IN;
	case KEY_OUT:
		return subject->direction == DIRECTION_OUT;
	default:
		return subject->error; /* KEY_FAILED */
	}
}

static bool value_matches(enum filter_key key, const struct filter_value *value,
			  const struct filter_subject *subject)
{
	switch (key) {
	case KEY_PORT:
		return local_port_matches(value, subject) || peer_port_matches(value, subject);
	case KEY_LPORT:
		return local_port_matches(value, subject);
	case KEY_RPORT:
		return peer_port_matches(value, subject);
	case KEY_ADDR:
		return local_addr_matches(value, subject) || peer_addr_matches(value, subject);
	case KEY_LADDR:
		return local_addr_matches(value, subject);
	case KEY_RADDR:
		return peer_addr_matches(value, subject);
	case KEY_SERVES:
		return serves(value, subject);
	case KEY_PROTO:
		return value->low == subject->protocol;
	case KEY_STATE:
		return is_present(subject, FILTER_HAS_STATE) && name_is(value, subject->state);
	case KEY_EVENT:
		return name_is(value, subject->event);
	case KEY_DIRECTION:
		return (int)value->low == subject->direction;
	case KEY_ERRNO:
		return (int)value->low == subject->error;
	case KEY_NETNS:
		return netns_matches(value, subject);
	case KEY_CLASS:
		return name_is(value, subject->port_class);
	case KEY_HAS:
		return has_field(value, subject);
	default:
		return any_process_matches(key, value, subject);
	}
}

static bool test(const struct filter_op *op, const struct filter_value *values,
		 const struct filter_subject *subject)
{
	if (!op->n_values)
		return flag_is_set(op->key, subject);
	for (size_t i = 0; i < op->n_values; i++)
		if (value_matches(op->key, &values[op->target + i], subject))
			return true;
	return false;
}

bool filter_match(const struct filter *filter, const struct filter_subject *subject)
{
	bool result = true;
	size_t at = 0;

	while (filter && at < filter->n_ops) {
		const struct filter_op *op = &filter->ops[at++];

		if (op->kind == OP_TEST)
			result = test(op, filter->values, subject);
		else if (op->kind == OP_NEGATE)
			result = !result;
		else if (result == (op->kind == OP_SKIP_IF_TRUE))
			at = op->target;
	}
	return result;
}
