/* SPDX-License-Identifier: GPL-2.0-only */
#include "command/child.h"

#include "command/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child: waits until the gate is opened by a byte; a gate that only closes means that we gave up. */
_Noreturn static void wait_and_run(int gate, char **argv)
{
	sigset_t none;
	char byte;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	if (read(gate, &byte, 1) != 1)
		_exit(EXIT_INTERNAL);
	close(gate);
	execvp(argv[0], argv);
	complain("%s: %s", argv[0], strerror(errno));
	_exit(EXIT_CANNOT_RUN);
}

int child_start(struct child *child, char **argv)
{
	int gate[2];
	pid_t pid;

	if (pipe2(gate, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0) {
		int error = -errno;

		close(gate[0]);
		close(gate[1]);
		return error;
	}
	if (pid == 0) {
		close(gate[1]);
		wait_and_run(gate[0], argv);
	}
	close(gate[0]);
	*child = (struct child){.pid = pid, .gate = gate[1]};
	return 0;
}

void child_let_go(struct child *child)
{
	ssize_t n = write(child->gate, "", 1);

	(void)n; /* a child that was killed meanwhile shows in child_check() */
	close(child->gate);
	child->gate = -1;
}

void child_check(struct child *child)
{
	if (child->pid && !child->ended && waitpid(child->pid, &child->status, WNOHANG) == child->pid)
		child->ended = true;
}

int child_exit_status(const struct child *child)
{
	if (!child->ended)
		return EXIT_DONE;
	return WIFSIGNALED(child->status) ? 128 + WTERMSIG(child->status) : WEXITSTATUS(child->status);
}

bool child_abandon(struct child *child)
{
	if (!child->pid || child->gate < 0)
		return false;
	close(child->gate);
	child->gate = -1;
	waitpid(child->pid, &child->status, 0);
	child->ended = true;
	return true;
}
