/* SPDX-License-Identifier: GPL-2.0-only */
#include "command/top_settings.h"

#include "io/whole_file.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES 256
#define SETTINGS_MODE  0600

/* The home of somebody else (sudo without -H) is none to leave files in. */
static bool directory(char *path, size_t size)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	struct stat stat_of;
	int length;

	if (state && *state == '/')
		length = snprintf(path, size, "%s/portsnoop", state);
	else if (home && *home == '/' && !stat(home, &stat_of) && stat_of.st_uid == geteuid())
		length = snprintf(path, size, "%s/.local/state/portsnoop", home);
	else
		return false;
	return length > 0 && (size_t)length < size;
}

static bool file(char *path, size_t size, const char *name)
{
	char folder[PATH_MAX];
	int length;

	if (!directory(folder, sizeof(folder)))
		return false;
	length = snprintf(path, size, "%s/%s", folder, name);
	return length > 0 && (size_t)length < size;
}

/* --- reading ----------------------------------------------------------------------------------------------
 */

/* "sort.ports -AGE" */
static void take_sort(struct top_state *state, const char *view_name, const char *title)
{
	bool reverse = *title == '-';
	enum top_view view;
	int column;

	if (top_view_find(view_name, &view))
		return;
	column = top_column_find(view, title + reverse);
	if (column < 0)
		return;
	state->places[view].sort = (unsigned)column;
	state->places[view].reverse = reverse;
}

static void take_line(struct top_state *state, char *line)
{
	char *value = strchr(line, ' ');
	uint64_t delay_ns;

	if (!value)
		return;
	*value++ = '\0';
	value[strcspn(value, "\n")] = '\0';
	if (!strcmp(line, "view"))
		top_view_find(value, &state->view);
	else if (!strncmp(line, "sort.", 5))
		take_sort(state, line + 5, value);
	else if (!strcmp(line, "numeric"))
		state->numeric = *value == '1';
	else if (!strcmp(line, "closed"))
		state->closed = *value == '1';
	else if (!strcmp(line, "tree"))
		state->tree = *value == '1';
	else if (!strcmp(line, "follow"))
		state->follow = *value == '1';
	else if (!strcmp(line, "delay_ns") && sscanf(value, "%" SCNu64, &delay_ns) == 1 &&
		 delay_ns >= TOP_DELAY_LEAST_NS && delay_ns <= TOP_DELAY_MOST_NS)
		state->delay_ns = delay_ns;
}

void top_settings_load(struct top_state *state)
{
	char path[PATH_MAX], line[LINE_MAX_BYTES];
	FILE *in = file(path, sizeof(path), "top") ? fopen(path, "re") : NULL;

	if (!in)
		return;
	while (fgets(line, sizeof(line), in))
		take_line(state, line);
	fclose(in);
}

/* --- writing ----------------------------------------------------------------------------------------------
 */

static void write_all(FILE *out, const struct top_state *state)
{
	fprintf(out, "view %s\nnumeric %d\nclosed %d\ntree %d\nfollow %d\ndelay_ns %" PRIu64 "\n",
		top_view_name(state->view), state->numeric, state->closed, state->tree, state->follow,
		state->delay_ns);
	for (unsigned i = 0; i < TOP_VIEWS; i++) {
		const struct top_place *place = &state->places[i];
		size_t n;
		const struct top_column *columns = top_columns((enum top_view)i, &n);

		if (place->sort < n && columns[place->sort].compare)
			fprintf(out, "sort.%s %s%s\n", top_view_name((enum top_view)i),
				place->reverse ? "-" : "", columns[place->sort].title);
	}
}

/* Its parents too, as far as they are missing. */
static bool make_directory(void)
{
	char path[PATH_MAX];

	if (!directory(path, sizeof(path)))
		return false;
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700); /* most are there; what cannot be made shows below */
		*slash = '/';
	}
	return !mkdir(path, 0700) || errno == EEXIST;
}

/* What is not kept is no error: the next `top` looks as the first did. */
void top_settings_save(const struct top_state *state)
{
	char path[PATH_MAX], *text = NULL;
	struct whole_file *settings;
	size_t length = 0;
	FILE *out;

	if (!make_directory() || !file(path, sizeof(path), "top") ||
	    whole_file_new(path, SETTINGS_MODE, &settings))
		return;
	out = open_memstream(&text, &length);
	if (out) {
		write_all(out, state);
		if (!fclose(out))
			whole_file_write(settings, text, length);
	}
	free(text);
	whole_file_free(settings);
}
