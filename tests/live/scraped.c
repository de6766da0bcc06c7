/* SPDX-License-Identifier: GPL-2.0-only */
#include "scraped.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MATCHERS_MAX 8

/* --- the process ------------------------------------------------------------------------------------------
 */

/* Waits until another file than the last one is there. */
static void await_next(struct scraped *scraped)
{
	struct scene *scene = scraped->scene;
	uint64_t deadline_ns = scene_clock_ns() + scene->patience_s * 1000000000ull;
	struct stat stat_buf;

	while (stat(scraped->path, &stat_buf) || stat_buf.st_ino == scraped->inode) {
		char *complaint;

		if (waitpid(scraped->pid, NULL, WNOHANG) == scraped->pid) {
			complaint = file_read(scene, scraped->result.err_path, NULL);
			scene_fail(scene, "export has ended: %s", complaint);
		}
		if (scene_clock_ns() > deadline_ns)
			scene_fail(scene, "export writes no more");
		usleep(5000);
	}
	scraped->inode = stat_buf.st_ino;
}

void scraped_start(struct scraped *scraped, struct scene *scene, ...)
{
	const char *more[4] = {NULL};
	va_list rest;

	*scraped = (struct scraped){.scene = scene};
	va_start(rest, scene);
	for (int i = 0; i < 4 && (more[i] = va_arg(rest, const char *)); i++)
		;
	va_end(rest);
	snprintf(scraped->path, sizeof(scraped->path), "%s/%s.prom", scene->out_dir, scene->name);
	unlink(scraped->path);
	scraped->pid =
		tool_launch(scene, &scraped->result, "export", "--textfile", scraped->path, "--interval",
			    "50ms", "--backend", scene->backend, more[0], more[1], more[2], more[3], NULL);
	await_next(scraped);
}

/* The file that is there was begun before, and the next one may have been. An inode may be used again at
 * once, but not by the next file: the one before it is still there then. */
void scraped_read(struct scraped *scraped)
{
	struct stat stat_buf;

	if (stat(scraped->path, &stat_buf) == 0)
		scraped->inode = stat_buf.st_ino;
	await_next(scraped);
	await_next(scraped);
	free(scraped->text);
	scraped->text = file_read(scraped->scene, scraped->path, NULL);
}

void scraped_end(struct scraped *scraped)
{
	scene_must(scraped->scene, kill(scraped->pid, SIGTERM), "kill");
	tool_reap(scraped->scene, &scraped->result, scraped->pid);
	if (scraped->result.status)
		scene_fail(scraped->scene, "exit code %d: %s", scraped->result.status, scraped->result.err);
	tool_result_free(&scraped->result);
	free(scraped->text);
}

/* --- samples ----------------------------------------------------------------------------------------------
 */

struct asked {
	const char *name;
	const char *labels[MATCHERS_MAX];
};

static void take_labels(struct asked *asked, va_list rest)
{
	for (int i = 0; i < MATCHERS_MAX && (asked->labels[i] = va_arg(rest, const char *)); i++)
		;
}

static bool is_asked(const struct asked *asked, const char *line, size_t length)
{
	size_t name = strlen(asked->name);
	const char *end = line + length;

	if (strncmp(line, asked->name, name) || (line[name] != '{' && line[name] != ' '))
		return false;
	for (int i = 0; i < MATCHERS_MAX && asked->labels[i]; i++) {
		const char *at = strstr(line, asked->labels[i]);

		if (!at || at >= end || (at[-1] != '{' && at[-1] != ','))
			return false;
	}
	return true;
}

static unsigned add_up(const struct scraped *scraped, const char *name, va_list labels, double *ret_sum)
{
	struct asked asked = {.name = name};
	unsigned count = 0;

	take_labels(&asked, labels);
	*ret_sum = 0;
	for (const char *line = scraped->text; *line;) {
		size_t length = strcspn(line, "\n");

		if (is_asked(&asked, line, length)) {
			const char *value = line + length;

			while (value[-1] != ' ')
				value--;
			*ret_sum += strtod(value, NULL);
			count++;
		}
		line += length + (line[length] == '\n');
	}
	return count;
}

double scraped_sum(const struct scraped *scraped, const char *name, ...)
{
	va_list labels;
	double sum;

	va_start(labels, name);
	add_up(scraped, name, labels, &sum);
	va_end(labels);
	return sum;
}

unsigned scraped_count(const struct scraped *scraped, const char *name, ...)
{
	unsigned count;
	va_list labels;
	double sum;

	va_start(labels, name);
	count = add_up(scraped, name, labels, &sum);
	va_end(labels);
	return count;
}

double scraped_resident(const struct scraped *scraped)
{
	return scraped_sum(scraped, "process_resident_memory_bytes", NULL);
}
