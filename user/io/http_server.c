/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The server's thread, and the border to the loop's: two eventfds and a lock that is held for a few pointers.
 * The HTTP library runs here by its own epoll descriptors, so that a connection is put aside and taken up
 * again by one thread.
 */
#include "io/http_inside.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS	 1000000u
#define RENDER_SHARE	 4	    /* of the loop's time, one of so many parts */
#define RENDER_PAUSE_MAX 5000000000 /* between two pages, however long one took */
#define RELOAD_NS	 2000000000 /* for who is being answered */
#define EVENTS_MAX	 (HTTP_ADDRESSES_MAX + 1)

uint64_t http_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void ring(int fd)
{
	static const uint64_t one = 1;

	/* It fails only when the count is full, and then it is readable anyway. */
	if (write(fd, &one, sizeof(one)) < 0)
		return;
}

static void silence(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		return;
}

/* --- the server's thread ----------------------------------------------------------------------------------
 */

static bool each_client(struct http_server *server, bool (*found)(struct http_client *client, void *context),
			void *context)
{
	for (size_t i = 0; i < server->n_listeners; i++)
		for (unsigned j = 0; server->listeners[i].clients.count && j < HTTP_CLIENTS_SLOTS; j++)
			if (found(&server->listeners[i].clients.slots[j], context))
				return true;
	return false;
}

/* What the loop has published since. A page took what passed between the question and now. */
static void take_pages(struct http_server *server, uint64_t now)
{
	for (unsigned i = 0; i < HTTP_FORMATS; i++) {
		struct http_page *page;
		uint64_t pause;

		pthread_mutex_lock(&server->lock);
		page = server->published[i];
		server->published[i] = NULL;
		pthread_mutex_unlock(&server->lock);
		if (!page)
			continue;
		http_page_drop(server->pages[i]);
		server->pages[i] = page;
		pause = (RENDER_SHARE - 1) * (now - server->asked_ns[i]);
		server->not_before_ns[i] = now + (pause < RENDER_PAUSE_MAX ? pause : RENDER_PAUSE_MAX);
		server->asked &= ~(1u << i);
	}
}

/* Takes up who has a page now, or must be told that there is none. */
static bool take_up(struct http_client *client, void *context)
{
	const struct http_server *server = context;
	const struct http_page *page = server->pages[client->format];

	if (client->phase != HTTP_WAITING || !client->connection)
		return false;
	if ((page && http_page_begun_ns(page) >= client->since_ns) ||
	    http_client_is_overdue(client, http_now_ns())) {
		MHD_resume_connection(client->connection);
		client->connection = NULL;
	}
	return false;
}

static bool collect_format(struct http_client *client, void *context)
{
	if (client->phase == HTTP_WAITING && client->connection)
		*(unsigned *)context |= 1u << client->format;
	return false;
}

/* Asks the loop for what is waited for. Returns when that is to be done again (UINT64_MAX: not by time). */
static uint64_t ask(struct http_server *server, uint64_t now)
{
	unsigned waited_for = 0, asked = server->asked;
	uint64_t next = UINT64_MAX;

	each_client(server, collect_format, &waited_for);
	for (unsigned i = 0; i < HTTP_FORMATS; i++) {
		if (!(waited_for & ~server->asked & 1u << i))
			continue;
		if (server->not_before_ns[i] > now) {
			next = server->not_before_ns[i] < next ? server->not_before_ns[i] : next;
			continue;
		}
		server->asked |= 1u << i;
		server->asked_ns[i] = now;
	}
	if (server->asked == asked)
		return next;
	pthread_mutex_lock(&server->lock);
	server->wanted |= server->asked & ~asked;
	pthread_mutex_unlock(&server->lock);
	ring(server->asked_fd);
	return next;
}

static bool is_being_answered(struct http_client *client, void *context)
{
	return client->phase == HTTP_WAITING || client->phase == HTTP_TAKING;
}

static int use_config(struct http_server *server, struct web_config *config)
{
	struct web_users *users = NULL;
	int error = config ? web_users_new(config, &users) : 0;

	if (error)
		return error;
	web_users_free(server->users);
	server->config = config;
	server->users = users;
	return 0;
}

static int start_all(struct http_server *server)
{
	int error = 0;

	for (size_t i = 0; i < server->n_listeners && !error; i++)
		error = http_daemon_start(&server->listeners[i]);
	return error;
}

static void stop_all(struct http_server *server)
{
	for (size_t i = 0; i < server->n_listeners; i++)
		http_daemon_stop(&server->listeners[i]);
}

static void reload(struct http_server *server)
{
	struct web_config *old = server->config, *config;

	pthread_mutex_lock(&server->lock);
	config = server->next_config;
	server->next_config = NULL;
	pthread_mutex_unlock(&server->lock);
	server->reload_by_ns = 0;
	if (use_config(server, config)) {
		web_config_free(config);
		return;
	}
	stop_all(server);
	/* Its certificates were tried before. What fails for want of memory is as a server that hangs. */
	start_all(server);
	web_config_free(old);
}

/* Another config waits for who is being answered, but not for long. */
static uint64_t reload_when_idle(struct http_server *server, uint64_t now)
{
	bool due;

	pthread_mutex_lock(&server->lock);
	due = server->next_config;
	pthread_mutex_unlock(&server->lock);
	if (!due)
		return UINT64_MAX;
	if (!server->reload_by_ns)
		server->reload_by_ns = now + RELOAD_NS;
	if (now < server->reload_by_ns && each_client(server, is_being_answered, NULL))
		return server->reload_by_ns;
	reload(server);
	return UINT64_MAX;
}

/* Milliseconds, rounded up; -1: for ever. */
static int timeout_ms(uint64_t next, uint64_t now)
{
	uint64_t left_ms;

	if (next == UINT64_MAX)
		return -1;
	left_ms = next > now ? (next - now + NS_PER_MS - 1) / NS_PER_MS : 0;
	return left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Lets the library do what there is to do. Returns when it, or we, must look again. */
static uint64_t serve(struct http_server *server)
{
	uint64_t now = http_now_ns(), next = UINT64_MAX;

	take_pages(server, now);
	each_client(server, take_up, server);
	next = earlier(next, reload_when_idle(server, now));
	for (size_t i = 0; i < server->n_listeners; i++) {
		struct http_listener *listener = &server->listeners[i];
		MHD_UNSIGNED_LONG_LONG wait_ms;

		if (!listener->daemon)
			continue;
		MHD_run(listener->daemon);
		next = earlier(next, http_clients_sweep(&listener->clients, now));
		if (MHD_get_timeout(listener->daemon, &wait_ms) == MHD_YES)
			next = earlier(next, now + wait_ms * NS_PER_MS);
	}
	return earlier(next, ask(server, now));
}

static void *run(void *context)
{
	struct http_server *server = context;
	struct epoll_event events[EVENTS_MAX];

	if (server->confine)
		server->confine();
	while (!server->stop) {
		uint64_t next = serve(server);

		if (epoll_wait(server->epoll_fd, events, EVENTS_MAX, timeout_ms(next, http_now_ns())) < 0 &&
		    errno != EINTR)
			break;
		silence(server->told_fd);
	}
	stop_all(server);
	return NULL;
}

/* --- the loop's thread ------------------------------------------------------------------------------------
 */

int http_server_fd(const struct http_server *server)
{
	return server->asked_fd;
}

unsigned http_server_wanted(struct http_server *server)
{
	uint64_t now = http_now_ns();
	unsigned wanted;

	silence(server->asked_fd);
	pthread_mutex_lock(&server->lock);
	wanted = server->wanted;
	server->wanted = 0;
	for (unsigned i = 0; i < HTTP_FORMATS; i++)
		if (wanted & 1u << i)
			server->begun_ns[i] = now;
	pthread_mutex_unlock(&server->lock);
	return wanted;
}

/* A page that could not be had is one from before any question: nobody is served with it. */
void http_server_publish(struct http_server *server, enum http_format format, char *text, size_t length)
{
	struct http_page *page = http_page_new(text, text ? length : 0, text ? server->begun_ns[format] : 0);
	struct http_page *unread;

	if (!page)
		return; /* who waits is told in a few seconds */
	pthread_mutex_lock(&server->lock);
	unread = server->published[format];
	server->published[format] = page;
	pthread_mutex_unlock(&server->lock);
	http_page_drop(unread);
	ring(server->told_fd);
}

void http_server_ready(struct http_server *server)
{
	server->ready = true;
}

void http_server_beat(struct http_server *server)
{
	server->beat_ns = http_now_ns();
}

int http_server_configure(struct http_server *server, struct web_config *config)
{
	struct web_config *unread;
	int error = http_daemon_check(config);

	if (error) {
		web_config_free(config);
		return error;
	}
	pthread_mutex_lock(&server->lock);
	unread = server->next_config;
	server->next_config = config;
	pthread_mutex_unlock(&server->lock);
	web_config_free(unread);
	ring(server->told_fd);
	return 0;
}

/* --- from beginning to end --------------------------------------------------------------------------------
 */

static int open_descriptors(struct http_server *server)
{
	struct epoll_event event = {.events = EPOLLIN};

	server->asked_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	server->told_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (server->asked_fd < 0 || server->told_fd < 0 || server->epoll_fd < 0)
		return -errno;
	return epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, server->told_fd, &event) ? -errno : 0;
}

/* Signals are the loop's. */
static int start_thread(struct http_server *server)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&server->thread, NULL, run, server);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void free_server(struct http_server *server)
{
	stop_all(server);
	for (size_t i = 0; i < server->n_listeners; i++)
		close_fd(server->listeners[i].fd);
	for (unsigned i = 0; i < HTTP_FORMATS; i++) {
		http_page_drop(server->published[i]);
		http_page_drop(server->pages[i]);
	}
	close_fd(server->asked_fd);
	close_fd(server->told_fd);
	close_fd(server->epoll_fd);
	web_users_free(server->users);
	web_config_free(server->config);
	web_config_free(server->next_config);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

static struct http_server *new_server(const int *listen_fds, size_t n)
{
	struct http_server *server = calloc(1, sizeof(*server));

	if (!server)
		return NULL;
	server->asked_fd = server->told_fd = server->epoll_fd = -1;
	server->beat_ns = http_now_ns();
	pthread_mutex_init(&server->lock, NULL);
	for (size_t i = 0; i < n; i++)
		server->listeners[i] = (struct http_listener){.server = server, .fd = listen_fds[i]};
	server->n_listeners = n;
	return server;
}

int http_server_open(const int *listen_fds, size_t n, struct web_config *config, void (*confine)(void),
		     struct http_server **ret_server)
{
	struct http_server *server = n <= HTTP_ADDRESSES_MAX ? new_server(listen_fds, n) : NULL;
	int error;

	if (!server) {
		for (size_t i = 0; i < n; i++)
			close(listen_fds[i]);
		web_config_free(config);
		return n <= HTTP_ADDRESSES_MAX ? -ENOMEM : -E2BIG;
	}
	server->confine = confine;
	server->config = config; /* freed with it, whatever happens */
	error = open_descriptors(server);
	if (!error)
		error = http_daemon_check(config);
	if (!error)
		error = use_config(server, config);
	if (!error)
		error = start_all(server);
	if (!error)
		error = start_thread(server);
	if (error) {
		free_server(server);
		return error;
	}
	*ret_server = server;
	return 0;
}

void http_server_close(struct http_server *server)
{
	if (!server)
		return;
	server->stop = true;
	ring(server->told_fd);
	pthread_join(server->thread, NULL);
	free_server(server);
}
