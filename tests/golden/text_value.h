/* SPDX-License-Identifier: GPL-2.0-only */
/* Words and values of a golden case. What is not understood ends the program with a message. */
#ifndef TESTS_GOLDEN_TEXT_VALUE_H
#define TESTS_GOLDEN_TEXT_VALUE_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/errno_name.h"
#include "core/record.h"

#define WORDS_MAX 40

struct words {
	char *word[WORDS_MAX];
	size_t n;
};

static _Noreturn void __attribute__((format(printf, 1, 2))) give_up(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(2);
}

static void split_words(char *line, struct words *words)
{
	words->n = 0;
	for (char *word = strtok(line, " \t\n"); word; word = strtok(NULL, " \t\n")) {
		if (words->n == WORDS_MAX)
			give_up("more than %d words", WORDS_MAX);
		words->word[words->n++] = word;
	}
}

/* In place. Returns the length, since there may be NULs in it. */
static size_t unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (*from != '\\') {
			*to++ = *from;
			continue;
		}
		switch (*++from) {
		case 's':
			*to++ = ' ';
			break;
		case '0':
			*to++ = '\0';
			break;
		case 'n':
			*to++ = '\n';
			break;
		case 'x':
			*to++ = (char)strtoul((char[]){from[1], from[2], 0}, NULL, 16);
			from += 2;
			break;
		default:
			*to++ = *from;
		}
	}
	*to = '\0';
	return (size_t)(to - text);
}

/* --- values -----------------------------------------------------------------------------------------------
 */

static uint64_t parse_number(const char *value)
{
	char *end;
	uint64_t number = strtoull(value, &end, 0);

	if (*end || end == value)
		give_up("'%s' is no number", value);
	return number;
}

/* 1.5s, 20ms, 300us, 7ns */
static uint64_t parse_duration(const char *value)
{
	char *unit;
	double number = strtod(value, &unit);

	if (!strcmp(unit, "s"))
		return (uint64_t)(number * 1e9 + 0.5);
	if (!strcmp(unit, "ms"))
		return (uint64_t)(number * 1e6 + 0.5);
	if (!strcmp(unit, "us"))
		return (uint64_t)(number * 1e3 + 0.5);
	if (strcmp(unit, "ns"))
		give_up("'%s' is no duration", value);
	return (uint64_t)number;
}

static int parse_error(const char *value)
{
	int number = !strcmp(value, "aborted") ? CONNECT_ABORTED : errno_from_name(value);

	return number ? number : (int)parse_number(value);
}

/* The index of value in names, which ends with NULL. */
static uint64_t parse_name(const char *value, const char *const names[])
{
	for (size_t i = 0; names[i]; i++)
		if (!strcmp(names[i], value))
			return i;
	give_up("'%s' is none of the names", value);
}

static uint8_t parse_options(char *value)
{
	static const char *const names[] = {"reuseaddr",   "reuseport", "freebind",
					    "transparent", "v6only",	NULL};
	uint8_t set = 0;
	char *rest;

	for (char *name = strtok_r(value, ",", &rest); name; name = strtok_r(NULL, ",", &rest))
		set |= (uint8_t)(1u << parse_name(name, names));
	return set;
}

/* ADDRESS:PORT or [ADDRESS]:PORT; the family of the address becomes the socket's. */
static uint16_t parse_endpoint(struct rec_socket *socket, uint8_t addr[16], char *value)
{
	char *colon = strrchr(value, ':'), *address = value;

	if (!colon)
		give_up("'%s' has no port", value);
	*colon = '\0';
	if (*address == '[') {
		address++;
		colon[-1] = '\0';
		socket->family = AF_INET6;
	} else {
		socket->family = AF_INET;
	}
	if (inet_pton(socket->family, address, addr) != 1)
		give_up("'%s' is no address", address);
	return (uint16_t)parse_number(colon + 1);
}

static const char *const source_names[] = {"event", "snapshot", "resync", "poll", NULL};
static const char *const probe_names[] = {"none",   "tracepoint", "cgroup", "fentry",
					  "kprobe", "iterator",	  "proc",   NULL};
static const char *const state_names[] = {
	"none",	 "established", "syn_sent", "syn_recv", "fin_wait1", "fin_wait2",    "time_wait",
	"close", "close_wait",	"last_ack", "listen",	"closing",   "new_syn_recv", NULL};
static const char *const reason_names[] = {"unknown", "local", "peer", "reset", "timeout", NULL};
static const char *const direction_names[] = {"unknown", "in", "out", NULL};
static const char *const scope_names[] = {"host", "container", NULL};

#endif
