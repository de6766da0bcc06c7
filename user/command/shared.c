/* SPDX-License-Identifier: GPL-2.0-only */
/* What commands have in common: complaining, filters, how to show, what the machine must have. */
#include "command/command.h"
#include "command/netns_choice.h"
#include "core/subject_field.h"
#include "io/write_all.h"
#include "system/lookup.h"
#include "system/netns.h"
#include "system/notify.h"
#include "view/event.h"
#include "view/text_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PRIORITY_WARNING "<4>" /* sd-daemon(3) */

void complain(const char *format, ...)
{
	va_list arguments;

	fputs(notify_is_journal() ? PRIORITY_WARNING "portsnoop: " : "portsnoop: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

#define NEW_NS 2000000000

void tell_holders_age(uint64_t as_of_ns, uint64_t now_ns)
{
	char buf[32];
	struct text age = text_in(buf, sizeof(buf));

	if (!as_of_ns || now_ns - as_of_ns <= NEW_NS)
		return;
	text_duration(&age, now_ns - as_of_ns);
	complain("descriptors passed on, or closed by one of several, are as of %s ago; --sync looks first",
		 buf);
}

static int resolve_user(void *context, const char *name, uint32_t *ret_uid)
{
	return lookup_user_id(name, ret_uid);
}

static int resolve_service(void *context, const char *name, uint16_t *ret_port)
{
	return lookup_service_port(name, ret_port);
}

static int field_exists(void *context, const char *name)
{
	return subject_field_exists(name) ? 0 : -ENOENT;
}

static int netns_exists(void *context, const char *name)
{
	return netns_find_name(name);
}

static const struct filter_resolver resolver = {
	.user = resolve_user, .service = resolve_service, .field = field_exists, .netns = netns_exists};
/* Namespaces of a recording are those of another time or machine. */
static const struct filter_resolver resolver_of_recording = {
	.user = resolve_user, .service = resolve_service, .field = field_exists};

static int parse_words(bool recording, char **words, size_t n_words, struct filter **ret_filter)
{
	const struct filter_resolver *names = recording ? &resolver_of_recording : &resolver;
	struct filter_error error;
	char text[1024];

	if (filter_parse(words, n_words, names, ret_filter, &error) == 0)
		return EXIT_DONE;
	filter_error_format(&error, text, sizeof(text));
	complain("%s", text);
	return EXIT_USAGE;
}

/* netns INODE ( WORDS ): what the words lack has been said before, at its place in what was written. */
static int narrow(uint32_t netns, char **words, size_t n_words, struct filter **filter)
{
	char **all = calloc(n_words + 4, sizeof(*all));
	char key[] = "netns", inode[16], opening[] = "(", closing[] = ")";
	size_t n = 0;
	int status;

	if (!all) {
		complain("out of memory");
		return EXIT_INTERNAL;
	}
	snprintf(inode, sizeof(inode), "%" PRIu32, netns);
	all[n++] = key;
	all[n++] = inode;
	if (n_words) {
		all[n++] = opening;
		memcpy(all + n, words, n_words * sizeof(*words));
		n += n_words;
		all[n++] = closing;
	}
	filter_free(*filter);
	*filter = NULL;
	status = parse_words(false, all, n, filter);
	free(all);
	return status;
}

int parse_filter(const struct options *options, bool recording, char **words, size_t n_words,
		 struct filter **ret_filter)
{
	struct filter *filter = NULL;
	uint32_t netns = 0;
	int status = parse_words(recording, words, n_words, &filter);

	if (!status)
		status = netns_choice_read(options, &netns);
	if (!status && netns)
		status = narrow(netns, words, n_words, &filter);
	if (status)
		filter_free(filter);
	else
		*ret_filter = filter;
	return status;
}

int parse_filter_text(bool recording, const char *text, struct filter **ret_filter,
		      struct filter_error *error)
{
	char *words[] = {(char *)text};

	return filter_parse(words, 1, recording ? &resolver_of_recording : &resolver, ret_filter, error);
}

int parse_port(const struct options *options, const char *command, char **words, size_t n_words,
	       struct port_spec *ret_spec)
{
	struct filter_error error;
	char text[FILTER_ERROR_SIZE];

	if (options->child) {
		complain("%s: nothing is expected after --", command);
		return EXIT_USAGE;
	}
	if (!n_words) {
		complain("%s: which port? Such as 8080, 127.0.0.1:80, [::1]:53/udp or a service name",
			 command);
		return EXIT_USAGE;
	}
	if (port_spec_parse(words[0], &resolver, ret_spec, &error)) {
		filter_error_format(&error, text, sizeof(text));
		complain("%s", text);
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

int parse_seen_port(const struct options *options, const char *command, char **words, size_t n_words,
		    struct port_spec *ret_spec)
{
	int status = parse_port(options, command, words, n_words, ret_spec);

	if (status || ret_spec->protocol != IPPROTO_SCTP)
		return status;
	complain("%s: sockets of SCTP are not seen: whether its ports are in use cannot be told", command);
	return EXIT_UNSUPPORTED;
}

int output_status(int error)
{
	/* A stream keeps no reason; errno is of its last write. */
	if (error == -EIO)
		error = -errno;
	if (!error || error == -EPIPE)
		return EXIT_DONE;
	complain("the output cannot be written: %s", write_all_error(error));
	return EXIT_OUTPUT;
}

static int utc_offset_s(void)
{
	time_t now = time(NULL);
	struct tm local;

	return localtime_r(&now, &local) ? (int)local.tm_gmtoff : 0;
}

struct view_options view_options_of(const struct options *options)
{
	return (struct view_options){
		.colour = options->colour == COLOUR_AUTO && !getenv("NO_COLOR") && isatty(STDOUT_FILENO),
		.numeric = options->numeric,
		.no_args = options->no_args,
		.verbose = options->verbose,
		.utc_offset_s = utc_offset_s(),
	};
}

int complain_of_start(const struct fault *fault)
{
	complain("%s%s", fault->text, fault->unsupported ? "; portsnoop doctor tells more" : "");
	return fault->unsupported ? EXIT_UNSUPPORTED : EXIT_INTERNAL;
}

int kernel_fault(bool (*privileges)(char *buf, size_t size), struct fault *fault)
{
	char missing[128];

	fault->unsupported = true;
	if (!privileges(missing, sizeof(missing)))
		return fault_set(fault, -EPERM,
				 "not permitted: missing %s. Run it as root (sudo portsnoop ...)", missing);
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return fault_set(fault, -ENOENT,
				 "this kernel has no type information (/sys/kernel/btf/vmlinux): it was "
				 "built without CONFIG_DEBUG_INFO_BTF. Kernels of Debian, Ubuntu and Fedora "
				 "since 5.10 have it");
	return 0;
}

int check_kernel(bool (*privileges)(char *buf, size_t size))
{
	struct fault fault = {0};

	return kernel_fault(privileges, &fault) ? complain_of_start(&fault) : EXIT_DONE;
}

#define RING_MOST (1u << 30)

int check_ring_size(const struct options *options)
{
	uint64_t size = options->ring_size, page = (uint64_t)sysconf(_SC_PAGESIZE);

	if (!size || (size >= page && size <= RING_MOST && !(size & (size - 1))))
		return EXIT_DONE;
	complain("--ring-size %llu: expected a power of two from %lluK to 1G", (unsigned long long)size,
		 (unsigned long long)page >> 10);
	return EXIT_USAGE;
}
