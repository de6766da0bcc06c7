/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/bind_table.h"

#include "core/jiffies.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#pragma GCC diagnostic push /* generated code subtracts void pointers */
#pragma GCC diagnostic ignored "-Wpointer-arith"
#include "bind_table.skel.h"
#pragma GCC diagnostic pop

#define TRIES 16 /* of a port that changes all the time */

struct bind_table {
	struct bind_table_bpf *programs;
	const struct bind_row *rows; /* the map, as memory */
	size_t bytes;
	enum { NOT_KNOWN, OWN_USER, ROOT_USER } orphans; /* whose they count as */
};

static size_t map_bytes(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = BIND_ROWS_MAX * sizeof(struct bind_row);

	return (size + page - 1) / page * page;
}

int bind_table_open(struct bind_table **ret_table, struct fault *fault)
{
	struct bind_table *table = calloc(1, sizeof(*table));
	void *rows;
	int error;

	if (!table)
		return fault_set(fault, -ENOMEM, "out of memory");
	table->programs = bind_table_bpf__open();
	error = table->programs ? bind_table_bpf__load(table->programs) : -ENOMEM;
	if (error) {
		bind_table_close(table);
		fault->unsupported = true;
		return fault_set(
			fault, error,
			"this kernel refuses the BPF program that reads its tables of ports (%s); it takes "
			"Linux 5.17",
			strerror(-error));
	}
	table->bytes = map_bytes();
	rows = mmap(NULL, table->bytes, PROT_READ, MAP_SHARED, table->programs->maps.rows.map_fd, 0);
	if (rows == MAP_FAILED) {
		error = -errno;
		bind_table_close(table);
		return fault_set(fault, error, "cannot map the table of ports: %s", strerror(-error));
	}
	table->rows = rows;
	*ret_table = table;
	return 0;
}

void bind_table_close(struct bind_table *table)
{
	if (!table)
		return;
	if (table->rows)
		munmap((void *)table->rows, table->bytes);
	bind_table_bpf__destroy(table->programs);
	free(table);
}

/* --- asking -----------------------------------------------------------------------------------------------
 */

static void fill_address(struct bind_ask *ask, const struct bind_wish *wish)
{
	memset(ask->address, 0, sizeof(ask->address));
	if (wish->family == AF_INET) {
		memset(&ask->address[2][2], 0xff, 2);
		memcpy(ask->address[3], wish->addr, 4);
	} else {
		memcpy(ask->address, wish->addr, sizeof(ask->address));
	}
}

/* One run of the program. */
static int run(struct bind_table *table, const struct bind_ask *ask, struct bind_answer *ret_answer)
{
	DECLARE_LIBBPF_OPTS(bpf_test_run_opts, options);
	struct bind_table_bpf__bss *shared = table->programs->bss;

	shared->ask = *ask;
	memset(&shared->answer, 0, sizeof(shared->answer));
	if (bpf_prog_test_run_opts(table->programs->progs.bind_table_read.prog_fd, &options))
		return -errno;
	*ret_answer = shared->answer;
	if (ret_answer->torn)
		return -EAGAIN;
	return ret_answer->failed ? -ENOTSUP : 0;
}

static int append(const struct bind_table *table, struct bind_inventory *inventory)
{
	size_t n = inventory->answer.rows;
	struct bind_row *rows = realloc(inventory->rows, (inventory->n_rows + n + 1) * sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	memcpy(rows + inventory->n_rows, table->rows, n * sizeof(*rows));
	inventory->rows = rows;
	inventory->n_rows += n;
	return 0;
}

/* All of it, in as many runs as it takes. */
static int read_all(struct bind_table *table, struct bind_ask *ask, struct bind_inventory *inventory)
{
	int error;

	do {
		ask->skip = (uint32_t)inventory->n_rows;
		error = run(table, ask, &inventory->answer);
		if (!error)
			error = append(table, inventory);
	} while (!error && !inventory->answer.whole);
	return error;
}

/* sock_i_uid() went when sk_uid took its place (6.17, c51da3f7a161). */
static bool orphans_are_root(struct bind_table *table)
{
	struct btf *kernel;

	if (table->orphans != NOT_KNOWN)
		return table->orphans == ROOT_USER;
	kernel = btf__load_vmlinux_btf();
	table->orphans = kernel && btf__find_by_name_kind(kernel, "sock_i_uid", BTF_KIND_FUNC) > 0 ? ROOT_USER
												   : OWN_USER;
	btf__free(kernel);
	return table->orphans == ROOT_USER;
}

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Only then does it matter, and to find out takes a look at all the kernel's types. */
static bool user_matters(const struct bind_wish *wish, const struct bind_inventory *inventory)
{
	for (size_t i = 0; wish->reuseport && i < inventory->n_rows; i++) {
		unsigned flags = inventory->rows[i].flags;

		if (flags & BIND_ROW_ORPHAN && flags & BIND_ROW_REUSEPORT)
			return true;
	}
	return false;
}

int bind_table_read(struct bind_table *table, int socket_fd, const struct bind_wish *wish, uint32_t l3mdev,
		    struct bind_inventory *ret_inventory)
{
	struct bind_ask ask = {
		.fd = socket_fd, .port = wish->port, .udp = wish->protocol == IPPROTO_UDP, .l3mdev = l3mdev};
	struct bind_inventory inventory = {.n_rows = 0};
	int error = -EAGAIN;

	fill_address(&ask, wish);
	for (int i = 0; i < TRIES && error == -EAGAIN; i++) {
		bind_table_release(&inventory);
		error = read_all(table, &ask, &inventory);
	}
	if (error) {
		bind_table_release(&inventory);
		return error;
	}
	if (user_matters(wish, &inventory))
		inventory.orphans_are_root = orphans_are_root(table);
	inventory.hz = jiffies_hz(inventory.answer.jiffies, monotonic_ns());
	*ret_inventory = inventory;
	return 0;
}

int bind_table_list(struct bind_table *table, int socket_fd, uint16_t port, bool udp,
		    struct bind_inventory *ret_inventory)
{
	const struct bind_ask ask = {.fd = socket_fd, .port = port, .udp = udp, .all_of_port = 1};
	struct bind_inventory inventory = {.n_rows = 0};
	int error = run(table, &ask, &inventory.answer);

	if (!error && !inventory.answer.whole)
		error = -EAGAIN;
	if (!error)
		error = append(table, &inventory);
	if (error)
		return error;
	*ret_inventory = inventory;
	return 0;
}

void bind_table_release(struct bind_inventory *inventory)
{
	free(inventory->rows);
	inventory->rows = NULL;
	inventory->n_rows = 0;
}
