/* SPDX-License-Identifier: GPL-2.0-only */
/* The module's one name. */
#include "io/http_api.h"

const struct http_api portsnoop_http = {
	.version = PORTSNOOP_VERSION,
	.config_load = web_config_load,
	.config_free = web_config_free,
	.open = http_server_open,
	.close = http_server_close,
	.fd = http_server_fd,
	.wanted = http_server_wanted,
	.publish = http_server_publish,
	.ready = http_server_ready,
	.beat = http_server_beat,
	.configure = http_server_configure,
};
