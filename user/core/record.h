/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only parser of records. What passed record_decode() can be read without further checks: the size fits
 * the kind, enumerations are in range, texts end inside the record. Nothing is copied.
 */
#ifndef PORTSNOOP_CORE_RECORD_H
#define PORTSNOOP_CORE_RECORD_H

#include <portsnoop/counters.h>
#include <portsnoop/event.h>

#include <stdbool.h>
#include <stddef.h>

struct record {
	const struct rec_header *header; /* cast to the struct of header->kind */
	const struct rec_fact *fact;	 /* bind … overflow, socket; NULL for the rest */
	const struct rec_task *task;	 /* the acting process, NULL when it is not known */
	const struct rec_socket *socket; /* NULL when it is not known */
};

/* data must be 8-byte aligned. 0, or -EBADMSG when it is not a record of this schema. */
int record_decode(const void *data, size_t size, struct record *ret_record);

/* Whether the kind is an event that people see and filters look at. */
bool record_is_public(enum rec_kind kind);

/* "bind", "ring", …: the names that the interface uses; never NULL for a value in range. */
const char *record_kind_name(unsigned kind);
const char *record_source_name(unsigned source);
const char *record_probe_name(unsigned probe);
const char *record_fact_name(unsigned fact);
const char *record_stage_name(unsigned stage);
/* What a person should do about a loss at this stage. */
const char *record_stage_advice(unsigned stage);
const char *record_reason_name(unsigned reason); /* NULL for CLOSE_UNKNOWN */
/* RFC 9293 states in lower case with underscores; UDP's "unconnected" is the model's business. */
const char *record_state_name(unsigned state);
const char *record_transport_name(unsigned protocol); /* "tcp", "udp", …; NULL unknown */

#endif
