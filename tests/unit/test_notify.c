/* SPDX-License-Identifier: GPL-2.0-only */
/* What the service manager is sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "system/notify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int listen_at(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	size_t length = offsetof(struct sockaddr_un, sun_path) + strlen(path);

	memcpy(name.sun_path, path, strlen(path));
	if (*path == '@')
		name.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&name, (socklen_t)length), 0);
	setenv("NOTIFY_SOCKET", path, 1);
	return fd;
}

static void assert_got(int fd, const char *begin)
{
	char text[128] = "";

	assert_true(recv(fd, text, sizeof(text) - 1, 0) > 0);
	assert_int_equal(strncmp(text, begin, strlen(begin)), 0);
}

static void is_sent(void **state)
{
	char folder[] = "/tmp/portsnoop-test-XXXXXX", path[64];
	int fd;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/s", folder);
	fd = listen_at(path);
	assert_int_equal(notify("READY=1"), 0);
	assert_got(fd, "READY=1");
	assert_int_equal(notify_reloading(), 0);
	assert_got(fd, "RELOADING=1\nMONOTONIC_USEC=");
	close(fd);
	unlink(path);
	assert_int_equal(notify("STOPPING=1"), -ENOENT);
	rmdir(folder);
	snprintf(path, sizeof(path), "@portsnoop-test-%d", getpid());
	fd = listen_at(path);
	assert_int_equal(notify("STOPPING=1"), 0);
	assert_got(fd, "STOPPING=1");
	close(fd);
}

static void nobody_wants_to_know(void **state)
{
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "", 1);
	assert_int_equal(notify("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "relative", 1);
	assert_int_equal(notify("READY=1"), -EINVAL);
}

static void watchdog(void **state)
{
	char pid[16];

	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	assert_int_equal(notify_watchdog_ns(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	assert_int_equal(notify_watchdog_ns(), 30000000000);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(notify_watchdog_ns(), 0);
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(notify_watchdog_ns(), 30000000000);
	setenv("WATCHDOG_USEC", "30s", 1);
	assert_int_equal(notify_watchdog_ns(), 0);
	setenv("WATCHDOG_USEC", "99999999999999999999", 1);
	assert_int_equal(notify_watchdog_ns(), 0);
}

static void journal(void **state)
{
	struct stat status;
	char stream[64];

	unsetenv("JOURNAL_STREAM");
	assert_false(notify_is_journal());
	assert_int_equal(fstat(STDERR_FILENO, &status), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)status.st_dev,
		 (unsigned long long)status.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	assert_true(notify_is_journal());
	setenv("JOURNAL_STREAM", "1:2", 1);
	assert_false(notify_is_journal());
	setenv("JOURNAL_STREAM", "none", 1);
	assert_false(notify_is_journal());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_sent),
		cmocka_unit_test(nobody_wants_to_know),
		cmocka_unit_test(watchdog),
		cmocka_unit_test(journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
