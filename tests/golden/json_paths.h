/* SPDX-License-Identifier: GPL-2.0-only */
/* The dotted names of what one line of well-formed JSON has; an array counts as one value. */
#ifndef TESTS_GOLDEN_JSON_PATHS_H
#define TESTS_GOLDEN_JSON_PATHS_H

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define PATHS_MAX 64
#define PATH_SIZE 80

struct json_paths {
	char path[PATHS_MAX][PATH_SIZE];
	size_t n;
};

static const char *json_skip_string(const char *at)
{
	for (at++; *at && *at != '"'; at++)
		if (*at == '\\')
			at++;
	return at + 1;
}

/* Behind an array with all that is in it, or behind a scalar. */
static const char *json_skip_value(const char *at)
{
	int depth = 0;

	do {
		if (*at == '"') {
			at = json_skip_string(at);
			continue;
		}
		if (*at == '[' || *at == '{')
			depth++;
		if (*at == ']' || *at == '}')
			depth--;
		at++;
	} while (*at && (depth > 0 || (*at != ',' && *at != '}')));
	return at;
}

/* at stands on '{'; prefix is the dotted name of this object, with a dot, or empty. */
static const char *json_object_paths(struct json_paths *paths, const char *at, const char *prefix)
{
	for (at++; *at == '"' || *at == ',';) {
		char path[PATH_SIZE];
		const char *key;

		at += *at == ',';
		key = at + 1;
		at = json_skip_string(at);
		snprintf(path, sizeof(path), "%s%.*s", prefix, (int)(at - key - 1), key);
		at++; /* the colon */
		if (*at == '{') {
			strncat(path, ".", sizeof(path) - strlen(path) - 1);
			at = json_object_paths(paths, at, path);
			continue;
		}
		if (paths->n < PATHS_MAX)
			memcpy(paths->path[paths->n++], path, sizeof(path));
		at = json_skip_value(at);
	}
	return at + 1;
}

static struct json_paths json_paths_of(const char *line)
{
	struct json_paths paths = {.n = 0};

	json_object_paths(&paths, line, "");
	return paths;
}

#endif
