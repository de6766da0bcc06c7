/* SPDX-License-Identifier: GPL-2.0-only */
/* What came of an event about a socket, in words that are understood without the manual. */
#include "view/text_parts.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

static void put_error(struct text *text, int error)
{
	char buf[ERROR_TYPE_MAX];
	const char *meaning;

	if (error == CONNECT_ABORTED) {
		text_put(text, "aborted: closed before an answer came");
		return;
	}
	text_put(text, error_type(error, buf));
	meaning = strerrordesc_np(error);
	if (meaning)
		text_format(text, ": %s", meaning);
}

static void put_assigned(struct text *text, const struct description *description)
{
	if (!description->assigned_by)
		return;
	text_put(text, "any port → ");
	text_uint(text, description->local.port);
}

static void put_search(struct text *text, const struct description *description, uint64_t search_ns)
{
	if (!search_ns)
		return;
	text_put(text, description->error ? ", searched for " : ", chosen in ");
	text_duration(text, search_ns);
}

static void put_bind(struct text *text, const struct record *record, const struct description *description,
		     const struct view_options *options)
{
	size_t begin = text->length;
	uint8_t shown = description->socket ? description->socket->options : 0;

	/* Every other server sets it: of no interest unless asked for. */
	if (!options->verbose)
		shown &= ~SOCKOPT_REUSEADDR;
	if (description->error)
		put_error(text, description->error);
	put_assigned(text, description);
	put_search(text, description, ((const struct rec_bind *)record->header)->search_ns);
	if (record->header->flags & BIND_F_DEFERRED)
		text_put(text, "port comes with connect");
	if (!shown)
		return;
	text_next(text, begin);
	text_put(text, "options");
	text_options(text, shown, " ");
}

static void put_listen(struct text *text, const struct record *record, const struct description *description)
{
	const struct rec_listen *listen = (const void *)record->header;
	size_t begin = text->length;

	if (description->error) {
		put_error(text, description->error);
		return;
	}
	put_assigned(text, description);
	text_next(text, begin);
	text_format(text, "backlog %u", listen->backlog);
	if (description->dual_stack)
		text_put(text, ", IPv4 too");
}

static void put_connect(struct text *text, const struct record *record, const struct description *description)
{
	const struct rec_connect *connect = (const void *)record->header;
	size_t begin = text->length;

	if (description->error)
		put_error(text, description->error);
	if (description->assigned_by) {
		text_next(text, begin);
		put_assigned(text, description);
		put_search(text, description, connect->search_ns);
	}
	if (!connect->duration_ns)
		return;
	text_next(text, begin);
	text_put(text, description->error ? "after " : "connected in ");
	text_duration(text, connect->duration_ns);
}

static void put_autobind(struct text *text, const struct record *record,
			 const struct description *description)
{
	put_assigned(text, description);
	if (description->assigned_by)
		text_format(text, " by %s", description->assigned_by);
	if (record->header->flags & REC_F_LATE)
		text_put(text, ", seen only at release");
}

static void put_accept(struct text *text, const struct record *record, const struct description *description)
{
	const struct rec_accept *accept = (const void *)record->header;
	size_t begin = text->length;

	if (accept->queue_ns) {
		text_put(text, "queued ");
		text_duration(text, accept->queue_ns);
	}
	if (description->has_peer)
		return;
	text_next(text, begin);
	text_put(text, "peer not seen");
}

static const char *end_in_words(const struct rec_close *close, const struct description *description)
{
	if (close->fact.socket.state == TCP_LISTEN)
		return "stopped listening";
	if (!description->has_peer && description->local.port)
		return "port given back";
	switch (close->reason) {
	case CLOSE_LOCAL:
		return "local";
	case CLOSE_PEER:
		return "by peer";
	case CLOSE_RESET:
		return "reset";
	case CLOSE_TIMEOUT:
		return "timed out";
	default:
		return "ended";
	}
}

static void put_close_counters(struct text *text, const struct rec_close *close,
			       const struct view_options *options)
{
	text_put(text, ", ↑");
	text_bytes(text, close->bytes_sent);
	text_put(text, " ↓");
	text_bytes(text, close->bytes_received);
	if (close->retransmits) {
		text_put(text, ", ");
		text_count(text, close->retransmits, "retransmit", "retransmits");
	}
	if (options->verbose && close->rtt_us) {
		text_put(text, ", rtt ");
		text_duration(text, close->rtt_us * UINT64_C(1000));
	}
}

static void put_close(struct text *text, const struct model *model, const struct change *change,
		      const struct description *description, const struct view_options *options)
{
	const struct rec_close *close = (const void *)change->record.header;
	uint16_t flags = close->fact.header.flags;

	text_put(text, end_in_words(close, description));
	if (describe_accepts_known(change)) {
		text_put(text, ", ");
		text_count(text, change->socket->accepts, "connection accepted", "connections accepted");
	}
	if (close->duration_ns) {
		text_put(text, ", ");
		text_duration(text, close->duration_ns);
	}
	if (flags & CLOSE_F_COUNTERS)
		put_close_counters(text, close, options);
	if (flags & CLOSE_F_STILL_BOUND)
		text_put(text, ", port still bound");
	if (!change->record.task && change->socket)
		text_holders(text, model, change->socket, ", held by ");
}

static void put_refuse(struct text *text, const struct rec_refuse *refuse)
{
	text_put(text, "nothing listens there");
	if (refuse->count > 1) {
		text_put(text, ", ");
		text_count(text, refuse->count, "SYN", "SYNs");
	}
}

static void put_overflow(struct text *text, const struct rec_overflow *overflow)
{
	text_format(text, "accept queue full (%u of %u), ", overflow->queue_length, overflow->queue_limit);
	text_count(text, overflow->count, "connection dropped", "connections dropped");
}

static void put_holder(struct text *text, const struct holder_event *event)
{
	text_put(text, event->added ? "holds it now: " : "no longer holds it: ");
	text_put(text, holder_change_name(event->change));
	if (event->observed)
		text_put(text, ", seen by looking");
}

void text_event_details(struct text *text, const struct model *model, const struct change *change,
			const struct description *description, const struct view_options *options)
{
	const struct record *record = &change->record;

	switch (record->header->kind) {
	case REC_BIND:
		put_bind(text, record, description, options);
		break;
	case REC_LISTEN:
		put_listen(text, record, description);
		break;
	case REC_ATTEMPT:
		text_put(text, "SYN sent");
		break;
	case REC_CONNECT:
		put_connect(text, record, description);
		break;
	case REC_AUTOBIND:
		put_autobind(text, record, description);
		break;
	case REC_ACCEPT:
		put_accept(text, record, description);
		break;
	case REC_CLOSE:
		put_close(text, model, change, description, options);
		break;
	case REC_HOLDER:
		put_holder(text, change->holder);
		break;
	case REC_REFUSE:
		put_refuse(text, (const void *)record->header);
		break;
	case REC_OVERFLOW:
		put_overflow(text, (const void *)record->header);
		break;
	case REC_CONFLICTS:
		text_conflicts(text, model, (const void *)record->header);
		break;
	default:
		break;
	}
}
