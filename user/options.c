/* SPDX-License-Identifier: GPL-2.0-only */
#include "options.h"

#include "units.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum kind { SET, SIZE, COUNT, DURATION, TEXT, OUTPUT, BACKEND, NO_COLOUR, LISTEN };

struct row {
	const char *name;
	char letter;
	const char *argument; /* NULL: none */
	unsigned commands;
	enum kind kind;
	size_t offset; /* into struct options */
	const char *help;
};

#define AT(field) offsetof(struct options, field)
#define TRACING	  (FOR_TRACE | FOR_RECORD | FOR_REPLAY)

static const struct row rows[] = {
	{"output", 'o', "FORMAT", FOR_ALL & ~(FOR_RECORD | FOR_EXPORT), OUTPUT, AT(json),
	 "text (default) or json"},
	{"json", 0, NULL, FOR_ALL & ~(FOR_RECORD | FOR_EXPORT), SET, AT(json), "the same as --output json"},
	{"count", 'c', "N", TRACING, COUNT, AT(count), "stop after N printed events"},
	{"duration", 'd', "TIME", FOR_TRACE | FOR_RECORD | FOR_EXPORT, DURATION, AT(duration_ns),
	 "stop after TIME (5s, 500ms, 2m)"},
	{"ephemeral", 0, NULL, TRACING, SET, AT(ephemeral),
	 "only ports that the kernel chooses, takes back or cannot find"},
	{"attempts", 0, NULL, FOR_TRACE | FOR_RECORD, SET, AT(attempts),
	 "show connects when they begin, too"},
	{"holders", 0, NULL, TRACING, SET, AT(holders),
	 "show when a process begins or ceases to hold a socket, too"},
	{"no-udp-send", 0, NULL, FOR_TRACE | FOR_RECORD | FOR_TOP | FOR_EXPORT, SET, AT(no_udp_send),
	 "do not look at UDP sends that are assigned a port"},
	{"strict", 0, NULL, TRACING, SET, AT(strict), "exit with status 4 when anything was lost"},
	{"save", 0, "FILE", FOR_TRACE, TEXT, AT(save), "print, and keep the raw records in FILE"},
	{"from", 0, "FILE", FOR_TRACE | FOR_LS | FOR_WHO | FOR_EPHEMERAL | FOR_TOP, TEXT, AT(from),
	 "read a recording; needs no privileges"},
	{"batch", 0, "N", FOR_TOP, COUNT, AT(batch), "print the view N times, plainly, and end"},
	{"delay", 0, "TIME", FOR_TOP, DURATION, AT(delay_ns), "time between two refreshes (default 1s)"},
	{"view", 0, "NAME", FOR_TOP, TEXT, AT(view), "ports, processes, connections, ephemeral or events"},
	{"sort", 0, "COLUMN", FOR_TOP, TEXT, AT(sort),
	 "the column of that title decides the order; -COLUMN: the other way round"},
	{"ascii", 0, NULL, FOR_TOP, SET, AT(ascii), "no other characters, whatever the locale"},
	{"listening", 0, NULL, FOR_WAIT, SET, AT(listening), "until somebody listens on it"},
	{"free", 0, NULL, FOR_WAIT, SET, AT(free), "until an ordinary bind to it would succeed"},
	{"timeout", 0, "TIME", FOR_WAIT, DURATION, AT(timeout_ns), "give up after TIME (5s, 500ms, 2m)"},
	{"watch", 0, NULL, FOR_EPHEMERAL, SET, AT(watch),
	 "again and again, every second at most, until interrupted"},
	{"observe", 0, "TIME", FOR_EPHEMERAL, DURATION, AT(observe_ns),
	 "trace for so long first: shows rates, and when ports will be used up"},
	{"reuseaddr", 0, NULL, FOR_WHY, SET, AT(reuseaddr), "with SO_REUSEADDR"},
	{"reuseport", 0, NULL, FOR_WHY, SET, AT(reuseport), "with SO_REUSEPORT"},
	{"v6only", 0, NULL, FOR_WHY, SET, AT(v6only), "with IPV6_V6ONLY: not IPv4 too"},
	{"device", 0, "NAME", FOR_WHY, TEXT, AT(device), "bound to this interface (SO_BINDTODEVICE)"},
	{"uid", 0, "USER", FOR_WHY, TEXT, AT(uid), "as this user, by name or number"},
	{"pid", 0, "PID", FOR_WHY, COUNT, AT(pid), "as this process: its user, rights and namespaces"},
	{"netns", 0, "NETNS",
	 FOR_WHY | FOR_WAIT | FOR_TRACE | FOR_RECORD | FOR_LS | FOR_WHO | FOR_TOP | FOR_EPHEMERAL, TEXT,
	 AT(netns), "only this network namespace: a pid, a name or a path"},
	{"listen", 0, "ADDRESS", FOR_EXPORT, LISTEN, AT(listen),
	 "serve metrics on ADDR:PORT or unix:PATH (default 127.0.0.1:10198); several times"},
	{"web-config", 0, "FILE", FOR_EXPORT, TEXT, AT(web_config),
	 "certificates and passwords, as Prometheus' exporters have them"},
	{"textfile", 0, "FILE", FOR_EXPORT, TEXT, AT(textfile),
	 "write the metrics to FILE, for node_exporter's textfile collector"},
	{"interval", 0, "TIME", FOR_EXPORT, DURATION, AT(interval_ns), "how often (default 15s)"},
	{"once", 0, NULL, FOR_EXPORT, SET, AT(once), "print the metrics once, and end"},
	{"no-events", 0, NULL, FOR_EXPORT, SET, AT(no_events),
	 "counters alone: costs less, answers no other portsnoop"},
	{"bpf-stats", 0, NULL, FOR_EXPORT, SET, AT(bpf_stats),
	 "have the kernel measure its BPF programs, too"},
	{"series", 0, "N", FOR_EXPORT, COUNT, AT(series), "most series of a family (default 10000)"},
	{"max-memory", 0, "BYTES", FOR_EXPORT, SIZE, AT(max_memory),
	 "allocate no more than that: what is new then goes to `other`"},
	{"labels", 0, "LIST", FOR_EXPORT, TEXT, AT(labels), "no labels but these (comma-separated)"},
	{"drop-labels", 0, "LIST", FOR_EXPORT, TEXT, AT(drop_labels), "these labels not"},
	{"ring-size", 0, "BYTES", FOR_TRACE | FOR_RECORD | FOR_TOP | FOR_EXPORT, SIZE, AT(ring_size),
	 "size of the kernel's ring buffer (default 8M)"},
	{"backend", 0, "WAY", FOR_TRACE | FOR_RECORD | FOR_TOP | FOR_EXPORT, BACKEND, AT(backend),
	 "how calls are seen: auto (default), fentry, kprobe or tracepoint"},
	{"numeric", 'n', NULL, FOR_ALL & ~(FOR_RECORD | FOR_DOCTOR | FOR_EXPORT), SET, AT(numeric),
	 "no names of users and services"},
	{"no-args", 0, NULL, FOR_ALL & ~(FOR_RECORD | FOR_DOCTOR | FOR_EXPORT), SET, AT(no_args),
	 "no command lines"},
	{"no-color", 0, NULL, FOR_ALL & ~(FOR_RECORD | FOR_EXPORT), NO_COLOUR, AT(colour),
	 "no colours (NO_COLOR does the same)"},
	{"no-instance", 0, NULL, FOR_LS | FOR_WHO | FOR_WHY | FOR_EPHEMERAL, SET, AT(no_instance),
	 "do not ask a portsnoop that runs"},
	{"sync", 0, NULL, FOR_LS | FOR_WHO | FOR_WHY | FOR_EPHEMERAL, SET, AT(sync),
	 "let the portsnoop that is asked look first"},
	{"no-pager", 0, NULL, FOR_LS | FOR_WHO | FOR_WHY | FOR_EPHEMERAL | FOR_DOCTOR, SET, AT(no_pager),
	 "no pager for what is longer than the screen"},
	{"verbose", 'v', NULL, FOR_ALL, SET, AT(verbose), "more columns, more about what is missing"},
	{"quiet", 'q', NULL, FOR_ALL & ~FOR_DOCTOR, SET, AT(quiet), "no warnings on standard error"},
	{"help", 'h', NULL, FOR_ALL, SET, AT(help), "this text"},
	{"version", 'V', NULL, FOR_ALL, SET, AT(version), "the version"},
};

#define N_ROWS	   (sizeof(rows) / sizeof(rows[0]))
#define FIRST_CODE 256 /* of getopt's values: beyond any character */

_Static_assert(N_ROWS <= 64, "ret_used has no bit for every option");

static int set_backend(struct options *options, const char *value)
{
	static const char *const names[] = {
		[BACKEND_AUTO] = "auto",
		[BACKEND_FENTRY] = "fentry",
		[BACKEND_KPROBE] = "kprobe",
		[BACKEND_TRACEPOINT] = "tracepoint",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(value, names[i]))
			continue;
		options->backend = (enum live_backend)i;
		return 0;
	}
	return -EINVAL;
}

static int set_output(struct options *options, const char *value)
{
	if (strcmp(value, "json") && strcmp(value, "text"))
		return -EINVAL;
	options->json = !strcmp(value, "json");
	return 0;
}

static int add_address(struct options *options, const char *value)
{
	if (!*value || options->n_listen == OPTIONS_LISTEN_MAX)
		return -EINVAL;
	options->listen[options->n_listen++] = value;
	return 0;
}

/* In struct options 0 means that the option was not given: mostly, without end. */
static int above_zero(int error, const uint64_t *value)
{
	return error || *value ? error : -EINVAL;
}

static int set_value(struct options *options, const struct row *row, const char *value)
{
	void *field = (char *)options + row->offset;

	switch (row->kind) {
	case SET:
		*(bool *)field = true;
		return 0;
	case NO_COLOUR:
		options->colour = COLOUR_NEVER;
		return 0;
	case SIZE:
		return above_zero(units_parse_size(value, field), field);
	case COUNT:
		return units_parse_count(value, field);
	case DURATION:
		return above_zero(units_parse_duration(value, field), field);
	case OUTPUT:
		return set_output(options, value);
	case BACKEND:
		return set_backend(options, value);
	case LISTEN:
		return add_address(options, value);
	case TEXT:
		*(const char **)field = value;
		return *value ? 0 : -EINVAL;
	}
	return -EINVAL;
}

static const char *expected(enum kind kind)
{
	switch (kind) {
	case SIZE:
		return "a size above 0 such as 64K or 8M";
	case COUNT:
		return "a whole number above 0";
	case DURATION:
		return "a duration above 0 such as 500ms, 10s or 5m";
	case OUTPUT:
		return "text or json";
	case BACKEND:
		return "auto, fentry, kprobe or tracepoint";
	case LISTEN:
		return "an address, eight times at most";
	default:
		return "a name";
	}
}

static void build_getopt(struct option *long_options, char *letters)
{
	*letters++ = ':'; /* tell a missing argument from an unknown option */
	for (size_t i = 0; i < N_ROWS; i++) {
		long_options[i] =
			(struct option){rows[i].name, rows[i].argument ? required_argument : no_argument,
					NULL, FIRST_CODE + (int)i};
		if (!rows[i].letter)
			continue;
		*letters++ = rows[i].letter;
		if (rows[i].argument)
			*letters++ = ':';
	}
	*letters = '\0';
	long_options[N_ROWS] = (struct option){NULL, 0, NULL, 0};
}

static size_t row_of(int code)
{
	if (code >= FIRST_CODE)
		return (size_t)(code - FIRST_CODE);
	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i].letter == code)
			return i;
	return N_ROWS;
}

/* Cuts argv at the first --: what follows is another program's. */
static int cut_child(int argc, char **argv, struct options *options)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--"))
			continue;
		options->child = argv + i + 1;
		argv[i] = NULL;
		return i;
	}
	return argc;
}

int options_parse(int argc, char **argv, struct options *ret_options, uint64_t *ret_used, char *message,
		  size_t message_size)
{
	struct option long_options[N_ROWS + 1];
	char letters[2 * N_ROWS + 2];
	struct options options = {0};
	uint64_t used = 0;
	int code;

	build_getopt(long_options, letters);
	argc = cut_child(argc, argv, &options);
	opterr = 0;
	while ((code = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
		size_t i = row_of(code);

		if (code == ':' || code == '?' || i == N_ROWS) {
			snprintf(message, message_size, "%s %s", argv[optind - 1],
				 code == ':' ? "needs an argument" : "is not an option of portsnoop");
			return -EINVAL;
		}
		if (set_value(&options, &rows[i], optarg)) {
			snprintf(message, message_size, "--%s %s: expected %s", rows[i].name, optarg,
				 expected(rows[i].kind));
			return -EINVAL;
		}
		used |= 1ull << i;
	}
	options.words = argv + optind;
	options.n_words = (size_t)(argc - optind);
	*ret_options = options;
	*ret_used = used;
	return 0;
}

int options_check(uint64_t used, unsigned command, const char *command_name, char *message,
		  size_t message_size)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		if (!(used >> i & 1) || rows[i].commands & command)
			continue;
		snprintf(message, message_size, "--%s is not an option of %s", rows[i].name, command_name);
		return -EINVAL;
	}
	return 0;
}

void options_print_help(unsigned command)
{
	char name[40];

	for (size_t i = 0; i < N_ROWS; i++) {
		if (!(rows[i].commands & command))
			continue;
		snprintf(name, sizeof(name), "--%s%s%s", rows[i].name, rows[i].argument ? " " : "",
			 rows[i].argument ? rows[i].argument : "");
		printf("  %c%c%c %-20s %s\n", rows[i].letter ? '-' : ' ',
		       rows[i].letter ? rows[i].letter : ' ', rows[i].letter ? ',' : ' ', name, rows[i].help);
	}
}
