/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What events tell of the destinations that connections were made to: how often a port was assigned, how
 * often none was left, how many went into TIME_WAIT and when. A destination is a namespace, a local address,
 * a peer and its port. Bounded: the one that was used longest ago goes first.
 */
#ifndef PORTSNOOP_CORE_DESTINATIONS_H
#define PORTSNOOP_CORE_DESTINATIONS_H

#include <portsnoop/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-sized addresses, ports and all: compared as bytes. */
struct destination_key {
	uint32_t netns;
	uint16_t peer_port;
	uint16_t family;
	uint8_t local_addr[16], peer_addr[16];
};

struct destination_use {
	struct destination_key key;
	uint64_t since_ns;  /* when the first was seen, CLOCK_BOOTTIME */
	uint64_t failed;    /* connects for which no port was left */
	uint64_t failed_ns; /* the last of them */
	uint64_t second;    /* the newest that the following know; each by its number modulo their size */
	uint32_t assigned[DESTINATION_SECONDS]; /* connections made */
	uint32_t waiting[DESTINATION_SECONDS];	/* connections that went into TIME_WAIT */
	uint32_t left[DESTINATION_SECONDS];	/* connections that ended otherwise */
};

struct destinations;

/* NULL: no memory. */
struct destinations *destinations_new(size_t max);
void destinations_free(struct destinations *destinations);

/* Times are CLOCK_BOOTTIME. What finds no memory is not counted. */
void destinations_connected(struct destinations *destinations, const struct rec_socket *socket,
			    uint64_t time_ns);
void destinations_closed(struct destinations *destinations, const struct rec_socket *socket, bool time_wait,
			 uint64_t time_ns);
/* For want of a port. */
void destinations_failed(struct destinations *destinations, const struct rec_socket *socket,
			 uint64_t time_ns);

/* What another portsnoop has seen, in place of what was here. */
void destinations_put(struct destinations *destinations, const struct rec_destination *record);
/* Each as a record, with this header, until the callback returns something else than 0. */
int destinations_each(const struct destinations *destinations, const struct rec_header *header,
		      int (*callback)(void *context, const void *record, size_t size), void *context);

/* Of this connection; NULL: nothing was seen of it. */
const struct destination_use *destinations_find(const struct destinations *destinations,
						const struct rec_socket *socket);
/* Connections that went into TIME_WAIT in the last 60 s, so that most of their ports wait still. */
unsigned destination_waiting(const struct destination_use *use, uint64_t now_ns);
/* Ports assigned a second, over the last ten at most. */
double destination_rate(const struct destination_use *use, uint64_t now_ns);
/*
 * When no port will be left, in seconds, if connections go on to come and go as they did: each that goes into
 * TIME_WAIT keeps its port for 60 s, unless the next may take it over. False: not within an hour.
 */
bool destination_exhausted_in(const struct destination_use *use, uint64_t now_ns, unsigned available,
			      bool taken_over, unsigned *ret_seconds);

#endif
