/* SPDX-License-Identifier: GPL-2.0-only */
#include "preemption.h"

#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

static bool tracepoints_preempt(void)
{
	struct utsname kernel;

	return uname(&kernel) == 0 && atoi(kernel.release) >= 7;
}

/* The last line that counts: each says what was lost until then. */
static unsigned admitted_in(FILE *file)
{
	static const char lost[] = "\"lost\":{", skipped[] = "\"skipped\":";
	unsigned count = 0;
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, file) > 0) {
		const char *at = strstr(line, lost);

		at = at ? strstr(at, skipped) : NULL;
		if (at && strstr(line, "\"summary\""))
			count = (unsigned)strtoul(at + strlen(skipped), NULL, 10);
	}
	free(line);
	return count;
}

unsigned preemption_admitted(const char *out_dir, const char *name, time_t since)
{
	unsigned count = 0;
	char pattern[1200];
	glob_t found = {0};

	snprintf(pattern, sizeof(pattern), "%s/%s.*.json", out_dir, name);
	if (!tracepoints_preempt() || glob(pattern, 0, NULL, &found))
		return 0;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		FILE *file = fopen(found.gl_pathv[i], "re");
		struct stat st;

		if (!file)
			continue;
		if (fstat(fileno(file), &st) == 0 && st.st_mtime >= since)
			count += admitted_in(file);
		fclose(file);
	}
	globfree(&found);
	return count;
}
