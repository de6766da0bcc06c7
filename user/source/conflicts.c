/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/conflicts.h"

#include "core/bind_failure.h"
#include "source/batches.h"
#include "source/bind_habits.h"
#include "source/bind_table.h"
#include "source/snapshot_netns.h"
#include "system/proc.h"
#include "system/vrf.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ASKS_LEAST  16u
#define ASKS_MAX    16384u     /* in a second; 2 MiB */
#define BATCHES_MAX 32u	       /* 2 MiB of answers */
#define PAUSE_NS    1000000000 /* between two looks at the tables */
#define NS_PER_S    1000000000
#define DEADLINE_NS 5000000 /* for taking: the ring waits */

struct asks {
	struct rec_bind *items;
	size_t n, room;
};

struct conflicts {
	struct sink to;
	struct batches *batches;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t news; /* for the thread */
	/* The thread's: */
	struct bind_table *table;
	int table_error;
	bool table_tried, habits_tried;
	struct bind_habits habits;
	/* Under the lock: */
	struct asks asks;
	bool finishing; /* answer what there is, then end */
	bool closing;
};

/* --- who asks ---------------------------------------------------------------------------------------------
 */

static bool asks_have_room(struct asks *asks)
{
	size_t room = asks->room ? 2 * asks->room : ASKS_LEAST;
	struct rec_bind *items;

	if (asks->n < asks->room)
		return true;
	if (room > ASKS_MAX)
		return false;
	items = realloc(asks->items, room * sizeof(*items));
	if (!items)
		return false;
	asks->items = items;
	asks->room = room;
	return true;
}

static bool ask(struct conflicts *conflicts, const struct rec_bind *bind)
{
	bool asked;

	pthread_mutex_lock(&conflicts->lock);
	asked = asks_have_room(&conflicts->asks);
	if (asked) {
		conflicts->asks.items[conflicts->asks.n++] = *bind;
		if (conflicts->asks.n == 1)
			pthread_cond_signal(&conflicts->news);
	}
	pthread_mutex_unlock(&conflicts->lock);
	return asked;
}

/* The bind first, so that its line stands before. More than can be looked at is said of each. */
static int take(void *context, const void *record, size_t size)
{
	struct conflicts *conflicts = context;
	struct rec_conflicts answer;
	int result = sink_put(&conflicts->to, record, size);

	if (result || !bind_failure_has_cause(record) || ask(conflicts, record))
		return result;
	bind_failure_answer(record, NULL, NULL, 0, EAGAIN, &answer);
	return sink_put(&conflicts->to, &answer, answer.fact.header.size);
}

struct sink conflicts_sink(struct conflicts *conflicts)
{
	return (struct sink){.take = take, .context = conflicts};
}

/* --- the tables -------------------------------------------------------------------------------------------
 */

/* Those asks of one look that are about the same port and address share what was read. */
struct look {
	struct conflicts *conflicts;
	struct asks asks;
	bool *answered;
	uint32_t netns; /* where the thread is */
};

static bool table_is_open(struct conflicts *conflicts)
{
	struct fault fault = {0};

	if (!conflicts->table_tried)
		conflicts->table_error = bind_table_open(&conflicts->table, &fault);
	conflicts->table_tried = true;
	return !conflicts->table_error;
}

/* In the namespace where the thread is. */
static int read_table(struct conflicts *conflicts, const struct bind_wish *wish,
		      struct bind_inventory *ret_inventory)
{
	bool udp = wish->protocol == IPPROTO_UDP;
	uint32_t vrf = 0;
	int fd, error;

	if (!table_is_open(conflicts))
		return conflicts->table_error;
	fd = socket(wish->family, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, wish->protocol);
	if (fd < 0)
		return -errno;
	error = udp ? 0 : vrf_of_device(wish->device, &vrf);
	if (!error)
		error = bind_table_read(conflicts->table, fd, wish, vrf, ret_inventory);
	close(fd);
	return error;
}

static void try_habits(struct conflicts *conflicts)
{
	if (!conflicts->habits_tried)
		conflicts->habits = bind_habits_try();
	conflicts->habits_tried = true;
}

/* A habit that is not known would leave doubts: then none is named. */
static int judge(struct conflicts *conflicts, const struct rec_bind *bind, struct bind_inventory *inventory,
		 struct rec_conflicts *ret_answer)
{
	struct bind_wish wish = bind_failure_wish(bind);
	struct bind_conflict *found = calloc(inventory->n_rows + 1, sizeof(*found));
	struct bind_verdict verdict;

	if (!found)
		return -ENOMEM;
	bind_conflict_judge(&wish, inventory, found, &verdict);
	if (verdict.unknown) {
		try_habits(conflicts);
		inventory->habits = conflicts->habits;
		bind_conflict_judge(&wish, inventory, found, &verdict);
	}
	bind_failure_answer(bind, inventory, found, verdict.error == EADDRINUSE ? verdict.n_conflicts : 0,
			    verdict.unknown ? ENOTSUP : 0, ret_answer);
	free(found);
	return 0;
}

/* --- the answers ------------------------------------------------------------------------------------------
 */

static int put(const struct look *look, size_t index, struct rec_conflicts *answer, uint64_t as_of_ns)
{
	look->answered[index] = true;
	answer->as_of_ns = as_of_ns;
	answer->fact.header.time_ns = proc_boottime_ns();
	return batches_put(look->conflicts->batches, answer, answer->fact.header.size);
}

static int put_unread(const struct look *look, size_t index, int error)
{
	struct rec_conflicts answer;

	bind_failure_answer(&look->asks.items[index], NULL, NULL, 0, error, &answer);
	return put(look, index, &answer, 0);
}

static bool same_table(const struct rec_bind *a, const struct rec_bind *b)
{
	const struct rec_socket *x = &a->fact.socket, *y = &b->fact.socket;

	return x->netns == y->netns && a->requested_port == b->requested_port && x->protocol == y->protocol &&
	       x->family == y->family && x->device == y->device &&
	       !memcmp(x->local_addr, y->local_addr, sizeof(x->local_addr));
}

/* Everybody from there on who asks about the same. */
static int answer_alike(const struct look *look, size_t first, struct bind_inventory *inventory,
			uint64_t as_of_ns)
{
	const struct rec_bind *model = &look->asks.items[first];
	int result = 0;

	for (size_t i = first; !result && i < look->asks.n; i++) {
		const struct rec_bind *bind = &look->asks.items[i];
		struct rec_conflicts answer;
		int error;

		if (look->answered[i] || !same_table(model, bind))
			continue;
		error = judge(look->conflicts, bind, inventory, &answer);
		result = error ? put_unread(look, i, -error) : put(look, i, &answer, as_of_ns);
	}
	return result;
}

static int answer_from(const struct look *look, size_t first)
{
	const struct bind_wish wish = bind_failure_wish(&look->asks.items[first]);
	uint64_t as_of_ns = proc_boottime_ns();
	struct bind_inventory inventory;
	int error = read_table(look->conflicts, &wish, &inventory), result;

	if (error)
		return put_unread(look, first, -error);
	result = answer_alike(look, first, &inventory, as_of_ns);
	bind_table_release(&inventory);
	return result;
}

/* --- namespaces -------------------------------------------------------------------------------------------
 */

struct visit {
	const struct look *look;
	struct netns_set *namespaces;
};

static int answer_netns(struct netns *netns, void *context)
{
	const struct visit *visit = context;
	const struct look *look = visit->look;
	int error = 1, result = 0;

	for (size_t i = 0; !result && i < look->asks.n; i++) {
		if (look->answered[i] || look->asks.items[i].fact.socket.netns != netns->inode)
			continue;
		if (error > 0) /* the first who asks about it */
			error = netns_enter(visit->namespaces, netns);
		result = error ? put_unread(look, i, -error) : answer_from(look, i);
	}
	return result;
}

static int answer_all(const struct look *look)
{
	struct visit visit = {look, netns_set_new()};
	int result = 0;

	if (visit.namespaces) {
		netns_set_add_named(visit.namespaces);
		for (size_t i = 0; i < look->asks.n; i++)
			netns_set_add_task(visit.namespaces, look->asks.items[i].fact.socket.netns,
					   look->asks.items[i].fact.task.pid);
		result = netns_set_each(visit.namespaces, answer_netns, &visit);
		netns_return(visit.namespaces);
		netns_set_free(visit.namespaces);
	}
	for (size_t i = 0; !result && i < look->asks.n; i++)
		if (!look->answered[i])
			result = put_unread(look, i, ENOMEM);
	return result;
}

/* --- the thread -------------------------------------------------------------------------------------------
 */

static void look(struct conflicts *conflicts, struct asks asks)
{
	struct look look = {.conflicts = conflicts, .asks = asks, .answered = calloc(asks.n, 1)};

	if (look.answered)
		answer_all(&look);
	batches_flush(conflicts->batches);
	free(look.answered);
	free(asks.items);
}

/* Waits until somebody asks, and until a second after the last look; false: nobody will ask any more. */
static bool next_asks(struct conflicts *conflicts, const struct timespec *not_before, struct asks *ret_asks)
{
	bool go_on;

	pthread_mutex_lock(&conflicts->lock);
	while (!conflicts->asks.n && !conflicts->finishing && !conflicts->closing)
		pthread_cond_wait(&conflicts->news, &conflicts->lock);
	while (!conflicts->finishing && !conflicts->closing &&
	       pthread_cond_clockwait(&conflicts->news, &conflicts->lock, CLOCK_MONOTONIC, not_before) == 0)
		;
	*ret_asks = conflicts->asks;
	conflicts->asks = (struct asks){0};
	go_on = !conflicts->closing && ret_asks->n;
	pthread_mutex_unlock(&conflicts->lock);
	return go_on;
}

static void *run(void *context)
{
	struct conflicts *conflicts = context;
	struct timespec not_before = {0};
	struct asks asks;

	while (next_asks(conflicts, &not_before, &asks)) {
		clock_gettime(CLOCK_MONOTONIC, &not_before);
		not_before.tv_sec += PAUSE_NS / NS_PER_S;
		look(conflicts, asks);
	}
	free(asks.items);
	bind_table_close(conflicts->table);
	batches_end(conflicts->batches, 0);
	return NULL;
}

/* --- who takes --------------------------------------------------------------------------------------------
 */

int conflicts_open(const struct sink *to, struct conflicts **ret_conflicts)
{
	struct conflicts *conflicts = calloc(1, sizeof(*conflicts));
	int error;

	if (!conflicts)
		return -ENOMEM;
	conflicts->to = *to;
	error = batches_new(BATCHES_MAX, &conflicts->batches);
	if (!error) {
		pthread_mutex_init(&conflicts->lock, NULL);
		pthread_cond_init(&conflicts->news, NULL);
		error = -pthread_create(&conflicts->thread, NULL, run, conflicts);
	}
	if (!error) {
		*ret_conflicts = conflicts;
		return 0;
	}
	batches_free(conflicts->batches);
	free(conflicts);
	return error;
}

int conflicts_fd(const struct conflicts *conflicts)
{
	return batches_fd(conflicts->batches);
}

int conflicts_take(struct conflicts *conflicts, const struct sink *sink)
{
	bool ended;

	return batches_take(conflicts->batches, sink, proc_boottime_ns() + DEADLINE_NS, &ended);
}

static void tell_thread(struct conflicts *conflicts, bool *what)
{
	pthread_mutex_lock(&conflicts->lock);
	*what = true;
	pthread_cond_signal(&conflicts->news);
	pthread_mutex_unlock(&conflicts->lock);
}

int conflicts_finish(struct conflicts *conflicts, const struct sink *sink)
{
	tell_thread(conflicts, &conflicts->finishing);
	return batches_take_all(conflicts->batches, sink);
}

void conflicts_close(struct conflicts *conflicts)
{
	if (!conflicts)
		return;
	batches_cancel(conflicts->batches);
	tell_thread(conflicts, &conflicts->closing);
	pthread_join(conflicts->thread, NULL);
	batches_free(conflicts->batches);
	free(conflicts->asks.items);
	free(conflicts);
}
