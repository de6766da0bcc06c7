/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of commands; nothing else. */
#include "command/command.h"
#include "screen/terminal.h"
#include "source/attach.h"
#include "system/lookup.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct command {
	const char *name;
	int (*run)(const struct options *options, char **words, size_t n_words);
	unsigned bit; /* in the options' table */
	const char *usage;
	const char *help;
};

static const struct command commands[] = {
	{"top", command_top, FOR_TOP, "top [FILTER...]",
	 "live tables on the whole screen (the default on a terminal)"},
	{"trace", command_trace, FOR_TRACE, "trace [FILTER...] [-- COMMAND...]",
	 "events as they happen, one line each (the default otherwise)"},
	{"ls", command_ls, FOR_LS, "ls [ports|processes|connections] [FILTER...]", "what is held now"},
	{"who", command_who, FOR_WHO, "who PORT [FILTER...]", "everything on a local port, and who holds it"},
	{"why", command_why, FOR_WHY, "why PORT", "would a bind to it succeed now, and who is in the way"},
	{"wait", command_wait, FOR_WAIT, "wait PORT --listening|--free [--timeout T]",
	 "until somebody listens on it, or it is free"},
	{"ephemeral", command_ephemeral, FOR_EPHEMERAL, "ephemeral",
	 "how the ports that the kernel assigns are used, by whom and towards where"},
	{"export", command_export, FOR_EXPORT, "export [--listen ADDRESS] [FILTER...]",
	 "metrics for Prometheus, for as long as it runs"},
	{"doctor", command_doctor, FOR_DOCTOR, "doctor",
	 "what this machine allows, and a test of every hook"},
	{"record", command_record, FOR_RECORD, "record FILE [FILTER...]", "keep the raw records"},
	{"replay", command_replay, FOR_REPLAY, "replay FILE [FILTER...]", "trace a recording"},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

/* On a terminal top, unless something is asked for that it does not do. */
static const struct command *default_command(const struct options *options, uint64_t used)
{
	char message[256];

	if (terminal_is_there() && !options->child && !options->json &&
	    !options_check(used, FOR_TOP, "top", message, sizeof(message)))
		return find_command("top");
	return find_command("trace");
}

static void print_help_of(const struct command *command)
{
	printf("Usage: portsnoop %s\n%c%s.\n\n", command->usage, toupper(command->help[0]),
	       command->help + 1);
	options_print_help(command->bit);
}

static void print_commands(void)
{
	printf("Usage: portsnoop [OPTION...] COMMAND [FILTER...]\n"
	       "Who has this port? Live, from the kernel.\n\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		printf("  %-46s %s\n", commands[i].usage, commands[i].help);
	printf("\n  portsnoop COMMAND --help lists the options of a command.\n");
}

/* Printed before anything else is: only now does it show whether the output took it. */
static int printed(void)
{
	return output_status(fflush(stdout) || ferror(stdout) ? -errno : 0);
}

static int print_help(const struct command *command)
{
	if (command)
		print_help_of(command);
	else
		print_commands();
	if (!command || strstr(command->usage, "FILTER"))
		printf("\nA filter: port 8080, lport 30000-60999, addr 10.0.0.0/8, pid 1234, comm nginx, "
		       "user "
		       "www-data,\n"
		       "proto tcp, event bind,listen, failed, errno EADDRINUSE, with and, or, not and "
		       "parentheses.\n");
	printf("\nSee portsnoop(1).\n");
	return printed();
}

static int print_version(void)
{
	const char *limits = lookup_limits();

	printf("portsnoop %s%s%s%s\n", PORTSNOOP_VERSION, limits ? " (" : "", limits ? limits : "",
	       limits ? ")" : "");
	return printed();
}

/* What stands where a command could, and is none; a number is no filter either. */
static bool is_meant_as_port(const char *word)
{
	return strspn(word, "0123456789") == strlen(word);
}

/* Without a command's name, all words are a filter. Of a single one that is none, more was expected. */
static int run_by_default(const struct command *command, const struct options *options)
{
	const char *word = options->n_words ? options->words[0] : "";
	int status;

	if (*word && is_meant_as_port(word)) {
		complain("%s is neither a command nor a filter. Try portsnoop who %s, or portsnoop port %s",
			 word, word, word);
		return EXIT_USAGE;
	}
	status = command->run(options, options->words, options->n_words);
	if (status == EXIT_USAGE && options->n_words == 1 && !strchr(word, ' '))
		complain("nor is it a command; portsnoop --help lists them");
	return status;
}

/* Whoever started us may have closed them; what we open must not take their place. */
static void fill_standard_descriptors(void)
{
	int fd;

	/* Open for the wrong direction, so that using it fails as using a closed one would. */
	do
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	const struct command *command = NULL;
	struct options options;
	char message[256];
	uint64_t used;
	bool named;

	fill_standard_descriptors();
	setlocale(LC_TIME, "");
	signal(SIGPIPE, SIG_IGN); /* a reader that has gone shows as an error of write(2), */
	signal(SIGXFSZ, SIG_IGN); /* and so does a limit for files */
	if (options_parse(argc, argv, &options, &used, message, sizeof(message))) {
		complain("%s. Try portsnoop --help.", message);
		return EXIT_USAGE;
	}
	if (!options.verbose) /* what libraries have to say is told in our own words */
		attach_be_quiet();
	if (options.n_words)
		command = find_command(options.words[0]);
	if (options.version)
		return print_version();
	if (options.help)
		return print_help(command);
	if (!command && options.n_words && !strcmp(options.words[0], "help"))
		return print_help(options.n_words > 1 ? find_command(options.words[1]) : NULL);
	named = command;
	if (!named)
		command = default_command(&options, used);
	if (options_check(used, command->bit, command->name, message, sizeof(message))) {
		complain("%s. Try portsnoop %s --help.", message, command->name);
		return EXIT_USAGE;
	}
	return named ? command->run(&options, options.words + 1, options.n_words - 1)
		     : run_by_default(command, &options);
}
