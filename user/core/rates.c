/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/rates.h"

#include "core/table.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#define PORTS_DEFAULT	  16384u
#define PROCESSES_DEFAULT 16384u
#define HOLDERS_COUNTED	  16u /* of one connection: a record costs no more than that */
#define NS_PER_S	  1000000000ull

struct port_key {
	uint32_t netns;
	uint16_t port, protocol;
	uint8_t family;
	uint8_t addr[16];
};

struct port_entry {
	struct rate_counts counts; /* first: what is folded */
	struct port_key key;
};

struct process_key {
	uint64_t start_ns;
	uint32_t pid;
};

struct process_entry {
	struct rate_counts counts; /* first */
	struct process_key key;
};

struct rates {
	struct table *ports, *processes;
	struct rates_machine machine;
	uint64_t tick_ns; /* the last one; 0: none yet */
	double seconds;	  /* between the last two, while a tick folds */
};

static bool port_equal(const void *row, const void *key)
{
	const struct port_key *a = &((const struct port_entry *)row)->key, *b = key;

	return a->port == b->port && a->protocol == b->protocol && a->netns == b->netns &&
	       a->family == b->family && !memcmp(a->addr, b->addr, sizeof(a->addr));
}

static bool process_equal(const void *row, const void *key)
{
	const struct process_key *a = &((const struct process_entry *)row)->key, *b = key;

	return a->pid == b->pid && a->start_ns == b->start_ns;
}

struct rates *rates_new(const struct rates_limits *limits)
{
	static const struct rates_limits defaults;
	struct rates *rates = calloc(1, sizeof(*rates));

	if (!rates)
		return NULL;
	if (!limits)
		limits = &defaults;
	rates->ports = table_new(sizeof(struct port_entry), limits->ports ? limits->ports : PORTS_DEFAULT,
				 port_equal);
	rates->processes =
		table_new(sizeof(struct process_entry),
			  limits->processes ? limits->processes : PROCESSES_DEFAULT, process_equal);
	if (rates->ports && rates->processes)
		return rates;
	rates_free(rates);
	return NULL;
}

void rates_free(struct rates *rates)
{
	if (!rates)
		return;
	if (rates->ports)
		table_free(rates->ports);
	if (rates->processes)
		table_free(rates->processes);
	free(rates);
}

/* --- finding the row --------------------------------------------------------------------------------------
 */

static struct port_key key_of(const struct rec_socket *place)
{
	struct port_key key = {.netns = place->netns,
			       .port = place->local_port,
			       .protocol = place->protocol,
			       .family = place->family};

	memcpy(key.addr, place->local_addr, sizeof(key.addr));
	return key;
}

static uint64_t hash_of(const struct port_key *key)
{
	uint64_t words[2];

	memcpy(words, key->addr, sizeof(words));
	return table_hash(words[0] ^ (uint64_t)key->netns << 32 ^ key->port,
			  words[1] ^ (uint64_t)key->protocol << 8 ^ key->family);
}

static void *add_row(struct table *table, uint64_t hash)
{
	if (table_is_full(table))
		table_remove(table, table_oldest(table));
	return table_add(table, hash);
}

static struct port_entry *find_port(const struct rates *rates, const struct port_key *key)
{
	return table_find(rates->ports, hash_of(key), key);
}

/* NULL when there is no memory: then it is not counted. */
static struct port_entry *see_port(struct rates *rates, const struct rec_socket *place)
{
	const struct port_key key = key_of(place);
	struct port_entry *entry = find_port(rates, &key);

	if (entry) {
		table_touch(rates->ports, entry);
		return entry;
	}
	entry = add_row(rates->ports, hash_of(&key));
	if (entry)
		entry->key = key;
	return entry;
}

/* Who serves this local end: who has its address, or else who has the wildcard, as the kernel looks it up. */
static struct port_entry *find_server(struct rates *rates, const struct rec_socket *local)
{
	struct port_key key = key_of(local);
	struct port_entry *entry = find_port(rates, &key);

	if (entry)
		return entry;
	memset(key.addr, 0, sizeof(key.addr));
	entry = find_port(rates, &key);
	if (entry || key.family != AF_INET)
		return entry;
	key.family = AF_INET6; /* an IPv6 wildcard that serves IPv4 too */
	return find_port(rates, &key);
}

static struct rate_counts *see_process(struct rates *rates, const struct process *process)
{
	const struct process_key key = {.start_ns = process->start_ns, .pid = process->pid};
	uint64_t hash = table_hash(key.start_ns, key.pid);
	struct process_entry *entry = table_find(rates->processes, hash, &key);

	if (entry) {
		table_touch(rates->processes, entry);
		return &entry->counts;
	}
	entry = add_row(rates->processes, hash);
	if (!entry)
		return NULL;
	entry->key = key;
	return &entry->counts;
}

/* --- counting ---------------------------------------------------------------------------------------------
 */

static void count(struct rate_counts *counts, enum rate what, uint64_t n)
{
	if (counts)
		counts->total[what] += n;
}

static void count_port(struct port_entry *entry, enum rate what, uint64_t n)
{
	if (entry)
		entry->counts.total[what] += n;
}

/* For the process that acted, and the machine. */
static void count_act(struct rates *rates, const struct change *change, enum rate what)
{
	rates->machine.counts.total[what]++;
	if (change->process)
		count(see_process(rates, change->process), what, 1);
}

static void take_accept(struct rates *rates, const struct model *model, const struct change *change)
{
	const struct rec_accept *accept = (const void *)change->record.header;
	const struct rec_socket *socket = change->record.socket;
	const struct socket_row *listener = model_socket(model, accept->listener, socket->protocol);

	count_act(rates, change, RATE_ACCEPTS);
	count_port(listener ? see_port(rates, &listener->socket) : find_server(rates, socket), RATE_ACCEPTS,
		   1);
}

static void take_bind(struct rates *rates, const struct change *change)
{
	const struct rec_bind *bind = (const void *)change->record.header;
	const struct rec_socket *socket = change->record.socket;

	if (!bind->error) {
		if (socket->local_port)
			see_port(rates, socket);
		return;
	}
	count_act(rates, change, RATE_ERRORS);
	count_port(find_server(rates, socket), RATE_ERRORS, 1);
}

/* A port's row is there from the time on that it listens, so that connections find it. */
static bool is_server(const struct rec_socket *socket)
{
	return socket->local_port && (socket->protocol == IPPROTO_UDP || socket->state == TCP_LISTEN);
}

static void take_bytes(struct rates *rates, const struct change *change)
{
	const struct socket_row *row = change->socket;
	unsigned left = HOLDERS_COUNTED;

	if (!change->bytes || !row)
		return;
	rates->machine.counts.total[RATE_BYTES] += change->bytes;
	if (row->direction != DIRECTION_OUT)
		count_port(find_server(rates, &row->socket), RATE_BYTES, change->bytes);
	for (const struct holder *holder = row->holders; holder && left; holder = holder->next, left--)
		count(see_process(rates, holder->process), RATE_BYTES, change->bytes);
	/* Whoever ended with it held it until then. */
	if (!row->holders && change->process)
		count(see_process(rates, change->process), RATE_BYTES, change->bytes);
}

static void take_fact(struct rates *rates, const struct model *model, const struct change *change)
{
	const struct rec_header *header = change->record.header;
	const struct rec_connect *connect = (const void *)header;

	switch (header->kind) {
	case REC_BIND:
		take_bind(rates, change);
		break;
	case REC_LISTEN:
		if (((const struct rec_listen *)header)->error)
			count_act(rates, change, RATE_ERRORS);
		else
			see_port(rates, change->record.socket);
		break;
	case REC_CONNECT:
		count_act(rates, change, connect->error ? RATE_ERRORS : RATE_CONNECTS);
		break;
	case REC_ACCEPT:
		take_accept(rates, model, change);
		break;
	case REC_REFUSE:
		rates->machine.counts.total[RATE_ERRORS] += ((const struct rec_refuse *)header)->count;
		count_port(find_server(rates, change->record.socket), RATE_ERRORS,
			   ((const struct rec_refuse *)header)->count);
		break;
	case REC_OVERFLOW:
		rates->machine.counts.total[RATE_ERRORS] += ((const struct rec_overflow *)header)->count;
		count_port(find_server(rates, change->record.socket), RATE_ERRORS,
			   ((const struct rec_overflow *)header)->count);
		break;
	case REC_SOCKET:
		if (is_server(change->record.socket))
			see_port(rates, change->record.socket);
		break;
	default:
		break;
	}
	take_bytes(rates, change);
}

/* Seconds without an event are zero. An event from before the newest second counts for that. */
static void count_event(struct rates_machine *machine, uint64_t time_ns)
{
	uint64_t second = time_ns / NS_PER_S;

	machine->events++;
	if (second > machine->second + RATES_SECONDS)
		machine->second = second - RATES_SECONDS;
	while (machine->second < second)
		machine->past[++machine->second % RATES_SECONDS] = 0;
	machine->past[machine->second % RATES_SECONDS]++;
}

void rates_take(struct rates *rates, const struct model *model, const struct change *change)
{
	const struct rec_header *header = change->record.header;

	if (header->kind == REC_LOST) {
		rates->machine.lost += ((const struct rec_lost *)header)->count;
		rates->machine.lost_ns = header->time_ns;
		return;
	}
	if (header->kind == REC_RESYNC)
		rates->machine.resync_ns = header->time_ns;
	if (!change->record.socket)
		return;
	if (record_is_public(header->kind))
		count_event(&rates->machine, header->time_ns);
	take_fact(rates, model, change);
}

/* --- folding ----------------------------------------------------------------------------------------------
 */

static void fold(struct rate_counts *counts, double seconds)
{
	for (unsigned i = 0; i < RATE_COUNT; i++) {
		counts->per_second[i] = (double)(counts->total[i] - counts->before[i]) / seconds;
		counts->before[i] = counts->total[i];
	}
}

static int fold_row(void *row, void *context)
{
	fold(row, ((const struct rates *)context)->seconds);
	return 0;
}

void rates_tick(struct rates *rates, uint64_t now_ns)
{
	struct rates_machine *machine = &rates->machine;

	if (now_ns <= rates->tick_ns)
		return;
	/* Nothing can be said of the time before the first tick: it tells from where on is counted. */
	machine->known = rates->tick_ns;
	rates->seconds = rates->tick_ns ? (double)(now_ns - rates->tick_ns) / NS_PER_S : 1e300;
	rates->tick_ns = now_ns;
	table_each(rates->ports, fold_row, rates);
	table_each(rates->processes, fold_row, rates);
	fold(&machine->counts, rates->seconds);
	machine->events_per_second = (double)(machine->events - machine->events_before) / rates->seconds;
	machine->events_before = machine->events;
}

/* --- looking ----------------------------------------------------------------------------------------------
 */

const struct rate_counts *rates_of_port(const struct rates *rates, const struct rec_socket *place)
{
	const struct port_key key = key_of(place);
	const struct port_entry *entry = find_port(rates, &key);

	return entry ? &entry->counts : NULL;
}

const struct rate_counts *rates_of_process(const struct rates *rates, uint32_t pid, uint64_t start_ns)
{
	const struct process_key key = {.start_ns = start_ns, .pid = pid};
	const struct process_entry *entry = table_find(rates->processes, table_hash(start_ns, pid), &key);

	return entry ? &entry->counts : NULL;
}

const struct rates_machine *rates_machine(const struct rates *rates)
{
	return &rates->machine;
}

void rates_past(const struct rates *rates, uint64_t now_ns, uint32_t *ret_events, size_t n)
{
	const struct rates_machine *machine = &rates->machine;
	uint64_t end = now_ns / NS_PER_S; /* is not over */

	for (size_t i = 0; i < n; i++) {
		uint64_t second = end - n + i;

		ret_events[i] = second > machine->second || second + RATES_SECONDS <= machine->second
					? 0
					: machine->past[second % RATES_SECONDS];
	}
}
