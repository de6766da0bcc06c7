/* SPDX-License-Identifier: GPL-2.0-only */
/* --netns: the one network namespace that a command is about. */
#ifndef PORTSNOOP_COMMAND_NETNS_CHOICE_H
#define PORTSNOOP_COMMAND_NETNS_CHOICE_H

#include "options.h"

#include <stdint.h>

struct netns_choice {
	int fd;		/* to be closed; -1: all of them */
	uint32_t inode; /* 0: all of them */
};

/* Why what an option names cannot be opened: a negative errno. EXIT_USAGE, or EXIT_UNSUPPORTED: not
 * permitted. */
int netns_choice_complain(const char *option, const char *word, const char *kind, int error);

/* Complains. EXIT_DONE, EXIT_USAGE: there is no such, or it cannot be asked for, or EXIT_UNSUPPORTED. */
int netns_choice_open(const struct options *options, struct netns_choice *ret_choice);
/* Whether it can be entered, for who has to look at its tables of ports. Complains. EXIT_DONE or
 * EXIT_UNSUPPORTED. */
int netns_choice_check(const struct options *options, const struct netns_choice *choice);
/* As netns_choice_open(), for who only needs to know which. */
int netns_choice_read(const struct options *options, uint32_t *ret_inode);

#endif
