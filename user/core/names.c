/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/names.h"

#include "core/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct name {
	uint64_t key;
	uint32_t type;
	char *text;
};

struct names {
	struct table *rows;
};

static bool name_equal(const void *row, const void *key)
{
	const struct name *name = row, *wanted = key;

	return name->key == wanted->key && name->type == wanted->type;
}

static int name_forget(void *row, void *context)
{
	free(((struct name *)row)->text);
	return 0;
}

struct names *names_new(size_t max_names)
{
	struct names *names = calloc(1, sizeof(*names));

	if (!names)
		return NULL;
	names->rows = table_new(sizeof(struct name), max_names, name_equal);
	if (!names->rows) {
		free(names);
		return NULL;
	}
	return names;
}

void names_free(struct names *names)
{
	if (!names)
		return;
	table_each(names->rows, name_forget, NULL);
	table_free(names->rows);
	free(names);
}

static struct name *name_row(const struct names *names, enum meta_type type, uint64_t key)
{
	struct name wanted = {.key = key, .type = type};

	return table_find(names->rows, table_hash(key, type), &wanted);
}

int names_put(struct names *names, enum meta_type type, uint64_t key, const char *text)
{
	struct name *name = name_row(names, type, key);
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	if (!name && table_is_full(names->rows)) {
		void *oldest = table_oldest(names->rows);

		name_forget(oldest, NULL);
		table_remove(names->rows, oldest);
	}
	if (!name)
		name = table_add(names->rows, table_hash(key, type));
	if (!name) {
		free(copy);
		return -ENOMEM;
	}
	free(name->text);
	*name = (struct name){.key = key, .type = type, .text = copy};
	table_touch(names->rows, name);
	return 0;
}

const char *names_get(const struct names *names, enum meta_type type, uint64_t key)
{
	struct name *name = name_row(names, type, key);

	if (!name)
		return NULL;
	table_touch(names->rows, name);
	return name->text;
}

struct search {
	const char *text;
	enum meta_type type;
	uint64_t key;
};

static int name_matches(void *row, void *context)
{
	const struct name *name = row;
	struct search *search = context;

	if (name->type != search->type || strcmp(name->text, search->text))
		return 0;
	search->key = name->key;
	return 1;
}

int names_find(const struct names *names, enum meta_type type, const char *text, uint64_t *ret_key)
{
	struct search search = {.text = text, .type = type};

	if (!table_each(names->rows, name_matches, &search))
		return -ENOENT;
	*ret_key = search.key;
	return 0;
}

struct each {
	int (*callback)(void *context, enum meta_type type, uint64_t key, const char *text);
	void *context;
};

static int each_name(void *row, void *context)
{
	const struct each *each = context;
	const struct name *name = row;

	return each->callback(each->context, (enum meta_type)name->type, name->key, name->text);
}

int names_each(const struct names *names,
	       int (*callback)(void *context, enum meta_type type, uint64_t key, const char *text),
	       void *context)
{
	struct each each = {callback, context};

	return table_each(names->rows, each_name, &each);
}
