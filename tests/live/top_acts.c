/* SPDX-License-Identifier: GPL-2.0-only */
/* What top does to the world: files that it writes, also of a frozen view, and signals; and what it shows of
 * who has ended. */
#include "act.h"
#include "scenarios.h"
#include "top_desk.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- files ------------------------------------------------------------------------------------------------
 */

/* What w writes; to be freed. */
static char *written(const struct screen *screen, const char *name, const char *said)
{
	char path[600], *content;

	screen_key(screen, "w");
	screen_await(screen, "write to file: ");
	screen_key(screen, "C-u");
	screen_type(screen, name);
	screen_key(screen, "Enter");
	screen_await(screen, said);
	snprintf(path, sizeof(path), "%s/%s", screen->directory, name);
	content = file_read(screen->scene, path, NULL);
	unlink(path);
	return content;
}

static void check_file(const struct screen *screen, const char *name, const char *said, const char *text,
		       const char *not_text)
{
	char *content = written(screen, name, said);

	if (!strstr(content, text))
		scene_fail(screen->scene, "%s lacks %s", name, text);
	if (not_text && strstr(content, not_text))
		scene_fail(screen->scene, "%s has %s", name, not_text);
	free(content);
}

/* What came after the view was frozen is in no file of it. */
void top_writes(struct scene *scene)
{
	static const char still[] = ", as it was when it was frozen";
	struct screen screen;
	struct top_load load;

	top_load_start(&load, scene, "top-load", true);
	top_open(&screen, scene, 120, 30, "--view ports --delay 500ms");
	screen_await(&screen, "2/16");
	check_file(&screen, "view.txt", "written to view.txt", "8620", NULL);
	check_file(&screen, "view.json", "written to view.json", "{\"row\":\"port\"", NULL);
	screen_key(&screen, "Space");
	screen_await(&screen, "FROZEN at ");
	top_load_go_on(&load);
	screen_key(&screen, "Enter");
	screen_await(&screen, "2 of 16 waiting to be accepted");
	screen_key(&screen, "Escape");
	check_file(&screen, "frozen.txt", still, " 2/16 ", "8621");
	check_file(&screen, "frozen.json", still, "\"port\":8620", "\"port\":8621");
	screen_key(&screen, "Space");
	screen_await(&screen, " 8621  ");
	check_file(&screen, "on.json", "written to on.json", "\"port\":8621", NULL);
	top_leave(&screen);
	actor_kill(scene, load.pid);
}

/* --- signals ----------------------------------------------------------------------------------------------
 */

struct family {
	int named, ready, over; /* gates */
	pid_t child;
	int status; /* that it ended with */
};

static void parent(struct scene *scene, void *context)
{
	struct family *family = context;
	union address address = address_of("127.0.0.1", TOP_PORT);
	pid_t child;

	prctl(PR_SET_NAME, "top-parent");
	act_listener(scene, &address, 5);
	child = fork();
	if (!child) {
		prctl(PR_SET_NAME, "top-child");
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		gate_post(scene, family->named);
		for (;;)
			pause();
	}
	family->child = child;
	gate_wait(scene, family->named);
	gate_post(scene, family->ready);
	waitpid(child, &family->status, 0);
	gate_post(scene, family->over);
	for (;;)
		pause();
}

static struct family *family_new(struct scene *scene)
{
	struct family *family =
		mmap(NULL, sizeof(*family), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (family == MAP_FAILED)
		scene_fail(scene, "mmap");
	family->named = gate_new(scene);
	family->ready = gate_new(scene);
	family->over = gate_new(scene);
	return family;
}

/* As far as the question. */
static void choose_child(const struct screen *screen, const struct family *family, pid_t pid)
{
	char question[128], choice[64];

	snprintf(choice, sizeof(choice), "%d  top-child", family->child);
	snprintf(question, sizeof(question), "y/N: send TERM (15) to %d top-child?", family->child);
	screen_key(screen, "K");
	screen_await(screen, "2 processes hold it");
	screen_await(screen, choice);
	screen_key(screen, family->child > pid ? "Down" : "Up");
	screen_key(screen, "Enter");
	screen_await(screen, "signal: TERM");
	screen_key(screen, "Enter");
	screen_await(screen, question);
}

/* Of two that hold the port the second one gets it, and is shown for a while after its end. */
void top_chooses(struct scene *scene)
{
	struct family *family = family_new(scene);
	struct screen screen;
	pid_t pid = actor_start(scene, parent, family);

	gate_wait(scene, family->ready);
	top_open(&screen, scene, 120, 30, "--view ports --delay 500ms");
	screen_await(&screen, " +1 ");
	screen_key(&screen, "c");
	screen_await(&screen, "has ended stays");
	choose_child(&screen, family, pid);
	screen_key(&screen, "2"); /* that is not yes */
	screen_await(&screen, "no signal was sent");
	choose_child(&screen, family, pid);
	screen_key(&screen, "y");
	screen_key(&screen, "2");
	screen_await(&screen, "top-child (ended)");
	gate_wait(scene, family->over);
	if (!WIFSIGNALED(family->status) || WTERMSIG(family->status) != SIGTERM)
		scene_fail(scene, "the child ended with 0x%x", family->status);
	screen_await_none(&screen, "top-child (ended)");
	screen_await(&screen, "top-parent");
	top_leave(&screen);
	actor_kill(scene, pid);
}
