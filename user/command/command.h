/* SPDX-License-Identifier: GPL-2.0-only */
/* What every command is given and gives back. */
#ifndef PORTSNOOP_COMMAND_COMMAND_H
#define PORTSNOOP_COMMAND_COMMAND_H

#include "core/filter.h"
#include "core/port_spec.h"
#include "options.h"
#include "source/fault.h"
#include "view/event.h"

enum exit_status {
	EXIT_DONE = 0,
	EXIT_NEGATIVE = 1, /* free, would fail, timed out, degraded */
	EXIT_USAGE = 2,
	EXIT_UNSUPPORTED = 3, /* missing privilege or kernel support */
	EXIT_LOST = 4,	      /* --strict and something was lost */
	EXIT_UNKNOWN = 5,
	EXIT_OUTPUT = 74,      /* the output could not take it (sysexits.h EX_IOERR) */
	EXIT_INTERNAL = 70,    /* sysexits.h EX_SOFTWARE */
	EXIT_CANNOT_RUN = 127, /* the command after -- was not found, as the shell says it */
};

/* Each returns an exit status. words: what follows the command's name. */
int command_trace(const struct options *options, char **words, size_t n_words);
int command_record(const struct options *options, char **words, size_t n_words);
int command_replay(const struct options *options, char **words, size_t n_words);
int command_who(const struct options *options, char **words, size_t n_words);
int command_why(const struct options *options, char **words, size_t n_words);
int command_wait(const struct options *options, char **words, size_t n_words);
int command_doctor(const struct options *options, char **words, size_t n_words);
int command_export(const struct options *options, char **words, size_t n_words);
int command_ephemeral(const struct options *options, char **words, size_t n_words);
int command_top(const struct options *options, char **words, size_t n_words);
int command_ls(const struct options *options, char **words, size_t n_words);

/* --- shared by commands -----------------------------------------------------------------------------------
 */

/* An error or a warning, once, to standard error, with the program's name. */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);
/* To people, when it was not just now that descriptors were looked at. Both CLOCK_BOOTTIME; 0: not known. */
void tell_holders_age(uint64_t as_of_ns, uint64_t now_ns);
/* Parses the filter, for a recording or for this machine, and --netns, which narrows it; says what is wrong
 * with it. EXIT_DONE or EXIT_USAGE. */
int parse_filter(const struct options *options, bool recording, char **words, size_t n_words,
		 struct filter **ret_filter);
/* The same of a filter in one text, silently. 0, -EINVAL with *error filled, or -ENOMEM. */
int parse_filter_text(bool recording, const char *text, struct filter **ret_filter,
		      struct filter_error *error);
/* The port that who, why and wait ask about: the first word. The same. */
int parse_port(const struct options *options, const char *command, char **words, size_t n_words,
	       struct port_spec *ret_spec);
/* The same for who would call a port free that nobody has looked at. Also EXIT_UNSUPPORTED. */
int parse_seen_port(const struct options *options, const char *command, char **words, size_t n_words,
		    struct port_spec *ret_spec);
/* What the output's error means; a reader that has gone is none. Complains. EXIT_DONE or EXIT_OUTPUT. */
int output_status(int error);
struct view_options view_options_of(const struct options *options);
/* Why a command cannot start, and where more is told of it. EXIT_UNSUPPORTED or EXIT_INTERNAL. */
int complain_of_start(const struct fault *fault);
/* Whether --ring-size is one that the kernel takes; says why not. EXIT_DONE or EXIT_USAGE. */
int check_ring_size(const struct options *options);
/* Whether all is there that nothing can be done without. 0, or a negative errno with *fault in words. */
int kernel_fault(bool (*privileges)(char *buf, size_t size), struct fault *fault);
/* The same, said at once. EXIT_DONE or EXIT_UNSUPPORTED. */
int check_kernel(bool (*privileges)(char *buf, size_t size));

#endif
