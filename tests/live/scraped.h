/* SPDX-License-Identifier: GPL-2.0-only */
/* `export` as a process that writes a text file, and what stands there. */
#ifndef LIVE_SCRAPED_H
#define LIVE_SCRAPED_H

#include "tool.h"

struct scraped {
	struct scene *scene;
	struct tool_result result;
	pid_t pid;
	char path[600];
	char *text; /* the file, as it was read last */
	unsigned long long inode;
};

/* Runs `export --textfile` with these arguments (NULL ends them) and waits for the first file. */
void scraped_start(struct scraped *scraped, struct scene *scene, ...) __attribute__((sentinel));
/* Reads a file that was begun after this call. */
void scraped_read(struct scraped *scraped);
/* Of the last file: the sum of all samples of this name whose labels have all of these, as they are written
 * (`netns="1"`); NULL ends them. */
double scraped_sum(const struct scraped *scraped, const char *name, ...) __attribute__((sentinel));
/* How many there are. */
unsigned scraped_count(const struct scraped *scraped, const char *name, ...) __attribute__((sentinel));
/* Whether the export is still there, and its resident memory. */
double scraped_resident(const struct scraped *scraped);
void scraped_end(struct scraped *scraped);

#endif
