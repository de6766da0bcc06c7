/* SPDX-License-Identifier: GPL-2.0-only */
#include "command/port_check.h"

#include "source/bind_table.h"
#include "system/bind_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One bind; both protocols where none is given. */
struct question {
	struct bind_wish wish;
	int socket_fd;
};

struct port_check {
	struct bind_table *table;
	struct question questions[2];
	unsigned n;
};

static int probe(struct question *question)
{
	struct bind_probe what = {.family = question->wish.family, .protocol = question->wish.protocol};
	int address_error;

	memcpy(what.addr, question->wish.addr, sizeof(what.addr));
	return bind_probe(&what, &question->socket_fd, &address_error);
}

/* A dual-stack wildcard meets all that a bind without an address could. */
static void add(struct port_check *check, const struct port_spec *spec, uint16_t protocol)
{
	struct question *question = &check->questions[check->n];
	bool any = !spec->address.family;

	*question = (struct question){.wish = {.family = any ? AF_INET6 : spec->address.family,
					       .port = spec->port,
					       .protocol = protocol,
					       .privileged = true}};
	memcpy(question->wish.addr, spec->address.addr, sizeof(question->wish.addr));
	if (any && probe(question) == 0) {
		check->n++;
		return;
	}
	if (any)
		question->wish.family = AF_INET;
	if (probe(question) == 0)
		check->n++;
}

static void add_both(struct port_check *check, const struct port_spec *spec)
{
	if (spec->protocol != IPPROTO_UDP && spec->protocol != IPPROTO_SCTP)
		add(check, spec, IPPROTO_TCP);
	if (!spec->protocol || spec->protocol == IPPROTO_UDP)
		add(check, spec, IPPROTO_UDP);
}

/* Their sockets stay what they are when the thread is back. False: it may not go there. */
static bool add_inside(struct port_check *check, const struct port_spec *spec, int netns_fd)
{
	int home_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	bool inside = home_fd >= 0 && setns(netns_fd, CLONE_NEWNET) == 0, back = true;

	if (inside) {
		add_both(check, spec);
		back = setns(home_fd, CLONE_NEWNET) == 0;
	}
	if (home_fd >= 0)
		close(home_fd);
	return inside && back;
}

struct port_check *port_check_open(const struct port_spec *spec, int netns_fd)
{
	struct port_check *check = calloc(1, sizeof(*check));
	struct fault fault;

	if (!check)
		return NULL;
	if (bind_table_open(&check->table, &fault)) {
		free(check);
		return NULL;
	}
	if (netns_fd < 0)
		add_both(check, spec);
	else if (!add_inside(check, spec, netns_fd)) {
		port_check_close(check);
		return NULL;
	}
	return check;
}

static bool is_taken(struct port_check *check, const struct question *question)
{
	struct bind_inventory inventory;
	struct bind_verdict verdict;

	if (bind_table_read(check->table, question->socket_fd, &question->wish, 0, &inventory))
		return false;
	bind_conflict_judge(&question->wish, &inventory, NULL, &verdict);
	bind_table_release(&inventory);
	return verdict.error == EADDRINUSE && !verdict.unknown;
}

bool port_check_is_free(struct port_check *check)
{
	for (unsigned i = 0; check && i < check->n; i++)
		if (is_taken(check, &check->questions[i]))
			return false;
	return true;
}

void port_check_close(struct port_check *check)
{
	if (!check)
		return;
	for (unsigned i = 0; i < check->n; i++)
		close(check->questions[i].socket_fd);
	bind_table_close(check->table);
	free(check);
}
