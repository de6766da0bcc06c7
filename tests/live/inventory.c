/* SPDX-License-Identifier: GPL-2.0-only */
#include "inventory.h"

#include "act.h"
#include "bound.h"
#include "offer.h"
#include "truth.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOLDINGS_MAX 256 /* descriptors of one socket */

/* --- rows -------------------------------------------------------------------------------------------------
 */

struct inventory_row *inventory_add(const struct scene *scene, struct inventory *inventory)
{
	if (inventory->n == inventory->room) {
		inventory->room = inventory->room ? 2 * inventory->room : 1024;
		inventory->rows = realloc(inventory->rows, inventory->room * sizeof(*inventory->rows));
		if (!inventory->rows)
			scene_fail(scene, "no memory");
	}
	inventory->rows[inventory->n] = (struct inventory_row){0};
	return &inventory->rows[inventory->n++];
}

void inventory_free(struct inventory *inventory)
{
	free(inventory->rows);
	free(inventory->by_inode);
	*inventory = (struct inventory){0};
}

static int compare_inodes(const void *left, const void *right)
{
	unsigned long a = ((const struct inventory_row *)left)->inode;
	unsigned long b = ((const struct inventory_row *)right)->inode;

	return (a > b) - (a < b);
}

int inventory_compare(const void *left, const void *right)
{
	const struct inventory_row *a = left, *b = right;
	int order = strcmp(a->text, b->text);

	return order ? order : strcmp(a->holders, b->holders);
}

static void sort_rows(struct inventory *inventory, int (*compare)(const void *, const void *))
{
	if (inventory->n)
		qsort(inventory->rows, inventory->n, sizeof(*inventory->rows), compare);
}

static void keep_by_inode(const struct scene *scene, struct inventory *inventory)
{
	size_t size = (inventory->n + 1) * sizeof(*inventory->rows);

	inventory->by_inode = realloc(inventory->by_inode, size);
	if (!inventory->by_inode)
		scene_fail(scene, "no memory");
	if (inventory->n)
		memcpy(inventory->by_inode, inventory->rows, size - sizeof(*inventory->rows));
}

/* --- pids -------------------------------------------------------------------------------------------------
 */

struct holding {
	unsigned long inode;
	pid_t pid;
};

struct holdings {
	struct holding *items;
	size_t n, room;
};

static void add_holding(const struct scene *scene, struct holdings *holdings, unsigned long inode, pid_t pid)
{
	if (holdings->n == holdings->room) {
		holdings->room = holdings->room ? 2 * holdings->room : 1024;
		holdings->items = realloc(holdings->items, holdings->room * sizeof(*holdings->items));
		if (!holdings->items)
			scene_fail(scene, "no memory");
	}
	holdings->items[holdings->n++] = (struct holding){inode, pid};
}

static int compare_holdings(const void *left, const void *right)
{
	const struct holding *a = left, *b = right;

	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	return (a->pid > b->pid) - (a->pid < b->pid);
}

static void append_pid(const struct scene *scene, struct inventory_row *row, pid_t pid)
{
	size_t length = strlen(row->holders);

	if (length + 16 > sizeof(row->holders))
		scene_fail(scene, "too many holders: %s", row->text);
	sprintf(row->holders + length, "%s%d", length ? "," : "", pid);
}

static int compare_pids(const void *left, const void *right)
{
	return *(const pid_t *)left - *(const pid_t *)right;
}

void inventory_say_holders(const struct scene *scene, struct inventory_row *row, pid_t *pids, size_t n)
{
	row->holders[0] = '\0';
	qsort(pids, n, sizeof(*pids), compare_pids);
	for (size_t i = 0; i < n; i++)
		if (!i || pids[i] != pids[i - 1])
			append_pid(scene, row, pids[i]);
}

/* --- /proc/net --------------------------------------------------------------------------------------------
 */

unsigned netns_of(const struct scene *scene, pid_t pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	scene_must(scene, stat(path, &st), path);
	return (unsigned)st.st_ino;
}

void places_add(const struct scene *scene, struct places *places, pid_t pid)
{
	if (places->n == PLACES_MAX)
		scene_fail(scene, "too many namespaces");
	if (!places->n)
		places->bound_is_listed = bound_is_listed(scene);
	places->items[places->n++] = (struct place){netns_of(scene, pid), pid};
}

static const char *tcp_state(unsigned state)
{
	static const char *const names[] = {"?",	  "established", "syn_sent",  "syn_recv",
					    "fin_wait1",  "fin_wait2",	 "time_wait", "close",
					    "close_wait", "last_ack",	 "listen",    "closing"};

	return names[state < sizeof(names) / sizeof(names[0]) ? state : 0];
}

static const char *udp_state(unsigned state)
{
	return state == 1 ? "established" : "unconnected";
}

/* Words of 32 bits as they lie in memory, 1 or 4 of them. */
static union address parse_address(const char *hex, unsigned port)
{
	union address address = address_of(strlen(hex) > 8 ? "::" : "", (uint16_t)port);
	uint32_t words[4] = {0};

	for (unsigned i = 0; i < 4 && hex[8 * i]; i++)
		sscanf(hex + 8 * i, "%8x", &words[i]);
	if (address.any.sa_family == AF_INET6)
		memcpy(&address.v6.sin6_addr, words, sizeof(words));
	else
		memcpy(&address.v4.sin_addr, words, sizeof(words[0]));
	return address;
}

struct table {
	const char *name, *transport;
	const char *(*state)(unsigned state);
};

static void take_line(const struct scene *scene, const struct table *table, unsigned netns, const char *line,
		      struct inventory *inventory)
{
	char local_hex[40], peer_hex[40], local[ADDRESS_TEXT], peer[ADDRESS_TEXT] = "-";
	unsigned local_port, peer_port, state;
	unsigned long inode;
	union address address;
	struct inventory_row *row;

	if (sscanf(line, " %*d: %32[0-9A-F]:%x %32[0-9A-F]:%x %x %*s %*s %*s %*u %*u %lu", local_hex,
		   &local_port, peer_hex, &peer_port, &state, &inode) != 6)
		scene_fail(scene, "/proc/net/%s: not understood: %s", table->name, line);
	address = parse_address(peer_hex, peer_port);
	if (peer_port)
		address_text(&address, peer);
	address = parse_address(local_hex, local_port);
	address_text(&address, local);
	row = inventory_add(scene, inventory);
	row->inode = inode;
	snprintf(row->text, sizeof(row->text), "%u proto=%s/%s local=%s peer=%s state=%s", netns,
		 table->transport, address_type(&address), local, peer, table->state(state));
}

static void read_table(const struct scene *scene, const struct table *table, const struct place *place,
		       struct inventory *inventory)
{
	char path[64], line[512];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/net/%s", place->pid, table->name);
	file = fopen(path, "re");
	if (!file && errno == ENOENT && strchr(table->name, '6'))
		return; /* no IPv6 here */
	if (!file || !fgets(line, sizeof(line), file))
		scene_fail(scene, "%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), file))
		take_line(scene, table, place->netns, line, inventory);
	fclose(file);
}

/* --- what /proc/net does not list -------------------------------------------------------------------------
 */

static void say_bound(const struct scene *scene, int fd, const char *how)
{
	struct held held = held_of(scene, fd);
	unsigned netns = 0;
	struct stat st;
	int netns_fd = (int)scene_must(scene, ioctl(fd, SIOCGSKNS), "namespace of a socket");

	scene_must(scene, fstat(netns_fd, &st), "fstat");
	netns = (unsigned)st.st_ino;
	close(netns_fd);
	scene_must(scene, fstat(fd, &st), "fstat");
	truth_log(scene, "%s %lu %u proto=%s local=%s peer=- state=bound", how, (unsigned long)st.st_ino,
		  netns, held.proto, held.local);
}

void inventory_bound(const struct scene *scene, int fd)
{
	say_bound(scene, fd, "bound");
}

void inventory_in_flight(const struct scene *scene, int fd)
{
	say_bound(scene, fd, "flying");
}

static const struct inventory_row *find(const struct inventory_row *rows, size_t n, unsigned long inode)
{
	const struct inventory_row key = {.inode = inode};

	return n ? bsearch(&key, rows, n, sizeof(key), compare_inodes) : NULL;
}

const struct inventory_row *inventory_find(const struct inventory *kernel, unsigned long inode)
{
	return inode ? find(kernel->by_inode, kernel->n, inode) : NULL;
}

static struct inventory_row *find_said(const struct inventory *inventory, size_t from, unsigned long inode)
{
	for (size_t i = from; i < inventory->n; i++)
		if (inventory->rows[i].inode == inode)
			return &inventory->rows[i];
	return NULL;
}

/* What was said last of a socket counts. */
static void add_said(const struct scene *scene, struct inventory *inventory)
{
	size_t position = 0, length, n = inventory->n;
	const char *line;

	sort_rows(inventory, compare_inodes);
	while ((line = truth_next(scene->truth, &position, &length))) {
		struct inventory_row row = {0}, *said;
		char how[16];

		if (sscanf(line, "%15s %lu %191[^\n]", how, &row.inode, row.text) != 3)
			scene_fail(scene, "not understood: %.80s", line);
		if (find(inventory->rows, n, row.inode))
			continue;
		row.is_bound_only = true;
		row.in_flight = !strcmp(how, "flying");
		said = find_said(inventory, n, row.inode);
		*(said ? said : inventory_add(scene, inventory)) = row;
	}
}

struct listing {
	struct inventory *inventory;
	unsigned netns;
};

static void add_listed(const struct scene *scene, unsigned long inode, const char *proto, const char *local,
		       void *context)
{
	const struct listing *listing = context;
	struct inventory_row *row = inventory_add(scene, listing->inventory);

	row->inode = inode;
	row->is_bound_only = row->in_flight = true;
	snprintf(row->text, sizeof(row->text), "%u proto=%s local=%s peer=- state=bound", listing->netns,
		 proto, local);
}

static void add_bound(const struct scene *scene, const struct places *places, struct inventory *inventory)
{
	if (!places->bound_is_listed)
		add_said(scene, inventory);
	for (unsigned i = 0; places->bound_is_listed && i < places->n; i++) {
		struct listing listing = {inventory, places->items[i].netns};

		bound_each(scene, places->items[i].pid, add_listed, &listing);
	}
}

/* --- /proc/PID/task/TID/fd --------------------------------------------------------------------------------
 */

void inventory_each_number(const char *folder, void (*body)(const char *path, void *context), void *context)
{
	DIR *open_folder = opendir(folder);
	struct dirent *entry;
	char path[PATH_MAX];

	while (open_folder && (entry = readdir(open_folder))) {
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) < (int)sizeof(path))
			body(path, context);
	}
	if (open_folder)
		closedir(open_folder);
}

struct scan {
	const struct scene *scene;
	struct holdings *holdings;
	pid_t pid;
};

unsigned long inventory_inode_of_link(const char *path)
{
	unsigned long inode;
	char target[64] = "";

	if (readlink(path, target, sizeof(target) - 1) < 0 || sscanf(target, "socket:[%lu]", &inode) != 1)
		return 0;
	return inode;
}

static void scan_descriptor(const char *path, void *context)
{
	const struct scan *scan = context;
	unsigned long inode = inventory_inode_of_link(path);

	if (inode)
		add_holding(scan->scene, scan->holdings, inode, scan->pid);
}

static void scan_thread(const char *path, void *context)
{
	char folder[PATH_MAX];

	if (snprintf(folder, sizeof(folder), "%s/fd", path) < (int)sizeof(folder))
		inventory_each_number(folder, scan_descriptor, context);
}

static void scan_process(const char *path, void *context)
{
	struct scan *scan = context;
	char folder[PATH_MAX];

	scan->pid = atoi(path + sizeof("/proc/") - 1);
	if (snprintf(folder, sizeof(folder), "%s/task", path) < (int)sizeof(folder))
		inventory_each_number(folder, scan_thread, scan);
}

/* Both are in the order of inodes. */
static void join(const struct scene *scene, struct inventory *inventory, struct holdings *holdings)
{
	size_t at = 0, kept = 0, n;
	pid_t pids[HOLDINGS_MAX];

	for (size_t i = 0; i < inventory->n; i++) {
		struct inventory_row *row = &inventory->rows[i];
		size_t first;

		while (at < holdings->n && holdings->items[at].inode < row->inode)
			at++;
		for (first = at; at < holdings->n && holdings->items[at].inode == row->inode;)
			at++;
		if (row->is_bound_only && !row->in_flight && at == first)
			continue; /* it has been closed */
		for (n = 0; first + n < at; n++) {
			if (n == HOLDINGS_MAX)
				scene_fail(scene, "too many descriptors: %s", row->text);
			pids[n] = holdings->items[first + n].pid;
		}
		inventory_say_holders(scene, row, pids, n);
		if (row->inode && !n)
			strcpy(row->holders, offer_in_flight() ? INVENTORY_IN_FLIGHT : "");
		inventory->rows[kept++] = *row;
	}
	inventory->n = kept;
}

void inventory_read(const struct scene *scene, const struct places *places, struct inventory *inventory)
{
	static const struct table tables[] = {{"tcp", "tcp", tcp_state},
					      {"tcp6", "tcp", tcp_state},
					      {"udp", "udp", udp_state},
					      {"udp6", "udp", udp_state}};
	struct holdings holdings = {0};
	struct scan scan = {.scene = scene, .holdings = &holdings};

	inventory->n = 0;
	for (unsigned i = 0; i < places->n; i++)
		for (size_t j = 0; j < sizeof(tables) / sizeof(tables[0]); j++)
			read_table(scene, &tables[j], &places->items[i], inventory);
	add_bound(scene, places, inventory);
	inventory_each_number("/proc", scan_process, &scan);
	if (holdings.n)
		qsort(holdings.items, holdings.n, sizeof(*holdings.items), compare_holdings);
	sort_rows(inventory, compare_inodes);
	join(scene, inventory, &holdings);
	keep_by_inode(scene, inventory);
	sort_rows(inventory, inventory_compare);
	free(holdings.items);
}
