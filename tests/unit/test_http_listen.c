/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses in words, sockets of files, and what systemd hands over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/http_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char message[256];

static void addresses(void **state)
{
	static const char *const good[] = {"127.0.0.1:0", "0.0.0.0:0", ":0"};
	struct sockaddr_in name;
	socklen_t size = sizeof(name);
	int fd;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		fd = http_listen(good[i], message, sizeof(message));
		assert_true(fd >= 0);
		close(fd);
	}
	fd = http_listen("127.0.0.1:0", message, sizeof(message));
	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
	assert_int_equal(ntohl(name.sin_addr.s_addr), INADDR_LOOPBACK);
	close(fd);
}

static void addresses_that_are_none(void **state)
{
	static const char *const bad[] = {"localhost:1",
					  "127.0.0.1:",
					  "127.0.0.1:x",
					  "127.0.0.1:65536",
					  "127.0.0.1:-1",
					  "[::1",
					  "[::1]1",
					  "::1:x",
					  "256.0.0.1:1",
					  "1.2.3.4:1:2",
					  "127.0.0.1:123456789",
					  "18910"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(http_listen(bad[i], message, sizeof(message)), -EINVAL);
		assert_non_null(strstr(message, bad[i]));
	}
}

static void taken(void **state)
{
	struct sockaddr_in name;
	socklen_t size = sizeof(name);
	int fd = http_listen("127.0.0.1:0", message, sizeof(message));
	char address[32];

	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
	snprintf(address, sizeof(address), "127.0.0.1:%d", ntohs(name.sin_port));
	assert_int_equal(http_listen(address, message, sizeof(message)), -EADDRINUSE);
	assert_non_null(strstr(message, "Address already in use"));
	close(fd);
}

static void files(void **state)
{
	char folder[] = "/tmp/portsnoop-test-XXXXXX", address[64];
	struct stat status;
	int fd;

	assert_non_null(mkdtemp(folder));
	snprintf(address, sizeof(address), "unix:%s/s", folder);
	fd = http_listen(address, message, sizeof(message));
	assert_true(fd >= 0);
	assert_int_equal(stat(address + 5, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0660);
	/* One that somebody listens on stays his. */
	assert_int_equal(http_listen(address, message, sizeof(message)), -EADDRINUSE);
	close(fd);
	fd = http_listen(address, message, sizeof(message));
	assert_true(fd >= 0);
	close(fd);
	unlink(address + 5);
	fd = open(address + 5, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(http_listen(address, message, sizeof(message)), -EADDRINUSE);
	close(fd);
	assert_int_equal(stat(address + 5, &status), 0);
	assert_true(S_ISREG(status.st_mode));
	unlink(address + 5);
	rmdir(folder);
	assert_int_equal(http_listen("unix:", message, sizeof(message)), -EINVAL);
}

/* In a child, with descriptor 3 as systemd leaves it. Returns what http_listen_inherited() did. */
static int inherited(int fd, const char *pid, const char *count, size_t max)
{
	int status, got[4];
	pid_t child = fork();
	char own[16];

	if (child == 0) {
		snprintf(own, sizeof(own), "%d", getpid());
		dup2(fd, 3);
		setenv("LISTEN_PID", pid ? pid : own, 1);
		setenv("LISTEN_FDS", count, 1);
		status = http_listen_inherited(got, max, message, sizeof(message));
		if (status == 1 && (got[0] != 3 || !(fcntl(3, F_GETFD) & FD_CLOEXEC)))
			status = 99;
		_exit(status < 0 ? 100 : status);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WEXITSTATUS(status);
}

static void of_systemd(void **state)
{
	int fd = http_listen("127.0.0.1:0", message, sizeof(message)), file = open("/dev/null", O_RDWR);

	assert_int_equal(inherited(fd, NULL, "1", 4), 1);
	assert_int_equal(inherited(fd, "1", "1", 4), 0);
	assert_int_equal(inherited(fd, NULL, "0", 4), 0);
	assert_int_equal(inherited(fd, NULL, "5", 4), 100);
	assert_int_equal(inherited(fd, NULL, "-1", 4), 100);
	assert_int_equal(inherited(file, NULL, "1", 4), 100);
	close(fd);
	close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),  cmocka_unit_test(addresses_that_are_none),
		cmocka_unit_test(taken),      cmocka_unit_test(files),
		cmocka_unit_test(of_systemd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
