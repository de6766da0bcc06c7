/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the self-test does: every hook's act once, on loopback, between this process's own sockets, on ports
 * that the kernel chooses. Nothing waits longer than a second; connections end by reset, so that no TIME_WAIT
 * stays behind.
 */
#include "command/doctor.h"
#include "system/loopback.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY_PORT 9 /* discard; no packet goes there */

#define BY_FAMILY(acts, text) ((acts)->family == AF_INET6 ? text " (IPv6)" : text)

struct expectation acts_about(enum fact fact, enum rec_kind kind, const char *act, int fd)
{
	return (struct expectation){
		.fact = fact,
		.act = act,
		.kind = kind,
		.actor = ACTOR_SELF,
		.cookie = loopback_cookie(fd),
		.local_port = loopback_port(fd),
		.peer_port = loopback_peer_port(fd),
	};
}

static void keep(struct acts *acts, int fd)
{
	if (fd >= 0 && acts->n_kept < ACTS_KEPT_MAX)
		acts->kept[acts->n_kept++] = fd;
}

static void skip(struct acts *acts, enum fact fact, const char *call, int error)
{
	self_test_skip(acts->test, fact, "%s on loopback: %s", call, strerror(error));
}

/* --- binds and listens ------------------------------------------------------------------------------------
 */

static void bind_again(struct acts *acts, int bound)
{
	union loopback_address address = loopback_address(acts->family, loopback_port(bound));
	int fd = loopback_socket(acts->family, SOCK_STREAM);
	struct expectation expectation;

	if (fd < 0)
		return;
	expectation =
		acts_about(FACT_BIND_ERROR, REC_BIND, BY_FAMILY(acts, "a bind to a port that is taken"), fd);
	expectation.local_port = loopback_port(bound);
	expectation.error = bind(fd, &address.any, loopback_address_length(&address)) ? errno : 0;
	if (expectation.error)
		self_test_expect(acts->test, expectation);
	else
		self_test_skip(acts->test, FACT_BIND_ERROR, "a second bind to the same port worked");
	close(fd);
}

/* A listener, or -1. */
static int bind_and_listen(struct acts *acts)
{
	int fd = loopback_bound(acts->family, SOCK_STREAM);

	if (fd < 0)
		return -1;
	self_test_expect(acts->test, acts_about(FACT_BIND, REC_BIND, BY_FAMILY(acts, "a bind"), fd));
	bind_again(acts, fd);
	if (listen(fd, 8)) {
		skip(acts, FACT_LISTEN, "listen", errno);
		close(fd);
		return -1;
	}
	self_test_expect(acts->test, acts_about(FACT_LISTEN, REC_LISTEN, BY_FAMILY(acts, "a listen"), fd));
	return fd;
}

/* --- connections ------------------------------------------------------------------------------------------
 */

struct variant {
	const char *act[2]; /* IPv4, IPv6 */
	long number;
	bool address;
};

static const struct variant variants[] = {
	{{"an accept that asks for the peer's address", "an accept that asks for the peer's address (IPv6)"},
	 SYS_accept4,
	 true},
	{{"an accept that asks for no address", "an accept that asks for no address (IPv6)"},
	 SYS_accept,
	 false},
	{{"an accept4 that asks for no address", "an accept4 that asks for no address (IPv6)"},
	 SYS_accept4,
	 false},
};

static int accept_by(const struct variant *variant, int listener)
{
	union loopback_address peer;
	socklen_t length = sizeof(peer);

	if (!loopback_is_ready(listener, POLLIN)) {
		errno = ETIMEDOUT;
		return -1;
	}
	return (int)syscall(variant->number, listener, variant->address ? &peer : NULL,
			    variant->address ? &length : NULL, SOCK_CLOEXEC);
}

static void expect_close(struct acts *acts, enum fact fact, const char *act, int fd)
{
	struct expectation expectation = acts_about(fact, REC_CLOSE, act, fd);

	expectation.actor = acts->releaser;
	self_test_expect(acts->test, expectation);
}

static void accept_connection(struct acts *acts, const struct variant *variant, int listener, int client)
{
	const char *act = variant->act[acts->family == AF_INET6];
	int server = accept_by(variant, listener);

	if (server < 0) {
		skip(acts, FACT_ACCEPT, "accept", errno);
		return;
	}
	self_test_expect(acts->test, acts_about(FACT_ACCEPT, REC_ACCEPT, act, server));
	expect_close(acts, FACT_CLOSE, BY_FAMILY(acts, "the end of a connection"), client);
	loopback_close(client);
	close(server);
}

static void one_connection(struct acts *acts, const struct variant *variant, int listener)
{
	union loopback_address address = loopback_address(acts->family, loopback_port(listener));
	int client = loopback_socket(acts->family, SOCK_STREAM);
	int error = client < 0 ? errno : loopback_connect(client, &address);

	if (error) {
		skip(acts, FACT_CONNECT, "connect", error);
		skip(acts, FACT_ACCEPT, "connect", error);
		skip(acts, FACT_CLOSE, "connect", error);
		if (client >= 0)
			close(client);
		return;
	}
	self_test_expect(acts->test,
			 acts_about(FACT_CONNECT, REC_CONNECT, BY_FAMILY(acts, "a connect"), client));
	accept_connection(acts, variant, listener, client);
}

/* TCP knows no broadcast: the call fails before it has a port, and before a packet. */
static void connect_nowhere(struct acts *acts)
{
	union loopback_address nowhere = {.v4 = {.sin_family = AF_INET,
						 .sin_port = htons(NOBODY_PORT),
						 .sin_addr.s_addr = htonl(INADDR_BROADCAST)}};
	int fd = loopback_socket(acts->family, SOCK_STREAM);
	struct expectation expectation;

	if (fd < 0)
		return;
	expectation = acts_about(FACT_CONNECT, REC_CONNECT, "a connect that fails before a SYN", fd);
	expectation.error = loopback_connect(fd, &nowhere);
	if (expectation.error)
		self_test_expect(acts->test, expectation);
	close(fd);
}

/* The port is held by a socket of ours that does not listen, so nobody else can listen there. */
static void connect_refused(struct acts *acts)
{
	int closed = loopback_bound(acts->family, SOCK_STREAM),
	    client = loopback_bound(acts->family, SOCK_STREAM);
	union loopback_address address = loopback_address(acts->family, loopback_port(closed));
	struct expectation expectation = {.fact = FACT_REFUSE,
					  .act = "a SYN to a closed port",
					  .kind = REC_REFUSE,
					  .local_port = loopback_port(closed),
					  .peer_port = loopback_port(client)};
	int error = closed < 0 || client < 0 ? errno : loopback_connect(client, &address);

	if (error == ECONNREFUSED)
		self_test_expect(acts->test, expectation);
	else
		skip(acts, FACT_REFUSE, "a connect to a closed port", error);
	if (closed >= 0)
		close(closed);
	if (client >= 0)
		close(client);
}

/* One connection fills the queue, the next ones are turned away for as long as it is full. */
static void fill_accept_queue(struct acts *acts)
{
	int listener = loopback_bound(acts->family, SOCK_STREAM);
	union loopback_address address = loopback_address(acts->family, loopback_port(listener));
	struct expectation expectation;

	keep(acts, listener);
	if (listener < 0 || listen(listener, 0)) {
		skip(acts, FACT_OVERFLOW, "listen", errno);
		return;
	}
	for (int i = 0; i < 3; i++) {
		int client = loopback_socket(acts->family, SOCK_STREAM);

		keep(acts, client);
		if (client >= 0 && connect(client, &address.any, loopback_address_length(&address)) &&
		    errno != EINPROGRESS)
			skip(acts, FACT_OVERFLOW, "connect", errno);
	}
	expectation = acts_about(FACT_OVERFLOW, REC_OVERFLOW, "a connect to a full accept queue", listener);
	expectation.actor = ACTOR_ANY;
	self_test_expect(acts->test, expectation);
}

/* --- UDP --------------------------------------------------------------------------------------------------
 */

/* The receiver is ours, too: no datagram leaves for anybody. */
static void udp_ports(struct acts *acts)
{
	int receiver = loopback_bound(acts->family, SOCK_DGRAM);
	int sender = loopback_socket(acts->family, SOCK_DGRAM),
	    connected = loopback_socket(acts->family, SOCK_DGRAM);
	union loopback_address address = loopback_address(acts->family, loopback_port(receiver));
	struct expectation expectation;

	if (receiver < 0 || sendto(sender, "", 1, 0, &address.any, loopback_address_length(&address)) < 0 ||
	    connect(connected, &address.any, loopback_address_length(&address))) {
		skip(acts, FACT_AUTOBIND, "a UDP send", errno);
		skip(acts, FACT_RELEASE, "a UDP send", errno);
	} else {
		expectation = acts_about(FACT_AUTOBIND, REC_AUTOBIND,
					 BY_FAMILY(acts, "a UDP send without a port"), sender);
		self_test_expect(acts->test, expectation);
		expectation = acts_about(FACT_AUTOBIND, REC_AUTOBIND,
					 BY_FAMILY(acts, "a UDP connect without a port"), connected);
		self_test_expect(acts->test, expectation);
		expect_close(acts, FACT_RELEASE, BY_FAMILY(acts, "the end of a UDP socket"), sender);
	}
	close(receiver);
	close(sender);
	close(connected);
}

/* --- a child ----------------------------------------------------------------------------------------------
 */

/* This program once more, which prints a line to nobody. */
_Noreturn static void run_version(void)
{
	static const char *const argv[] = {"portsnoop", "--version", NULL};
	int nobody = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (nobody >= 0 && dup2(nobody, STDOUT_FILENO) >= 0 && dup2(nobody, STDERR_FILENO) >= 0)
		execv("/proc/self/exe", (char **)argv);
	_exit(127);
}

static void expect_process(struct acts *acts, enum rec_kind kind, const char *act, enum self_test_actor actor)
{
	self_test_expect(acts->test, (struct expectation){
					     .fact = FACT_PROCESS, .kind = kind, .act = act, .actor = actor});
}

static void run_child(struct acts *acts)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		run_version();
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status)) {
		self_test_skip(acts->test, FACT_PROCESS, "a child could not be run");
		return;
	}
	expect_process(acts, REC_PROCESS, "the name of this process", ACTOR_SELF);
	expect_process(acts, REC_FORK, "a fork", ACTOR_SELF);
	expect_process(acts, REC_EXEC, "an exec", ACTOR_CHILD);
	expect_process(acts, REC_EXIT, "an exit", ACTOR_CHILD);
}

/* --- all of it --------------------------------------------------------------------------------------------
 */

/* False when not even that can be done. */
static bool act_on_tcp(struct acts *acts)
{
	int listener = bind_and_listen(acts);

	if (listener < 0)
		return false;
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++)
		one_connection(acts, &variants[i], listener);
	expect_close(acts, FACT_RELEASE, BY_FAMILY(acts, "the end of a listener"), listener);
	close(listener);
	return true;
}

void acts_begin(struct acts *acts)
{
	acts->family = AF_INET;
	if (!act_on_tcp(acts)) {
		int error = errno;

		for (unsigned fact = 0; fact < FACT_COUNT; fact++)
			skip(acts, fact, "a bind", error);
		return;
	}
	udp_ports(acts);
	connect_nowhere(acts);
	connect_refused(acts);
	acts_by_uring(acts);
	acts->family = AF_INET6;
	if (act_on_tcp(acts)) /* a machine without IPv6 has nothing to show there */
		udp_ports(acts);
	acts->family = AF_INET;
	run_child(acts);
	fill_accept_queue(acts);
}

void acts_end(struct acts *acts)
{
	while (acts->n_kept)
		loopback_close(acts->kept[--acts->n_kept]);
}
