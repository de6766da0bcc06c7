/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any bytes as the words of a filter, a NUL between them. What parses is asked about a few records and must
 * be the opposite of its negation; what does not must say why in text that can be shown as it is.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/records.h"
#include "core/model.h"
#include "core/subject.h"
#include "valid_utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct words {
	char **words;
	size_t n;
	bool valid_utf8;
};

static int know_user(void *context, const char *name, uint32_t *ret_uid)
{
	if (strcmp(name, "www-data"))
		return -ENOENT;
	*ret_uid = 1000;
	return 0;
}

static int know_service(void *context, const char *name, uint16_t *ret_port)
{
	if (strcmp(name, "http"))
		return -ENOENT;
	*ret_port = 80;
	return 0;
}

static int know_field(void *context, const char *name)
{
	return strcmp(name, "network.peer.port") && strcmp(name, "error.type") ? -ENOENT : 0;
}

static const struct filter_resolver resolver = {
	.user = know_user, .service = know_service, .field = know_field};

/* Whether text is UTF-8; control characters in it count only when they are not wanted. */
static bool is_good_text(const char *text, bool with_controls)
{
	const uint8_t *at = (const uint8_t *)text, *end = at + strlen(text);

	while (at < end) {
		uint32_t code;
		size_t taken = valid_utf8(at, (size_t)(end - at), &code);

		if (!taken || (!with_controls && (code < ' ' || (code >= 0x7f && code < 0xa0))))
			return false;
		at += taken;
	}
	return true;
}

static char *copy_of(const char *text, size_t length)
{
	char *copy = strndup(text, length);

	if (!copy)
		abort();
	return copy;
}

/* Each word in memory of its own, between "not", "(" and ")", which only the negation takes. */
static struct words words_of(const char *data, size_t size)
{
	struct words all = {.valid_utf8 = true};
	size_t n = 1;

	for (size_t i = 0; i < size; i++)
		n += !data[i];
	all.words = calloc(n + 3, sizeof(*all.words));
	if (!all.words)
		abort();
	all.words[0] = copy_of("not", 3);
	all.words[1] = copy_of("(", 1);
	for (const char *end = data + size; all.n < n; all.n++) {
		size_t length = strnlen(data, (size_t)(end - data));
		char *word = copy_of(data, length);

		all.words[2 + all.n] = word;
		all.valid_utf8 = all.valid_utf8 && is_good_text(word, true);
		data += length + 1;
	}
	all.words[2 + n] = copy_of(")", 1);
	return all;
}

static void words_free(struct words *all)
{
	for (size_t i = 0; i < all->n + 3; i++)
		free(all->words[i]);
	free(all->words);
}

static void check_error(const struct words *all, const struct filter_error *error)
{
	char shown[FILTER_ERROR_SIZE];
	size_t length;

	assert(memchr(error->text, '\0', sizeof(error->text)));
	assert(memchr(error->message, '\0', sizeof(error->message)));
	assert(error->message[0] && error->column <= strlen(error->text));
	assert(!strpbrk(error->text, "\n\r\x1b") && !strpbrk(error->message, "\n\r\x1b"));
	if (all->valid_utf8)
		assert(is_good_text(error->text, false) && is_good_text(error->message, false));
	length = (size_t)filter_error_format(error, shown, sizeof(shown));
	assert(length < sizeof(shown) && strlen(shown) == length && shown[length - 1] == '^');
}

/* NULL when it does not parse, or when there is nothing in it. */
static struct filter *parse(const struct words *all, size_t first, size_t n, struct filter_error *error)
{
	struct filter *untouched = (struct filter *)error, *filter = untouched;
	int r;

	memset(error, 0xff, sizeof(*error));
	r = filter_parse(all->words + first, n, &resolver, &filter, error);
	if (!r) {
		assert(filter != untouched);
		error->message[0] = '\0';
		return filter;
	}
	assert(r == -EINVAL && filter == untouched);
	check_error(all, error);
	return NULL;
}

/* A record of any kind of fact, with and without somebody who acts. */
static void fact_of(enum rec_kind kind, union any_record *record)
{
	make_fact(record, kind, kind % 2 ? 7 : 0, 11, 80);
	record->fact.socket.local_addr[0] = 10;
	if (kind == REC_BIND) {
		record->bind.error = EADDRINUSE;
	} else if (kind != REC_LISTEN) {
		record->fact.socket.state = TCP_ESTABLISHED;
		record->fact.socket.peer_addr[0] = 127;
		record->fact.socket.peer_port = 40000;
	}
}

static void match(struct model *model, enum rec_kind kind, const struct filter *filter,
		  const struct filter *opposite)
{
	union any_record bytes;
	struct record record;
	struct change change;
	struct subject_storage storage;
	const struct filter_subject *subject;
	bool matches;

	fact_of(kind, &bytes);
	if (record_decode(&bytes, bytes.header.size, &record) || model_apply(model, &record, &change))
		abort();
	subject = subject_of_change(model, &change, &storage);
	matches = filter_match(filter, subject);
	assert(!opposite || filter_match(opposite, subject) == !matches);
}

static void match_all(const struct filter *filter, const struct filter *opposite)
{
	struct model *model = model_new(&(struct model_limits){.sockets = 4, .processes = 4});

	if (!model)
		abort();
	for (enum rec_kind kind = REC_BIND; kind <= REC_OVERFLOW; kind++)
		match(model, kind, filter, opposite);
	model_free(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct words all = words_of((const char *)data, size);
	struct filter_error error;
	struct filter *filter = parse(&all, 2, all.n, &error), *opposite;

	if (filter) {
		opposite = parse(&all, 0, all.n + 3, &error);
		/* Nothing but one of the limits stands in the way of three more words. */
		assert(opposite || strstr(error.message, "at most"));
		match_all(filter, opposite);
		filter_free(opposite);
		filter_free(filter);
	}
	words_free(&all);
	return 0;
}
