/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages from the loop to the clients: freshness, formats, status codes, and clients that behave badly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http_fixture.h"
#include "io/http_clients.h"

#include <errno.h>
#include <zlib.h>

static int setup(void **state)
{
	static struct http_fixture f;

	http_begin(&f, NULL);
	http_server_ready(f.server);
	*state = &f;
	return 0;
}

static int setup_unready(void **state)
{
	static struct http_fixture f;

	http_begin(&f, NULL);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	http_end(*state);
	return 0;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

/* --- places -----------------------------------------------------------------------------------------------
 */

static void places(void **state)
{
	struct http_fixture *f = *state;

	assert_int_equal(http_get(f, "GET", "/", ""), 200);
	assert_true(http_has(f, "Content-Type: text/html; charset=utf-8\r\n"));
	assert_non_null(strstr(http_body(f), "href=\"/metrics\""));
	assert_int_equal(http_get(f, "GET", "/healthz", ""), 200);
	assert_string_equal(http_body(f), "ok\n");
	assert_int_equal(http_get(f, "GET", "/readyz", ""), 200);
	assert_int_equal(http_get(f, "GET", "/readyz?verbose", ""), 200);
	assert_int_equal(http_get(f, "GET", "/metric", ""), 404);
	assert_int_equal(http_get(f, "GET", "//metrics", ""), 404);
	assert_int_equal(http_get(f, "DELETE", "/metrics", ""), 405);
	assert_true(http_has(f, "Allow: GET, HEAD\r\n"));
	assert_int_equal(http_get(f, "POST", "/nowhere", ""), 404);
}

static void not_before_the_tables_are_there(void **state)
{
	struct http_fixture *f = *state;

	assert_int_equal(http_get(f, "GET", "/readyz", ""), 503);
	assert_int_equal(http_get(f, "GET", "/metrics", ""), 503);
	assert_true(http_has(f, "Retry-After: "));
	assert_int_equal(http_get(f, "GET", "/healthz", ""), 200);
	http_server_ready(f->server);
	assert_int_equal(http_get(f, "GET", "/readyz", ""), 200);
}

static void head_has_no_body(void **state)
{
	struct http_fixture *f = *state;
	int fd = http_dial(f);
	char rest;

	http_send(fd, "HEAD /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	f->length = 0;
	for (ssize_t n = 1; n > 0; f->length += n > 0 ? (size_t)n : 0) {
		wait_for(fd);
		n = recv(fd, f->answer + f->length, ANSWER_BYTES - f->length, 0);
	}
	f->answer[f->length] = '\0';
	assert_non_null(strstr(f->answer, "Content-Length: 3\r\n"));
	assert_string_equal(http_body(f), "");
	assert_int_equal(recv(fd, &rest, 1, 0), 0);
	close(fd);
}

/* --- pages ------------------------------------------------------------------------------------------------
 */

static void page_is_made_after_the_question(void **state)
{
	struct http_fixture *f = *state;
	int fd = http_dial(f);
	char text[32];

	for (int i = 0; i < 5; i++) {
		int length = snprintf(text, sizeof(text), "page %d\n", i);

		http_send(fd, GET("/metrics"));
		assert_int_equal(http_render(f, text, (size_t)length), 1u << HTTP_TEXT);
		assert_int_equal(http_take(f, fd), 200);
		assert_string_equal(http_body(f), text);
		assert_true(http_has(f, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
	}
	close(fd);
}

/* Whoever asks while a page is being made did so after it began. */
static void page_that_was_begun_before_is_not_taken(void **state)
{
	struct http_fixture *f = *state;
	int first = http_dial(f), second = http_dial(f);

	http_send(first, GET("/metrics"));
	wait_for(http_server_fd(f->server));
	assert_int_equal(http_server_wanted(f->server), 1u << HTTP_TEXT);
	http_send(second, GET("/metrics"));
	/* The thread has seen the second one's question when it has answered what came after it. */
	assert_int_equal(http_get(f, "GET", "/healthz", ""), 200);
	http_server_publish(f->server, HTTP_TEXT, strdup("early\n"), 6);
	assert_int_equal(http_take(f, first), 200);
	assert_string_equal(http_body(f), "early\n");
	assert_int_equal(http_render(f, "late\n", 5), 1u << HTTP_TEXT);
	assert_int_equal(http_take(f, second), 200);
	assert_string_equal(http_body(f), "late\n");
	close(first);
	close(second);
}

static void one_page_for_all_who_wait(void **state)
{
	struct http_fixture *f = *state;
	int fds[20];

	for (size_t i = 0; i < 20; i++) {
		fds[i] = http_dial(f);
		http_send(fds[i], GET("/metrics"));
	}
	assert_int_equal(http_get(f, "GET", "/healthz", ""), 200);
	assert_int_equal(http_render(f, "x\n", 2), 1u << HTTP_TEXT);
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(http_take(f, fds[i]), 200);
	assert_int_equal(http_server_wanted(f->server), 0);
	for (size_t i = 0; i < 20; i++)
		close(fds[i]);
}

static void formats_are_rendered_as_asked(void **state)
{
	struct http_fixture *f = *state;
	int text = http_dial(f), open = http_dial(f);
	unsigned wanted = 0;

	http_send(open, "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: application/openmetrics-text\r\n\r\n");
	http_send(text, GET("/metrics"));
	while (wanted != (1u << HTTP_TEXT | 1u << HTTP_OPENMETRICS))
		wanted |= http_render(f, "x\n", 2);
	assert_int_equal(http_take(f, open), 200);
	assert_true(http_has(f, "openmetrics-text; version=1.0.0"));
	assert_int_equal(http_take(f, text), 200);
	assert_true(http_has(f, "text/plain; version=0.0.4"));
	assert_int_equal(http_get(f, "GET", "/metrics", "Accept: text/plain;q=0\r\n"), 406);
	close(text);
	close(open);
}

static void compressed_when_asked_for(void **state)
{
	struct http_fixture *f = *state;
	enum { LENGTH = 200000 };
	char *page = malloc(LENGTH), *plain = malloc(LENGTH);
	int fd = http_dial(f);
	z_stream stream = {0};

	assert_true(page && plain);
	for (size_t i = 0; i < LENGTH; i++)
		page[i] = "portsnoop_listeners{}\n"[i % 22];
	http_send(fd, "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n");
	http_render(f, page, LENGTH);
	assert_int_equal(http_take(f, fd), 200);
	assert_true(http_has(f, "Content-Encoding: gzip\r\n"));
	assert_true(f->length < LENGTH / 10);
	stream.next_in = (void *)http_body(f);
	stream.avail_in = (uInt)body_length(f->answer);
	stream.next_out = (void *)plain;
	stream.avail_out = LENGTH;
	assert_int_equal(inflateInit2(&stream, 31), Z_OK);
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
	assert_int_equal(stream.total_out, LENGTH);
	assert_memory_equal(plain, page, LENGTH);
	inflateEnd(&stream);
	free(page);
	free(plain);
	close(fd);
}

/* Pages that are read slowly stay as they were, however many come after them. */
static void pages_do_not_change_under_a_slow_reader(void **state)
{
	struct http_fixture *f = *state;
	enum { LENGTH = 3 << 20 };
	char *page = malloc(LENGTH);
	int slow = http_dial(f), quick = http_dial(f);

	assert_non_null(page);
	memset(page, 'a', LENGTH);
	http_send(slow, GET("/metrics"));
	http_render(f, page, LENGTH);
	wait_for(slow);
	for (int i = 0; i < 3; i++) {
		http_send(quick, GET("/metrics"));
		http_render(f, "b\n", 2);
		assert_int_equal(http_take(f, quick), 200);
		assert_string_equal(http_body(f), "b\n");
	}
	assert_int_equal(http_take(f, slow), 200);
	assert_int_equal(strspn(http_body(f), "a"), LENGTH);
	free(page);
	close(slow);
	close(quick);
}

/* --- clients that behave badly ----------------------------------------------------------------------------
 */

static void requests_that_are_none(void **state)
{
	struct http_fixture *f = *state;
	size_t length = 100000;
	char *text = malloc(length + 64);
	int fd = http_dial(f), status;

	assert_non_null(text);
	http_send(fd, "\x16\x03\x01\x02\r\n\r\n");
	status = http_take(f, fd);
	assert_true(status == 0 || status == 400);
	close(fd);

	fd = http_dial(f);
	strcpy(text, "GET /");
	memset(text + 5, 'a', length - 5);
	strcpy(text + length, " HTTP/1.1\r\nHost: x\r\n\r\n");
	send(fd, text, strlen(text), MSG_NOSIGNAL);
	assert_int_equal(http_take(f, fd), 414);
	close(fd);
	assert_int_equal(http_get(f, "GET", "/metrics", "Content-Length: 5\r\n"), 413);
	assert_int_equal(http_get(f, "GET", "/metrics", "Transfer-Encoding: chunked\r\n"), 413);
	assert_int_equal(http_get(f, "POST", "/metrics", "Content-Length: 99999999999\r\n"), 413);
	free(text);
}

static void ten_thousand_headers(void **state)
{
	struct http_fixture *f = *state;
	int fd = http_dial(f);

	http_send(fd, "GET /metrics HTTP/1.1\r\nHost: x\r\n");
	for (int i = 0; i < 10000; i++) {
		char line[32];
		int length = snprintf(line, sizeof(line), "X-%d: y\r\n", i);

		if (send(fd, line, (size_t)length, MSG_NOSIGNAL) < 0)
			break;
	}
	assert_int_equal(http_take(f, fd), 431);
	close(fd);
}

/* Idle ones lose their places; who asks is answered. */
static void a_thousand_connections(void **state)
{
	struct http_fixture *f = *state;
	int fds[1000], ended = 0;

	for (size_t i = 0; i < 1000; i++) {
		fds[i] = http_dial(f);
		if (i % 2)
			http_send(fds[i], "GET /met");
	}
	assert_int_equal(http_get(f, "GET", "/healthz", ""), 200);
	for (size_t i = 0; i < 1000; i++) {
		char byte;

		ended += recv(fds[i], &byte, 1, MSG_DONTWAIT) >= 0 || errno == ECONNRESET;
		close(fds[i]);
	}
	assert_true(ended >= 1000 - HTTP_CLIENTS_SLOTS - 1);
	assert_int_equal(http_get(f, "GET", "/healthz", ""), 200);
}

/* Nobody is sent away who waits for a page: then there is no more room. Those who have not come to wait yet
 * lose their places to who comes, so it takes some more than there is room for. */
static void too_many_who_wait(void **state)
{
	struct http_fixture *f = *state;
	int fds[2 * HTTP_CLIENTS_MAX];
	size_t n = 0;

	/* Also of a server that has not come to read them: who has asked keeps his place. */
	while (http_get(f, "GET", "/healthz", "") != 503) {
		assert_true(n < 2 * HTTP_CLIENTS_MAX);
		fds[n] = http_dial(f);
		http_send(fds[n++], GET("/metrics"));
	}
	assert_string_equal(http_body(f), "too many clients\n");
	while (n > 0)
		close(fds[--n]);
}

static void clients_that_leave(void **state)
{
	struct http_fixture *f = *state;

	for (int i = 0; i < 200; i++) {
		int fd = http_dial(f);

		http_send(fd, i % 2 ? GET("/metrics") : "GET /metrics HT");
		close(fd);
	}
	http_render(f, "x\n", 2);
	assert_int_equal(http_get(f, "GET", "/healthz", ""), 200);
}

static void pages_that_fail_are_asked_for_again(void **state)
{
	struct http_fixture *f = *state;
	int fd = http_dial(f);

	http_send(fd, GET("/metrics"));
	wait_for(http_server_fd(f->server));
	assert_int_equal(http_server_wanted(f->server), 1u << HTTP_TEXT);
	http_server_publish(f->server, HTTP_TEXT, NULL, 0);
	http_render(f, "x\n", 2);
	assert_int_equal(http_take(f, fd), 200);
	assert_string_equal(http_body(f), "x\n");
	close(fd);
}

/* --- ends -------------------------------------------------------------------------------------------------
 */

static void closed_while_clients_wait(void **state)
{
	struct http_fixture f;
	int waits, idle;

	http_begin(&f, NULL);
	http_server_ready(f.server);
	waits = http_dial(&f);
	idle = http_dial(&f);
	http_send(waits, GET("/metrics"));
	wait_for(http_server_fd(f.server));
	http_server_close(f.server);
	assert_int_equal(http_take(&f, waits), 0);
	assert_int_equal(http_take(&f, idle), 0);
	close(waits);
	close(idle);
	free(f.answer);
}

static void too_many_addresses(void **state)
{
	struct http_server *server = (void *)1;
	int fds[HTTP_ADDRESSES_MAX + 1];
	char message[64];

	for (size_t i = 0; i <= HTTP_ADDRESSES_MAX; i++)
		fds[i] = http_listen("127.0.0.1:0", message, sizeof(message));
	assert_int_equal(http_server_open(fds, HTTP_ADDRESSES_MAX + 1, NULL, NULL, &server), -E2BIG);
	assert_ptr_equal(server, (void *)1);
}

#define CASE(name)	   cmocka_unit_test_setup_teardown(name, setup, teardown)
#define CASE_UNREADY(name) cmocka_unit_test_setup_teardown(name, setup_unready, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(places),
		CASE_UNREADY(not_before_the_tables_are_there),
		CASE(head_has_no_body),
		CASE(page_is_made_after_the_question),
		CASE(page_that_was_begun_before_is_not_taken),
		CASE(one_page_for_all_who_wait),
		CASE(formats_are_rendered_as_asked),
		CASE(compressed_when_asked_for),
		CASE(pages_do_not_change_under_a_slow_reader),
		CASE(requests_that_are_none),
		CASE(ten_thousand_headers),
		CASE(a_thousand_connections),
		CASE(too_many_who_wait),
		CASE(clients_that_leave),
		CASE(pages_that_fail_are_asked_for_again),
		cmocka_unit_test(closed_while_clients_wait),
		cmocka_unit_test(too_many_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
