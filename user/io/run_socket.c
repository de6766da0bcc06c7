/* SPDX-License-Identifier: GPL-2.0-only */
#include "io/run_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define DEFAULT_DIRECTORY "/run/portsnoop"
#define SOCKET_NAME	  "instance.sock"
#define LOCK_NAME	  "instance.lock"
#define BACKLOG		  16
#define PATIENCE_S	  1 /* to be let in: one that hangs lets nobody in */

static const char *directory(void)
{
	const char *chosen = secure_getenv("PORTSNOOP_RUNDIR");

	return chosen && *chosen ? chosen : DEFAULT_DIRECTORY;
}

/* False when it is too long for a socket's address. */
static bool put_path(char *to, size_t size, const char *name)
{
	int length = snprintf(to, size, "%s/%s", directory(), name);

	return length > 0 && (size_t)length < size;
}

/* The lock is the kernel's: it goes with its process, however that ends. */
static int take_lock(void)
{
	char path[256];
	int fd;

	if (!put_path(path, sizeof(path), LOCK_NAME))
		return -ENAMETOOLONG;
	if (mkdir(directory(), 0755) && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	close(fd);
	return errno == EWOULDBLOCK ? -EBUSY : -errno;
}

static int address_of(struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	return put_path(address->sun_path, sizeof(address->sun_path), SOCKET_NAME) ? 0 : -ENAMETOOLONG;
}

/* With the lock held, a socket file that is there is a dead one's. */
static int listen_at(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error;
	mode_t before;

	if (fd < 0)
		return -errno;
	unlink(address->sun_path);
	before = umask(0177);
	error = bind(fd, (const struct sockaddr *)address, sizeof(*address)) ? errno : 0;
	umask(before);
	if (!error && listen(fd, BACKLOG))
		error = errno;
	if (!error)
		return fd;
	close(fd);
	return -error;
}

int run_socket_open(struct run_socket *run)
{
	struct sockaddr_un address;
	int error = address_of(&address);

	*run = (struct run_socket){.listen_fd = -1, .lock_fd = -1};
	if (error)
		return error;
	run->lock_fd = take_lock();
	if (run->lock_fd < 0)
		return run->lock_fd;
	run->listen_fd = listen_at(&address);
	if (run->listen_fd < 0) {
		close(run->lock_fd);
		run->lock_fd = -1;
		return run->listen_fd;
	}
	memcpy(run->path, address.sun_path, sizeof(run->path));
	return 0;
}

void run_socket_close(struct run_socket *run)
{
	if (run->listen_fd >= 0) {
		unlink(run->path);
		close(run->listen_fd);
	}
	if (run->lock_fd >= 0)
		close(run->lock_fd);
	run->listen_fd = run->lock_fd = -1;
}

/* Root, or our own account. */
static bool is_trusted(int fd)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

int run_socket_accept(const struct run_socket *run)
{
	int fd = accept4(run->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return errno == EWOULDBLOCK || errno == ECONNABORTED || errno == EINTR ? -EAGAIN : -errno;
	if (is_trusted(fd))
		return fd;
	close(fd);
	return -EPERM;
}

int run_socket_connect(void)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	struct sockaddr_un address;
	int error = address_of(&address), fd;

	if (error)
		return error;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		error = -errno;
	else if (!is_trusted(fd))
		error = -EPERM;
	else
		return fd;
	close(fd);
	return error;
}
