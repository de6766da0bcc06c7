/* SPDX-License-Identifier: GPL-2.0-only */
/* What a request is answered, and with which status. Runs on the server's thread. */
#include "io/http_inside.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <strings.h>

#define BEAT_MAX_NS   30000000000 /* the loop has not been seen for so long: it hangs */
#define SMALL_BYTES   1024	  /* not worth compressing */
#define PLAIN_TEXT    "text/plain; charset=utf-8"
#define LATER_SECONDS "5"

struct request {
	struct http_server *server;
	struct http_client *client;
	struct MHD_Connection *connection;
	const char *url, *method;
};

/* --- answers ----------------------------------------------------------------------------------------------
 */

static void add(struct MHD_Response *response, const char *name, const char *value)
{
	MHD_add_response_header(response, name, value);
}

static enum MHD_Result send_response(const struct request *request, unsigned status,
				     struct MHD_Response *response)
{
	enum MHD_Result result;

	if (!response)
		return MHD_NO; /* no memory: the connection is closed */
	add(response, MHD_HTTP_HEADER_X_CONTENT_TYPE_OPTIONS, "nosniff");
	add(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	http_client_enter(request->client, HTTP_TAKING, http_now_ns());
	result = MHD_queue_response(request->connection, status, response);
	MHD_destroy_response(response); /* it is counted */
	return result;
}

/* Of a constant, with a header more if it has a name. */
static enum MHD_Result say(const struct request *request, unsigned status, const char *text,
			   const char *header, const char *value)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);

	if (response)
		add(response, MHD_HTTP_HEADER_CONTENT_TYPE, PLAIN_TEXT);
	if (response && header)
		add(response, header, value);
	return send_response(request, status, response);
}

static enum MHD_Result busy(const struct request *request, const char *text)
{
	return say(request, MHD_HTTP_SERVICE_UNAVAILABLE, text, MHD_HTTP_HEADER_RETRY_AFTER, LATER_SECONDS);
}

/* --- who asks ---------------------------------------------------------------------------------------------
 */

static bool shows_certificate(const struct request *request)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	unsigned faults;

	return info && info->tls_session &&
	       gnutls_certificate_verify_peers2(info->tls_session, &faults) == GNUTLS_E_SUCCESS && !faults;
}

static enum web_verdict check_password(const struct request *request)
{
	char *password = NULL, *name;
	enum web_verdict verdict;

	if (!request->server->users)
		return WEB_ALLOWED;
	name = MHD_basic_auth_get_username_password(request->connection, &password);
	verdict = web_users_check(request->server->users, name, password, http_now_ns());
	if (password)
		explicit_bzero(password, strlen(password));
	MHD_free(name);
	MHD_free(password);
	return verdict;
}

/* MHD_NO: may go on. MHD_YES: was answered. */
static enum MHD_Result refuse_stranger(const struct request *request)
{
	const struct web_config *config = request->server->config;

	if (config && config->client_required && !shows_certificate(request))
		return say(request, MHD_HTTP_FORBIDDEN, "a client certificate is required\n", NULL, NULL);
	switch (check_password(request)) {
	case WEB_ALLOWED:
		return MHD_NO;
	case WEB_LATER:
		return say(request, MHD_HTTP_TOO_MANY_REQUESTS, "too many wrong passwords\n",
			   MHD_HTTP_HEADER_RETRY_AFTER, LATER_SECONDS);
	default:
		return say(request, MHD_HTTP_UNAUTHORIZED, "who are you?\n", MHD_HTTP_HEADER_WWW_AUTHENTICATE,
			   "Basic realm=\"portsnoop\"");
	}
}

/* --- pages ------------------------------------------------------------------------------------------------
 */

static enum MHD_Result read_header(void *context, enum MHD_ValueKind kind, const char *name,
				   const char *value)
{
	struct http_wish *wish = context;

	if (value && !strcasecmp(name, MHD_HTTP_HEADER_ACCEPT))
		http_accept(wish, value);
	else if (value && !strcasecmp(name, MHD_HTTP_HEADER_ACCEPT_ENCODING))
		http_accept_encoding(wish, value);
	return MHD_YES;
}

static void drop_page(void *page)
{
	http_page_drop(page);
}

static enum MHD_Result send_page(const struct request *request, struct http_page *page,
				 const struct http_wish *wish, enum http_format format)
{
	struct http_bytes text = http_page_text(page), gzip = {NULL, 0};
	struct MHD_Response *response;

	if (http_wish_gzip(wish) && text.length >= SMALL_BYTES)
		gzip = http_page_gzip(page);
	if (gzip.at)
		text = gzip;
	response = MHD_create_response_from_buffer_with_free_callback_cls(text.length, (void *)text.at,
									  drop_page, http_page_hold(page));
	if (!response) {
		http_page_drop(page);
		return MHD_NO;
	}
	add(response, MHD_HTTP_HEADER_CONTENT_TYPE, http_content_type(format));
	add(response, MHD_HTTP_HEADER_VARY, "Accept, Accept-Encoding");
	if (gzip.at)
		add(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	return send_response(request, MHD_HTTP_OK, response);
}

static enum MHD_Result wait_for_page(const struct request *request)
{
	struct http_client *client = request->client;

	if (client->phase != HTTP_WAITING) {
		http_client_enter(client, HTTP_WAITING, http_now_ns());
		if (client->phase != HTTP_WAITING) /* it was sent away meanwhile */
			return MHD_NO;
	}
	client->connection = request->connection;
	MHD_suspend_connection(request->connection);
	return MHD_YES;
}

static enum MHD_Result answer_metrics(const struct request *request)
{
	struct http_client *client = request->client;
	struct http_wish wish = {0};
	enum http_format format;
	struct http_page *page;

	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, read_header, &wish);
	if (http_wish_format(&wish, &format))
		return say(request, MHD_HTTP_NOT_ACCEPTABLE,
			   "there is text/plain; version=0.0.4 and application/openmetrics-text; "
			   "version=1.0.0\n",
			   NULL, NULL);
	if (!request->server->ready)
		return busy(request, "the tables are not complete yet\n");
	client->format = format;
	page = request->server->pages[format];
	if (client->phase == HTTP_WAITING && page && http_page_begun_ns(page) >= client->since_ns)
		return send_page(request, page, &wish, format);
	if (client->phase == HTTP_WAITING && http_client_is_overdue(client, http_now_ns()))
		return busy(request, "rendering takes too long\n");
	return wait_for_page(request);
}

static enum MHD_Result answer_health(const struct request *request)
{
	if (http_now_ns() - request->server->beat_ns > BEAT_MAX_NS)
		return busy(request, "the loop hangs\n");
	return say(request, MHD_HTTP_OK, "ok\n", NULL, NULL);
}

static enum MHD_Result answer_ready(const struct request *request)
{
	if (!request->server->ready)
		return busy(request, "the tables are not complete yet\n");
	return say(request, MHD_HTTP_OK, "ready\n", NULL, NULL);
}

static enum MHD_Result answer_landing(const struct request *request)
{
	static const char page[] =
		"<!DOCTYPE html>\n<html lang=\"en\"><head><meta "
		"charset=\"utf-8\"><title>portsnoop</title></head>\n"
		"<body><h1>portsnoop " PORTSNOOP_VERSION "</h1><p>Who has this port?</p>\n"
		"<ul><li><a href=\"/metrics\">metrics</a></li><li><a href=\"/healthz\">health</a></li>\n"
		"<li><a href=\"/readyz\">readiness</a></li></ul></body></html>\n";
	struct MHD_Response *response =
		MHD_create_response_from_buffer(sizeof(page) - 1, (void *)page, MHD_RESPMEM_PERSISTENT);

	if (response) {
		add(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/html; charset=utf-8");
		add(response, "Content-Security-Policy", "default-src 'none'");
	}
	return send_response(request, MHD_HTTP_OK, response);
}

/* --- a request --------------------------------------------------------------------------------------------
 */

static const struct place {
	const char *path;
	enum MHD_Result (*answer)(const struct request *request);
} places[] = {
	{"/metrics", answer_metrics},
	{"/healthz", answer_health},
	{"/readyz", answer_ready},
	{"/", answer_landing},
};

static enum MHD_Result answer(const struct request *request)
{
	bool reads = !strcmp(request->method, MHD_HTTP_METHOD_GET) ||
		     !strcmp(request->method, MHD_HTTP_METHOD_HEAD);

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (strcmp(request->url, places[i].path))
			continue;
		if (!reads)
			return say(request, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n",
				   MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
		return places[i].answer(request);
	}
	return say(request, MHD_HTTP_NOT_FOUND, "there are /metrics, /healthz, /readyz and /\n", NULL, NULL);
}

static bool has_body(struct MHD_Connection *connection)
{
	const char *length =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

	return (length && strcmp(length, "0")) ||
	       MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

/* Called once when the headers are there, again when the body is, and again when a page is. */
enum MHD_Result http_answer(void *context, struct MHD_Connection *connection, const char *url,
			    const char *method, const char *version, const char *upload,
			    size_t *upload_length, void **seen)
{
	struct http_listener *listener = context;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct request request = {listener->server, info ? info->socket_context : NULL, connection, url,
				  method};

	if (!request.client)
		return MHD_NO;
	if (!*seen) {
		*seen = listener;
		if (has_body(connection))
			return say(&request, MHD_HTTP_CONTENT_TOO_LARGE, "no body is expected\n", NULL, NULL);
		return MHD_YES;
	}
	if (request.client->crowded)
		return busy(&request, "too many clients\n");
	if (request.client->phase != HTTP_WAITING && refuse_stranger(&request) == MHD_YES)
		return MHD_YES;
	return answer(&request);
}
