/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets to listen on, from addresses in words or from systemd. */
#ifndef PORTSNOOP_IO_HTTP_LISTEN_H
#define PORTSNOOP_IO_HTTP_LISTEN_H

#include <stddef.h>

/* The range of Prometheus' exporters, 9100 to 9999, is given away whole. */
#define HTTP_PORT_DEFAULT    10198
#define HTTP_ADDRESS_DEFAULT "127.0.0.1:10198"

/*
 * ADDR:PORT (127.0.0.1:10198, [::1]:10198), :PORT (every address), ADDR (the default port) or unix:PATH (mode
 * 0660; what is there and is a socket that nobody listens on is replaced). Names are not looked up.
 * Returns a descriptor, or a negative errno with a message.
 */
int http_listen(const char *address, char *message, size_t size);
/*
 * What systemd has opened for us (sd_listen_fds(3)): at most max, into ret_fds. Returns how many, or a
 * negative errno. Only sockets of streams that listen are taken.
 */
int http_listen_inherited(int *ret_fds, size_t max, char *message, size_t size);

#endif
