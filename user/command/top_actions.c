/* SPDX-License-Identifier: GPL-2.0-only */
#include "command/top_actions.h"

#include "system/proc.h"
#include "view/top_print.h"
#include "view/top_signal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- files ------------------------------------------------------------------------------------------------
 */

static bool is_json(const char *path)
{
	size_t length = strlen(path);

	return length > 5 && !strcmp(path + length - 5, ".json");
}

/* As it is shown: of a frozen view what stands still. */
static int print(struct top_tables *tables, const struct top_state *state, uint64_t now_ns, FILE *out)
{
	const struct top_page page = top_tables_page(tables, state);
	const struct top_place *place = &state->places[state->view];
	struct top_source source;
	int error;

	if (is_json(state->edit.text)) {
		error = top_tables_shown(tables, state, now_ns, &source);
		return error ? error : top_print_json(out, state->view, &source);
	}
	return top_print_text(out, &tables->head, &tables->table, &page, place->sort, place->reverse);
}

/* A new file, never somebody else's: this may be root's terminal. */
void top_write(struct top_tables *tables, struct top_state *state, uint64_t now_ns)
{
	const char *path = state->edit.text;
	int error = 0, fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");

	if (!out) {
		top_state_say(state, true, "%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	error = print(tables, state, now_ns, out);
	if (fclose(out) && !error)
		error = -errno;
	if (error)
		top_state_say(state, true, "%s: %s", path, strerror(-error));
	else
		top_state_say(state, false, "written to %s%s", path,
			      tables->frozen ? ", as it was when it was frozen" : "");
}

/* --- signals ----------------------------------------------------------------------------------------------
 */

/* By its directory in /proc, which stays that process's: its number may be another's by now. */
void top_signal(struct top_state *state)
{
	const struct top_victim *victim = &state->victim;
	char name[4 * REC_COMM_LEN + 1];
	struct text text = text_in(name, sizeof(name));
	char signal[32];
	struct text signal_text = text_in(signal, sizeof(signal));
	int directory = proc_open(victim->pid, victim->start_ns), error = 0;

	text_name(&text, victim->comm, strnlen(victim->comm, sizeof(victim->comm)));
	top_put_signal(&signal_text, victim->signal);
	if (directory < 0) {
		top_state_say(state, true, "%s(%u) has ended", name, victim->pid);
		return;
	}
	if (syscall(SYS_pidfd_send_signal, directory, victim->signal, NULL, 0))
		error = errno;
	close(directory);
	if (error)
		top_state_say(state, true, "%s(%u): %s", name, victim->pid, strerror(error));
	else
		top_state_say(state, false, "%s was sent to %s(%u)", signal, name, victim->pid);
}
