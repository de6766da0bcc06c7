/* SPDX-License-Identifier: GPL-2.0-only */
/* One address of the HTTP server: its limits, its TLS, who comes and goes. */
#include "io/http_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define REQUEST_BYTES_MAX (16u << 10) /* line and headers, of one connection; more is 414 or 431 */
#define TLS_1_2		  "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
#define TLS_1_3		  "NORMAL:-VERS-ALL:+VERS-TLS1.3"
#define OPTIONS_MAX	  5

static void come(struct http_listener *listener, struct MHD_Connection *connection, void **client)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	*client = info ? http_clients_come(&listener->clients, info->connect_fd, http_now_ns()) : NULL;
}

static void comes_or_goes(void *context, struct MHD_Connection *connection, void **client,
			  enum MHD_ConnectionNotificationCode what)
{
	struct http_listener *listener = context;

	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		come(listener, connection, client);
	else if (*client)
		http_clients_gone(&listener->clients, *client);
}

static void answered(void *context, struct MHD_Connection *connection, void **request,
		     enum MHD_RequestTerminationCode how)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	if (info && info->socket_context)
		http_client_enter(info->socket_context, HTTP_ASKING, http_now_ns());
}

/* MHD takes a key that does not fit without a word, and then no handshake succeeds. */
static int check_material(gnutls_certificate_credentials_t credentials, const struct web_config *config)
{
	const gnutls_datum_t certificate = {(void *)config->certificate,
					    (unsigned)strlen(config->certificate)};
	const gnutls_datum_t key = {(void *)config->key, (unsigned)strlen(config->key)};
	gnutls_datum_t ca = {(void *)config->client_ca, 0};

	if (gnutls_certificate_set_x509_key_mem(credentials, &certificate, &key, GNUTLS_X509_FMT_PEM) < 0)
		return -EINVAL;
	if (!config->client_ca)
		return 0;
	ca.size = (unsigned)strlen(config->client_ca);
	return gnutls_certificate_set_x509_trust_mem(credentials, &ca, GNUTLS_X509_FMT_PEM) > 0 ? 0 : -EINVAL;
}

int http_daemon_check(const struct web_config *config)
{
	gnutls_certificate_credentials_t credentials;
	int error;

	if (!config || !config->certificate)
		return 0;
	if (gnutls_certificate_allocate_credentials(&credentials) < 0)
		return -ENOMEM;
	error = check_material(credentials, config);
	gnutls_certificate_free_credentials(credentials);
	return error;
}

static size_t tls_options(const struct web_config *config, struct MHD_OptionItem *options)
{
	size_t n = 0;

	options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, config->certificate};
	options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, config->key};
	options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0,
					       (void *)(config->tls13_only ? TLS_1_3 : TLS_1_2)};
	if (config->client_ca)
		options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, config->client_ca};
	return n;
}

static int watch(struct http_listener *listener)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = listener};

	if (!info)
		return -EIO;
	return epoll_ctl(listener->server->epoll_fd, EPOLL_CTL_ADD, info->epoll_fd, &event) ? -errno : 0;
}

int http_daemon_start(struct http_listener *listener)
{
	const struct web_config *config = listener->server->config;
	struct MHD_OptionItem options[OPTIONS_MAX] = {{0}};
	size_t n = 0;
	int error, fd;

	if (config && config->certificate)
		n = tls_options(config, options);
	options[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
	listener->clients = (struct http_clients){.count = 0};
	/* It closes what it listens on; the address must outlive it. */
	fd = fcntl(listener->fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return -errno;
	listener->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (n ? MHD_USE_TLS : 0), 0, NULL, NULL, http_answer,
		listener, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)HTTP_CLIENTS_SLOTS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_BYTES_MAX,
		MHD_OPTION_NOTIFY_CONNECTION, comes_or_goes, listener, MHD_OPTION_NOTIFY_COMPLETED, answered,
		NULL, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
	if (!listener->daemon)
		return -EIO; /* it has closed fd */
	error = watch(listener);
	if (error)
		http_daemon_stop(listener);
	return error;
}

void http_daemon_stop(struct http_listener *listener)
{
	if (!listener->daemon)
		return;
	for (unsigned i = 0; i < HTTP_CLIENTS_SLOTS; i++)
		if (listener->clients.slots[i].phase == HTTP_WAITING)
			MHD_resume_connection(listener->clients.slots[i].connection);
	MHD_stop_daemon(listener->daemon); /* its epoll descriptor leaves ours with it */
	listener->daemon = NULL;
}
