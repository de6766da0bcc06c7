/* SPDX-License-Identifier: GPL-2.0-only */
#include "command/netns_choice.h"

#include "command/command.h"
#include "system/netns.h"
#include "system/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A process's: these ask for what ptrace(2) does. Other files and names are a matter of their directories. */
static bool is_of_process(const char *word)
{
	return !word[strspn(word, "0123456789")] || !strncmp(word, "/proc/", strlen("/proc/"));
}

int netns_choice_complain(const char *option, const char *word, const char *kind, int error)
{
	bool refused = error == -EACCES || error == -EPERM;

	if (error == -ENOENT || error == -ESRCH)
		complain("%s %s: there is no such %s", option, word, kind);
	else if (refused && is_of_process(word))
		complain(
			"%s %s: not permitted: it takes CAP_SYS_PTRACE, which root has outside of containers",
			option, word);
	else
		complain("%s %s: %s", option, word, strerror(-error));
	return refused ? EXIT_UNSUPPORTED : EXIT_USAGE;
}

int netns_choice_open(const struct options *options, struct netns_choice *ret_choice)
{
	struct netns_choice choice = {.fd = -1};
	struct stat st;

	*ret_choice = choice;
	if (!options->netns || !strcmp(options->netns, "all"))
		return EXIT_DONE;
	if (options->from) {
		complain("--netns %s: of a recording, the filter 'netns NAME-or-INODE' picks one",
			 options->netns);
		return EXIT_USAGE;
	}
	choice.fd = netns_open(options->netns);
	if (choice.fd >= 0 && fstat(choice.fd, &st)) {
		int error = -errno;

		close(choice.fd);
		choice.fd = error;
	}
	if (choice.fd < 0)
		return netns_choice_complain("--netns", options->netns, "network namespace", choice.fd);
	choice.inode = (uint32_t)st.st_ino;
	*ret_choice = choice;
	return EXIT_DONE;
}

int netns_choice_check(const struct options *options, const struct netns_choice *choice)
{
	int home_fd, error = 0;

	if (!choice->inode || choice->inode == proc_netns())
		return EXIT_DONE;
	home_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home_fd < 0 || setns(choice->fd, CLONE_NEWNET) || setns(home_fd, CLONE_NEWNET))
		error = errno;
	if (home_fd >= 0)
		close(home_fd);
	if (!error)
		return EXIT_DONE;
	complain("--netns %s: it cannot be entered: %s; it takes CAP_SYS_ADMIN", options->netns,
		 strerror(error));
	return EXIT_UNSUPPORTED;
}

int netns_choice_read(const struct options *options, uint32_t *ret_inode)
{
	struct netns_choice choice;
	int status = netns_choice_open(options, &choice);

	if (choice.fd >= 0)
		close(choice.fd);
	*ret_inode = choice.inode;
	return status;
}
