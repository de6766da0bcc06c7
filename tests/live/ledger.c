/* SPDX-License-Identifier: GPL-2.0-only */
#include "ledger.h"

#include "truth.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN_DIFFERENCES 12
#define ROW_TEXT	  1024
/* What is said of an event that nobody expected. */
#define DEFAULT_KEYS "proto pid tid cookie local peer error by reason listener"

struct row {
	enum event_kind kind;
	uint64_t cookie;
	size_t order;
	char *text;
};

struct rows {
	struct row *rows;
	size_t count, room;
};

struct ledger {
	struct scene *scene;
	struct rows expected, seen;
	event_keys keys[EVENT_KIND_COUNT];
	bool ignored[EVENT_KIND_COUNT];
	unsigned differences;
};

static void add(struct ledger *ledger, struct rows *rows, struct row row)
{
	if (rows->count == rows->room) {
		rows->room = rows->room ? 2 * rows->room : 1024;
		rows->rows = realloc(rows->rows, rows->room * sizeof(*rows->rows));
		if (!rows->rows)
			scene_fail(ledger->scene, "out of memory");
	}
	row.order = rows->count;
	rows->rows[rows->count++] = row;
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->cookie != y->cookie)
		return x->cookie < y->cookie ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* --- the truth --------------------------------------------------------------------------------------------
 */

/* The next `key=value` behind *position; false at the end of the line. */
static bool next_field(const char **position, const char **ret_key, size_t *ret_key_length,
		       const char **ret_value, size_t *ret_value_length)
{
	const char *at = *position + strspn(*position, " ");
	size_t key_length = strcspn(at, "= \n");

	if (at[key_length] != '=')
		return false;
	*ret_key = at;
	*ret_key_length = key_length;
	*ret_value = at + key_length + 1;
	*ret_value_length = strcspn(*ret_value, " \n");
	*position = *ret_value + *ret_value_length;
	return true;
}

static void read_expected_line(struct ledger *ledger, const char *text)
{
	const char *position = text + strcspn(text, " "), *key, *value;
	size_t key_length, value_length;
	struct row row = {.kind = event_kind_of(text, strcspn(text, " ")), .text = (char *)text};

	while (next_field(&position, &key, &key_length, &value, &value_length)) {
		event_keys bit = event_key(key, key_length);

		if (!bit)
			scene_fail(ledger->scene, "the truth has an unknown key: %s", text);
		ledger->keys[row.kind] |= bit;
		if (key_length == 6 && !memcmp(key, "cookie", 6))
			row.cookie = strtoull(value, NULL, 10);
	}
	if (ledger->ignored[row.kind])
		free(row.text);
	else
		add(ledger, &ledger->expected, row);
}

static void read_expected(struct ledger *ledger)
{
	size_t position = 0, length;
	const char *line;

	while ((line = truth_next(ledger->scene->truth, &position, &length))) {
		char *copy = strndup(line, length - 1);

		if (!copy)
			scene_fail(ledger->scene, "out of memory");
		read_expected_line(ledger, copy);
	}
}

static void ignore_nobodys(struct ledger *ledger)
{
	static const enum event_kind nobodys[] = {EVENT_REFUSE, EVENT_OVERFLOW, EVENT_CONFLICTS};

	for (size_t i = 0; i < sizeof(nobodys) / sizeof(nobodys[0]); i++)
		ledger->ignored[nobodys[i]] |= !ledger->keys[nobodys[i]];
}

static void read_ignored(struct ledger *ledger, const char *ignore)
{
	while (ignore && *ignore) {
		size_t length = strcspn(ignore, " ");

		ledger->ignored[event_kind_of(ignore, length)] = true;
		ignore += length + strspn(ignore + length, " ");
	}
}

static void default_keys(struct ledger *ledger)
{
	event_keys keys = 0;
	const char *name = DEFAULT_KEYS;

	while (*name) {
		size_t length = strcspn(name, " ");

		keys |= event_key(name, length);
		name += length + (name[length] == ' ');
	}
	for (unsigned kind = 0; kind < EVENT_KIND_COUNT; kind++)
		if (!ledger->keys[kind])
			ledger->keys[kind] = keys;
}

/* --- the tool's side --------------------------------------------------------------------------------------
 */

static bool is_mark(const json_t *event)
{
	return !strncmp(event_string(event, "network.local.address"), "127.77.", 7);
}

static void read_seen_line(struct scene *scene, const json_t *event, void *context)
{
	struct ledger *ledger = context;
	const char *name = event_string(event, "event_name");
	struct row row = {.kind = event_kind_of(name, strlen(name))};
	char text[ROW_TEXT];

	if (ledger->ignored[row.kind] || event_number(event, "portsnoop.netns") != scene->netns ||
	    is_mark(event))
		return;
	row.cookie = event_number(event, "portsnoop.cookie");
	event_render(event, ledger->keys[row.kind], text, sizeof(text));
	row.text = strdup(text);
	if (!row.text)
		scene_fail(scene, "out of memory");
	add(ledger, &ledger->seen, row);
}

/* Looks for the key in the tool's text. */
static bool has_field(const char *text, const char *key, size_t key_length, const char *value,
		      size_t value_length)
{
	const char *position = text + strcspn(text, " "), *its_key, *its_value;
	size_t its_key_length, its_length;

	while (next_field(&position, &its_key, &its_key_length, &its_value, &its_length))
		if (its_key_length == key_length && !memcmp(its_key, key, key_length))
			return its_length == value_length && !memcmp(its_value, value, value_length);
	return false;
}

static const char *value_of(const char *text, const char *wanted, size_t *ret_length)
{
	const char *position = text + strcspn(text, " "), *key, *value;
	size_t key_length;

	while (next_field(&position, &key, &key_length, &value, ret_length))
		if (key_length == strlen(wanted) && !memcmp(key, wanted, key_length))
			return value;
	return NULL;
}

/*
 * A socket that no process of ours ever had, such as a connection that nobody accepted, is known by its ends:
 * its truth has `cookie=*` and both of them.
 */
static void find_cookies(struct ledger *ledger)
{
	for (size_t i = 0; i < ledger->expected.count; i++) {
		struct row *row = &ledger->expected.rows[i];
		const char *cookie, *local, *peer;
		size_t cookie_length, local_length, peer_length;

		cookie = value_of(row->text, "cookie", &cookie_length);
		if (!cookie || *cookie != '*')
			continue;
		local = value_of(row->text, "local", &local_length);
		peer = value_of(row->text, "peer", &peer_length);
		for (size_t j = 0; local && peer && j < ledger->seen.count; j++) {
			const struct row *seen = &ledger->seen.rows[j];

			if (seen->kind == row->kind &&
			    has_field(seen->text, "local", 5, local, local_length) &&
			    has_field(seen->text, "peer", 4, peer, peer_length))
				row->cookie = seen->cookie;
		}
	}
}

/* --- comparing --------------------------------------------------------------------------------------------
 */

static void differ(struct ledger *ledger, const char *what, const struct row *expected,
		   const struct row *seen)
{
	if (++ledger->differences > SHOWN_DIFFERENCES)
		return;
	scene_note(ledger->scene, "%s", what);
	if (expected)
		scene_note(ledger->scene, "  truth: %s", expected->text);
	if (seen)
		scene_note(ledger->scene, "  tool:  %s", seen->text);
}

static void compare_pair(struct ledger *ledger, const struct row *expected, const struct row *seen)
{
	const char *position = expected->text + strcspn(expected->text, " "), *key, *value;
	size_t key_length, value_length;
	char what[64];

	while (next_field(&position, &key, &key_length, &value, &value_length)) {
		if (value_length == 1 && *value == '*')
			continue;
		if (has_field(seen->text, key, key_length, value, value_length))
			continue;
		/* It may also be unknown, but nothing else. */
		if (value[value_length - 1] == '?' &&
		    (has_field(seen->text, key, key_length, value, value_length - 1) ||
		     has_field(seen->text, key, key_length, "-", 1)))
			continue;
		snprintf(what, sizeof(what), "another %.*s:", (int)key_length, key);
		differ(ledger, what, expected, seen);
		return;
	}
}

static void compare(struct ledger *ledger)
{
	size_t i = 0, j = 0;

	while (i < ledger->expected.count || j < ledger->seen.count) {
		struct row *expected = i < ledger->expected.count ? &ledger->expected.rows[i] : NULL;
		struct row *seen = j < ledger->seen.count ? &ledger->seen.rows[j] : NULL;
		int order = !expected			       ? 1
			    : !seen			       ? -1
			    : expected->kind != seen->kind     ? (int)expected->kind - (int)seen->kind
			    : expected->cookie != seen->cookie ? (expected->cookie < seen->cookie ? -1 : 1)
							       : 0;

		if (order < 0)
			differ(ledger, "missing:", expected, NULL);
		else if (order > 0)
			differ(ledger, "one too many:", NULL, seen);
		else
			compare_pair(ledger, expected, seen);
		i += order <= 0;
		j += order >= 0;
	}
}

static void rows_free(struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		free(rows->rows[i].text);
	free(rows->rows);
}

unsigned ledger_compare(struct scene *scene, const char *path, const char *ignore)
{
	struct ledger ledger = {.scene = scene};
	unsigned differences;

	read_ignored(&ledger, ignore);
	read_expected(&ledger);
	ignore_nobodys(&ledger);
	default_keys(&ledger);
	tool_each_line(scene, path, read_seen_line, &ledger);
	find_cookies(&ledger);
	if (ledger.expected.count)
		qsort(ledger.expected.rows, ledger.expected.count, sizeof(struct row), compare_rows);
	if (ledger.seen.count)
		qsort(ledger.seen.rows, ledger.seen.count, sizeof(struct row), compare_rows);
	compare(&ledger);
	differences = ledger.differences;
	rows_free(&ledger.expected);
	rows_free(&ledger.seen);
	return differences;
}

void ledger_check_file(struct scene *scene, const char *path, const char *ignore)
{
	unsigned differences = ledger_compare(scene, path, ignore);

	if (differences)
		scene_fail(scene, "%u differences between the truth and %s", differences, path);
}

void ledger_check(const struct tool *tool, const char *ignore)
{
	ledger_check_file(tool->scene, tool->out_path, ignore);
}
