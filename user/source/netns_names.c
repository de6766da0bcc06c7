/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/netns_names.h"

#include "core/table.h"
#include "system/netns.h"

#include <stdlib.h>
#include <string.h>

#define NAMES_MAX  65536
#define CHECK_NS   UINT64_C(100000000)	/* how often a change is looked for */
#define SETTLED_NS UINT64_C(1000000000) /* a name may come before its namespace: so long after a change */
#define UNKNOWN_NS UINT64_C(1000000000) /* how often a namespace that is new makes us look */

/* A namespace with a name, or one that was needed. */
struct named {
	uint64_t since_ns; /* it is needed; 0: nobody does */
	char *name;	   /* NULL: it has none */
	uint32_t inode;
	bool found; /* in the reading that is under way */
};

struct netns_names {
	struct table *rows;
	int (*tell)(void *context, uint32_t inode, const char *name);
	void *context;
	int64_t changed_ns; /* as of the last reading */
	uint64_t settled_ns, checked_ns, read_ns;
};

static bool named_equal(const void *row, const void *key)
{
	return ((const struct named *)row)->inode == *(const uint32_t *)key;
}

static int forget(void *row, void *context)
{
	free(((struct named *)row)->name);
	return 0;
}

struct netns_names *netns_names_new(int (*tell)(void *context, uint32_t inode, const char *name),
				    void *context)
{
	struct netns_names *names = calloc(1, sizeof(*names));

	if (!names)
		return NULL;
	names->tell = tell;
	names->context = context;
	names->changed_ns = -1; /* not read yet */
	names->rows = table_new(sizeof(struct named), NAMES_MAX, named_equal);
	if (names->rows)
		return names;
	free(names);
	return NULL;
}

void netns_names_free(struct netns_names *names)
{
	if (!names)
		return;
	table_each(names->rows, forget, NULL);
	table_free(names->rows);
	free(names);
}

/* The row, new when there was none; NULL without memory. */
static struct named *row_of(struct netns_names *names, uint32_t inode)
{
	uint64_t hash = table_hash(inode, 0);
	struct named *row = table_find(names->rows, hash, &inode);

	if (row)
		return row;
	if (table_is_full(names->rows)) {
		void *oldest = table_oldest(names->rows);

		forget(oldest, NULL);
		table_remove(names->rows, oldest);
	}
	row = table_add(names->rows, hash);
	if (row)
		row->inode = inode;
	return row;
}

/* --- reading ----------------------------------------------------------------------------------------------
 */

static int tell(struct netns_names *names, const struct named *row)
{
	return names->tell(names->context, row->inode, row->name ? row->name : "");
}

/* The first name of several is the one. */
static int take(void *context, uint32_t inode, const char *name)
{
	struct netns_names *names = context;
	struct named *row = row_of(names, inode);

	if (!row || row->found)
		return 0;
	row->found = true;
	if (row->name && !strcmp(row->name, name))
		return 0;
	free(row->name);
	row->name = strdup(name);
	return row->since_ns ? tell(names, row) : 0;
}

/* A row that was not found has lost its name; one that nobody needs goes. */
static int settle(void *at, void *context)
{
	struct netns_names *names = context;
	struct named *row = at;
	bool lost = !row->found && row->name;

	row->found = false;
	if (!lost)
		return 0;
	free(row->name);
	row->name = NULL;
	if (row->since_ns)
		return tell(names, row);
	table_remove(names->rows, row);
	return 0;
}

static int read_names(struct netns_names *names, int64_t changed_ns, uint64_t now_ns)
{
	int result;

	if (changed_ns != names->changed_ns)
		names->settled_ns = now_ns + SETTLED_NS;
	names->changed_ns = changed_ns;
	names->read_ns = now_ns;
	result = netns_each_name(take, names);
	return result ? result : table_each(names->rows, settle, names);
}

static int check(struct netns_names *names, uint64_t now_ns)
{
	int64_t changed_ns;

	if (names->checked_ns && now_ns < names->checked_ns + CHECK_NS)
		return 0;
	names->checked_ns = now_ns;
	changed_ns = netns_names_changed_ns();
	if (changed_ns == names->changed_ns && now_ns >= names->settled_ns)
		return 0;
	return read_names(names, changed_ns, now_ns);
}

/* --- needs ------------------------------------------------------------------------------------------------
 */

int netns_names_need(struct netns_names *names, uint32_t inode, uint64_t now_ns)
{
	int result = check(names, now_ns);
	struct named *row = result ? NULL : row_of(names, inode);

	if (!row)
		return result;
	if (!row->since_ns) {
		row->since_ns = now_ns;
		if (row->name)
			return tell(names, row);
	}
	/* Mounted on a file that was there already: no directory has changed. */
	if (!row->name && names->read_ns < row->since_ns && now_ns >= names->read_ns + UNKNOWN_NS)
		return read_names(names, names->changed_ns, now_ns);
	return 0;
}

int netns_names_tick(struct netns_names *names, uint64_t now_ns)
{
	return check(names, now_ns);
}
