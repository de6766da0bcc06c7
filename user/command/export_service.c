/* SPDX-License-Identifier: GPL-2.0-only */
#include "command/export_service.h"

#include "command/command.h"
#include "io/http_listen.h"
#include "system/notify.h"
#include "system/privileges.h"
#include "system/seccomp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- before anything is attached --------------------------------------------------------------------------
 */

static int listen_on(struct export_service *service, const char *address)
{
	char message[256];
	int fd =
		service->n_fds < HTTP_ADDRESSES_MAX ? http_listen(address, message, sizeof(message)) : -E2BIG;

	if (fd >= 0) {
		service->fds[service->n_fds++] = fd;
		return EXIT_DONE;
	}
	if (fd == -E2BIG)
		complain("--listen: %d addresses at most", HTTP_ADDRESSES_MAX);
	else if (fd == -EADDRINUSE && strncmp(address, "unix:", 5) != 0)
		complain("%s; who has it: portsnoop who %s", message, address);
	else
		complain("%s", message);
	return fd == -EINVAL || fd == -E2BIG ? EXIT_USAGE : EXIT_OUTPUT;
}

static int take_inherited(struct export_service *service)
{
	char message[128];
	int n = http_listen_inherited(service->fds, HTTP_ADDRESSES_MAX, message, sizeof(message));

	if (n < 0) {
		complain("%s", message);
		return EXIT_USAGE;
	}
	service->n_fds = (size_t)n;
	return EXIT_DONE;
}

/* What systemd gave and what was asked for; if that is nothing, and nobody is written to, the default. */
static int listen_all(struct export_service *service)
{
	const struct options *options = service->options;
	int status = take_inherited(service);

	for (size_t i = 0; i < options->n_listen && !status; i++)
		status = listen_on(service, options->listen[i]);
	if (!status && !service->n_fds && !options->textfile && !options->once)
		status = listen_on(service, HTTP_ADDRESS_DEFAULT);
	return status;
}

static int load_http(struct export_service *service)
{
	char message[512];

	if (!http_load(&service->http, message, sizeof(message)))
		return EXIT_DONE;
	complain("%s", message);
	return EXIT_UNSUPPORTED;
}

static int load_config(const struct export_service *service, struct web_config **ret_config)
{
	const char *path = service->options->web_config;
	char message[512];

	if (!path || !service->http->config_load(path, ret_config, message, sizeof(message)))
		return EXIT_DONE;
	complain("%s", message);
	return EXIT_USAGE;
}

int export_service_open(struct export_service *service, const struct options *options, export_render render,
			void *context)
{
	int status;

	*service = (struct export_service){.options = options, .render = render, .context = context};
	status = listen_all(service);
	if (!status && (service->n_fds || options->web_config))
		status = load_http(service);
	return status || !service->http ? status : load_config(service, &service->config);
}

/* --- pages ------------------------------------------------------------------------------------------------
 */

static int page_is_wanted(void *context)
{
	struct export_service *service = context;

	service->wanted |= service->http->wanted(service->server);
	return service->wanted ? scrape_ask(service->scrape) : 0;
}

void export_service_publish(struct export_service *service)
{
	static const struct {
		enum http_format format;
		enum exposition exposition;
	} pages[] = {{HTTP_TEXT, EXPOSITION_TEXT}, {HTTP_OPENMETRICS, EXPOSITION_OPENMETRICS}};

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		struct metrics_text text = {NULL, 0};

		if (!(service->wanted & 1u << pages[i].format))
			continue;
		if (service->render(service->context, pages[i].exposition, &text))
			text = (struct metrics_text){NULL, 0}; /* they are told to come again */
		service->http->publish(service->server, pages[i].format, text.data, text.length);
	}
	service->wanted = 0;
}

/* --- beginning --------------------------------------------------------------------------------------------
 */

static int open_server(struct export_service *service)
{
	size_t n = service->n_fds;
	struct web_config *config = service->config;
	int error;

	if (!n)
		return 0;
	service->n_fds = 0;
	service->config = NULL;
	error = service->http->open(service->fds, n, config, privileges_drop_all, &service->server);
	if (error == -EINVAL)
		complain("%s: certificate, key and authority cannot be used together",
			 service->options->web_config);
	if (error)
		return error;
	service->http->ready(service->server);
	return loop_add_fd(service->scrape->loop, service->http->fd(service->server), LOOP_READABLE,
			   page_is_wanted, service);
}

/* What failed could do no harm: the process has the privileges that it would have without. */
static void confine(const struct export_service *service)
{
	int error = privileges_drop_to_names(service->options->textfile);

	if (!error)
		error = seccomp_confine();
	if (error && !service->options->quiet)
		complain("system calls are not confined: %s", strerror(-error));
}

int export_service_begin(struct export_service *service, struct scrape *scrape)
{
	int error;

	service->scrape = scrape;
	error = open_server(service);
	if (error)
		return error;
	if (!service->options->once)
		confine(service);
	notify("READY=1");
	return 0;
}

/* --- running ----------------------------------------------------------------------------------------------
 */

void export_service_reload(struct export_service *service)
{
	struct web_config *config = NULL;

	notify_reloading();
	if (service->server && service->options->web_config && !load_config(service, &config) &&
	    service->http->configure(service->server, config))
		complain("%s: certificate, key and authority cannot be used together; the old ones stay",
			 service->options->web_config);
	notify("READY=1");
}

void export_service_tick(struct export_service *service)
{
	if (service->server)
		service->http->beat(service->server);
	if (notify_watchdog_ns())
		notify("WATCHDOG=1");
}

void export_service_close(struct export_service *service)
{
	notify("STOPPING=1");
	if (service->http) {
		service->http->close(service->server);
		service->http->config_free(service->config);
	}
	for (size_t i = 0; i < service->n_fds; i++)
		close(service->fds[i]);
}
