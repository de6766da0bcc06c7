/* SPDX-License-Identifier: GPL-2.0-only */
#include "io/http_clients.h"

#include <stddef.h>
#include <sys/socket.h>

static uint64_t deadline_ns(const struct http_client *client)
{
	switch (client->phase) {
	case HTTP_ASKING:
		return client->since_ns + HTTP_IDLE_NS;
	case HTTP_WAITING:
		return client->since_ns + HTTP_RENDER_NS;
	case HTTP_TAKING:
		return client->since_ns + HTTP_TAKE_NS;
	default:
		return UINT64_MAX;
	}
}

static void end(struct http_client *client)
{
	shutdown(client->fd, SHUT_RDWR);
	client->phase = HTTP_ENDED;
}

/* It has sent something that nobody has read yet. */
static bool is_heard(const struct http_client *client)
{
	char byte;

	return recv(client->fd, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* Since when it has done nothing for anybody: idle, or an answer that others had long taken. */
static bool may_go(const struct http_client *client, enum http_phase phase, uint64_t now_ns)
{
	if (client->phase != phase)
		return false;
	return phase == HTTP_ASKING ? !is_heard(client) : now_ns - client->since_ns >= HTTP_SLOW_NS;
}

static struct http_client *longest(struct http_clients *clients, enum http_phase phase, uint64_t now_ns)
{
	struct http_client *found = NULL;

	for (unsigned i = 0; i < HTTP_CLIENTS_SLOTS; i++) {
		struct http_client *client = &clients->slots[i];

		if (may_go(client, phase, now_ns) && (!found || client->since_ns < found->since_ns))
			found = client;
	}
	return found;
}

static unsigned alive(const struct http_clients *clients)
{
	unsigned count = 0;

	for (unsigned i = 0; i < HTTP_CLIENTS_SLOTS; i++)
		count += clients->slots[i].phase != HTTP_NOBODY && clients->slots[i].phase != HTTP_ENDED;
	return count;
}

static struct http_client *vacancy(struct http_clients *clients)
{
	for (unsigned i = 0; i < HTTP_CLIENTS_SLOTS; i++)
		if (clients->slots[i].phase == HTTP_NOBODY)
			return &clients->slots[i];
	return NULL;
}

struct http_client *http_clients_come(struct http_clients *clients, int fd, uint64_t now_ns)
{
	struct http_client *client = vacancy(clients);
	bool crowded = false;

	if (!client)
		return NULL;
	if (alive(clients) >= HTTP_CLIENTS_MAX) {
		struct http_client *victim = longest(clients, HTTP_ASKING, now_ns);

		if (!victim)
			victim = longest(clients, HTTP_TAKING, now_ns);
		crowded = !victim;
		if (victim)
			end(victim);
	}
	*client =
		(struct http_client){.phase = HTTP_ASKING, .fd = fd, .since_ns = now_ns, .crowded = crowded};
	clients->count++;
	return client;
}

void http_clients_gone(struct http_clients *clients, struct http_client *client)
{
	*client = (struct http_client){.phase = HTTP_NOBODY};
	clients->count--;
}

void http_client_enter(struct http_client *client, enum http_phase phase, uint64_t now_ns)
{
	if (client->phase == HTTP_ENDED)
		return;
	client->phase = phase;
	client->since_ns = now_ns;
}

bool http_client_is_overdue(const struct http_client *client, uint64_t now_ns)
{
	return deadline_ns(client) <= now_ns;
}

/* Who waits for a page is told that there is none, by somebody else. */
uint64_t http_clients_sweep(struct http_clients *clients, uint64_t now_ns)
{
	uint64_t next_ns = UINT64_MAX;

	for (unsigned i = 0; clients->count && i < HTTP_CLIENTS_SLOTS; i++) {
		struct http_client *client = &clients->slots[i];
		uint64_t at_ns;

		if (client->phase != HTTP_WAITING && http_client_is_overdue(client, now_ns))
			end(client);
		at_ns = deadline_ns(client);
		if (at_ns < next_ns)
			next_ns = at_ns;
	}
	return next_ns;
}
