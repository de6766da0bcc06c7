/* SPDX-License-Identifier: GPL-2.0-only */
/* Binds that fail, with what was asked for and why; binds with options. */
#include "act.h"
#include "ledger.h"
#include "scenarios.h"
#include "truth.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534

static void expect_bind(struct scene *scene, int fd, const char *address, uint16_t port, int error)
{
	union address at = address_of(address, port);
	int got = act_bind(scene, fd, &at);

	if (got != error)
		scene_fail(scene, "bind to %s port %u: %s instead of %s", address, port, errno_text(got),
			   errno_text(error));
}

static void in_use(struct scene *scene, int type)
{
	int first = act_socket(scene, AF_INET, type), second = act_socket(scene, AF_INET, type);

	expect_bind(scene, first, "127.0.0.1", 7400, 0);
	expect_bind(scene, second, "127.0.0.1", 7400, EADDRINUSE);
	expect_bind(scene, second, "0.0.0.0", 7400, EADDRINUSE);
	/* After failures it can still succeed: the same socket, another port. */
	expect_bind(scene, second, "127.0.0.1", 7401, 0);
	expect_bind(scene, second, "127.0.0.1", 7402, EINVAL);
	act_close(scene, first, NULL, "reason=local");
	act_close(scene, second, NULL, "reason=local");
}

static void in_use_ipv6(struct scene *scene)
{
	int first = act_socket(scene, AF_INET6, SOCK_STREAM),
	    second = act_socket(scene, AF_INET, SOCK_STREAM);

	expect_bind(scene, first, "::", 7403, 0);
	expect_bind(scene, second, "127.0.0.1", 7403, EADDRINUSE);
	act_close(scene, first, NULL, "reason=local");
	close(second);
	first = act_socket(scene, AF_INET6, SOCK_STREAM);
	expect_bind(scene, first, "2001:db8::1", 7404, EADDRNOTAVAIL);
	expect_bind(scene, first, "::ffff:127.0.0.1", 7405, 0);
	act_close(scene, first, NULL, "reason=local");
}

void bind_failures(struct scene *scene)
{
	struct tool tool;
	int fd;

	tool_start(&tool, scene, NULL);
	in_use(scene, SOCK_STREAM);
	in_use(scene, SOCK_DGRAM);
	fd = act_socket(scene, AF_INET, SOCK_STREAM);
	expect_bind(scene, fd, "192.0.2.1", 7406, EADDRNOTAVAIL);
	expect_bind(scene, fd, "192.0.2.1", 0, EADDRNOTAVAIL);
	expect_bind(scene, fd, "::1", 7407, EAFNOSUPPORT);
	close(fd);
	if (!access("/proc/sys/net/ipv6/conf/lo", F_OK))
		in_use_ipv6(scene);
	tool_settle(&tool);
	tool_end(&tool);
	ledger_check(&tool, NULL);
}

/* --- an ordinary user -------------------------------------------------------------------------------------
 */

static void ordinary_user(struct scene *scene, void *context)
{
	int fd;

	scene_must(scene, setresgid(NOBODY, NOBODY, NOBODY), "setresgid");
	scene_must(scene, setresuid(NOBODY, NOBODY, NOBODY), "setresuid");
	fd = act_socket(scene, AF_INET, SOCK_STREAM);
	expect_bind(scene, fd, "127.0.0.1", 80, EACCES);
	close(fd);
	fd = act_socket(scene, AF_INET, SOCK_DGRAM);
	expect_bind(scene, fd, "0.0.0.0", 53, EACCES);
	expect_bind(scene, fd, "0.0.0.0", 7410, 0);
	act_close(scene, fd, NULL, "reason=local uid=%d", NOBODY);
}

void bind_unprivileged(struct scene *scene)
{
	struct tool tool;

	tool_start(&tool, scene, NULL);
	actor_join(scene, actor_start(scene, ordinary_user, NULL));
	tool_settle(&tool);
	tool_end(&tool);
	ledger_check(&tool, NULL);
}

/* --- options ----------------------------------------------------------------------------------------------
 */

static void bind_with(struct scene *scene, int family, int level, int option, const char *address,
		      uint16_t port)
{
	int fd = act_socket(scene, family, SOCK_STREAM);

	act_option(scene, fd, level, option, 1);
	expect_bind(scene, fd, address, port, 0);
	act_close(scene, fd, NULL, "reason=local");
}

static void two_reuse_port(struct scene *scene)
{
	int fds[2];

	for (int i = 0; i < 2; i++) {
		fds[i] = act_socket(scene, AF_INET, SOCK_DGRAM);
		act_option(scene, fds[i], SOL_SOCKET, SO_REUSEPORT, 1);
		act_option(scene, fds[i], SOL_SOCKET, SO_REUSEADDR, 1);
		expect_bind(scene, fds[i], "127.0.0.1", 7424, 0);
	}
	for (int i = 0; i < 2; i++)
		act_close(scene, fds[i], NULL, "reason=local");
}

void bind_options(struct scene *scene)
{
	struct tool tool;

	tool_start(&tool, scene, NULL);
	bind_with(scene, AF_INET, SOL_SOCKET, SO_REUSEADDR, "127.0.0.1", 7420);
	bind_with(scene, AF_INET, SOL_SOCKET, SO_REUSEPORT, "127.0.0.1", 7421);
	bind_with(scene, AF_INET, IPPROTO_IP, IP_FREEBIND, "192.0.2.1", 7422);
	bind_with(scene, AF_INET, IPPROTO_IP, IP_TRANSPARENT, "192.0.2.2", 7423);
	two_reuse_port(scene);
	if (!access("/proc/sys/net/ipv6/conf/lo", F_OK))
		bind_with(scene, AF_INET6, IPPROTO_IPV6, IPV6_V6ONLY, "::", 7425);
	tool_settle(&tool);
	tool_end(&tool);
	ledger_check(&tool, NULL);
}

/* --- forbidden by a security module -----------------------------------------------------------------------
 */

/* linux/landlock.h of 6.7; older headers do not have the second half. */
struct ruleset {
	uint64_t files, net;
};
#define NET_BIND_TCP	1u
#define NET_CONNECT_TCP 2u

/* From now on this process binds and connects no TCP socket. */
static void forbid_tcp(struct scene *scene)
{
	const struct ruleset nothing = {.net = NET_BIND_TCP | NET_CONNECT_TCP};
	int fd = (int)syscall(SYS_landlock_create_ruleset, &nothing, sizeof(nothing), 0);

	if (fd < 0)
		scene_skip(scene, "no Landlock for TCP here: %s", strerror(errno));
	scene_must(scene, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges");
	scene_must(scene, syscall(SYS_landlock_restrict_self, fd, 0), "landlock_restrict_self");
	close(fd);
}

/* As SELinux and AppArmor do, it says no before TCP is asked. */
static void be_forbidden(struct scene *scene, void *context)
{
	union address peer = address_of("127.0.0.1", 7451);
	int fd = act_socket(scene, AF_INET, SOCK_STREAM);

	forbid_tcp(scene);
	expect_bind(scene, fd, "127.0.0.1", 7450, EACCES);
	if (act_connect(scene, fd, &peer) != EACCES)
		scene_fail(scene, "connect was not forbidden");
	expect_bind(scene, fd, "127.0.0.1", 7450, EACCES);
	close(fd);
}

void forbidden_by_policy(struct scene *scene)
{
	struct tool tool;

	tool_start(&tool, scene, NULL);
	actor_join(scene, actor_start(scene, be_forbidden, NULL));
	tool_settle(&tool);
	tool_end(&tool);
	ledger_check(&tool, NULL);
}
