/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What makes of export a service: it listens, hands rendered pages to the thread that speaks HTTP, gives up
 * privileges, tells the service manager how it is, and reads the web config again when asked to.
 */
#ifndef PORTSNOOP_COMMAND_EXPORT_SERVICE_H
#define PORTSNOOP_COMMAND_EXPORT_SERVICE_H

#include "command/scrape.h"
#include "io/http_api.h"
#include "options.h"
#include "view/metrics_text.h"

#include <stdbool.h>
#include <stddef.h>

/* Makes a page; on the loop's thread. 0 or a negative errno. */
typedef int (*export_render)(void *context, enum exposition exposition, struct metrics_text *ret_text);

struct export_service {
	const struct options *options;
	export_render render;
	void *context;
	struct scrape *scrape;
	int fds[HTTP_ADDRESSES_MAX]; /* that are listened on, until the server has them */
	size_t n_fds;
	const struct http_api *http; /* NULL: nobody is to be served */
	struct web_config *config;   /* until the server has it */
	struct http_server *server;  /* NULL: not begun, or nobody is served */
	unsigned wanted;	     /* formats, a bit each */
};

/*
 * Listens, so that what cannot be had is known before anything is attached; complains. EXIT_DONE, EXIT_USAGE,
 * EXIT_OUTPUT or EXIT_UNSUPPORTED. To be closed in any case.
 */
int export_service_open(struct export_service *service, const struct options *options, export_render render,
			void *context);
/* All is attached: serves from now on. 0 or a negative errno. */
int export_service_begin(struct export_service *service, struct scrape *scrape);
/* The tables are fresh: whoever waits gets his page. */
void export_service_publish(struct export_service *service);
void export_service_reload(struct export_service *service);
/* Once a second. */
void export_service_tick(struct export_service *service);
void export_service_close(struct export_service *service);

#endif
