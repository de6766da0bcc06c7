/* SPDX-License-Identifier: GPL-2.0-only */
#include "counts_actor.h"

#include "act.h"
#include "exec_actor.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- what it does -----------------------------------------------------------------------------------------
 */

struct acting {
	struct scene *scene;
	unsigned port; /* of the listener; the next two are for a bind, and for nobody */
	int listener;
	struct tally tally;
};

static void exchange(struct acting *acting, int from, int to, size_t size, unsigned long long *sent)
{
	send_all(acting->scene, from, size);
	receive_all(acting->scene, to, size);
	*sent += size;
}

static void connect_once(struct acting *acting, unsigned round)
{
	union address server = address_of("127.0.0.1", (uint16_t)acting->port);
	int client = act_socket(acting->scene, AF_INET, SOCK_STREAM), accepted, first, last;

	scene_must(acting->scene, connect(client, &server.any, address_length(&server)), "connect");
	acting->tally.connects++;
	accepted = (int)scene_must(acting->scene, accept_by(acting->listener, round % ACCEPT_VARIANTS),
				   "accept");
	acting->tally.accepts++;
	exchange(acting, client, accepted, round % 97 + 1, &acting->tally.client_sent);
	exchange(acting, accepted, client, round % 1777 + 1, &acting->tally.server_sent);
	first = round % 2 ? client : accepted;
	last = round % 2 ? accepted : client;
	close(first);
	receive_end(acting->scene, last);
	close(last);
}

static void bind_once(struct acting *acting, unsigned port, int wanted)
{
	union address own = address_of("127.0.0.1", (uint16_t)port);
	int fd = act_socket(acting->scene, AF_INET, SOCK_STREAM);
	int error = bind(fd, &own.any, address_length(&own)) ? errno : 0;

	if (error != wanted)
		scene_fail(acting->scene, "bind to %u: %s", port, errno_text(error));
	if (error)
		acting->tally.bind_errors++;
	else if (port)
		acting->tally.binds++;
	else
		acting->tally.any_port_binds++;
	close(fd);
}

static void connect_in_vain(struct acting *acting)
{
	union address nobody = address_of("127.0.0.1", (uint16_t)(acting->port + 2));
	int fd = act_socket(acting->scene, AF_INET, SOCK_STREAM);

	if (!connect(fd, &nobody.any, address_length(&nobody)) || errno != ECONNREFUSED)
		scene_fail(acting->scene, "nobody listens there, and it is not refused");
	acting->tally.connect_errors++;
	close(fd);
}

static void send_once(struct acting *acting)
{
	union address discard = address_of("127.0.0.1", 9);
	int fd = act_socket(acting->scene, AF_INET, SOCK_DGRAM);

	if (sendto(fd, "x", 1, 0, &discard.any, address_length(&discard)) == 1)
		acting->tally.sends++;
	close(fd);
}

static void do_round(struct acting *acting, unsigned round)
{
	connect_once(acting, round);
	bind_once(acting, acting->port, EADDRINUSE);
	bind_once(acting, acting->port + 1, 0);
	bind_once(acting, 0, 0);
	connect_in_vain(acting);
	send_once(acting);
}

static void listen_there(struct acting *acting)
{
	union address server = address_of("127.0.0.1", (uint16_t)acting->port);

	acting->listener = act_socket(acting->scene, AF_INET, SOCK_STREAM);
	scene_must(acting->scene, bind(acting->listener, &server.any, address_length(&server)), "bind");
	acting->tally.binds++;
	scene_must(acting->scene, listen(acting->listener, 64), "listen");
}

/* At once or not at all, so that who waits for it reads it whole. */
static void write_tally(struct scene *scene, const char *truth, const struct tally *tally)
{
	char beside[700];
	FILE *to;

	snprintf(beside, sizeof(beside), "%s.new", truth);
	to = fopen(beside, "we");
	if (!to || fwrite(tally, sizeof(*tally), 1, to) != 1 || fclose(to) || rename(beside, truth))
		scene_fail(scene, "%s: %s", truth, strerror(errno));
}

void counts_actor_part(struct scene *scene, const char *truth, unsigned port, unsigned rounds)
{
	struct acting acting = {.scene = scene, .port = port};

	listen_there(&acting);
	for (unsigned round = 0; round < rounds; round++)
		do_round(&acting, round);
	write_tally(scene, truth, &acting.tally);
	pause();
}

/* --- the scenario's side ----------------------------------------------------------------------------------
 */

static void copy_self(const struct scene *scene, const char *to)
{
	int in = (int)scene_must(scene, open("/proc/self/exe", O_RDONLY | O_CLOEXEC), "/proc/self/exe");
	int out = (int)scene_must(scene, open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755), to);
	struct stat stat_buf;
	off_t at = 0;

	scene_must(scene, fstat(in, &stat_buf), "fstat");
	while (at < stat_buf.st_size)
		scene_must(scene, sendfile(out, in, &at, (size_t)(stat_buf.st_size - at)), "sendfile");
	close(in);
	scene_must(scene, close(out), to);
}

#define ROUNDS_PATIENT 2000 /* what one may have to wait for as long as for anything else */

struct start {
	const struct counts_actor *actor;
	char port[16], rounds[16];
};

static void become(struct scene *scene, void *context)
{
	const struct start *start = context;
	const struct counts_actor *actor = start->actor;

	execl(actor->path, actor->path, EXEC_ACTOR_FLAG, actor->truth, "counts", start->port, start->rounds,
	      (char *)NULL);
	scene_fail(scene, "%s: %s", actor->path, strerror(errno));
}

void counts_actor_start(struct scene *scene, struct counts_actor *actor, unsigned port, unsigned rounds)
{
	struct start start = {.actor = actor};

	snprintf(actor->name, sizeof(actor->name), "counted-%d-%u", getpid(), port);
	snprintf(actor->path, sizeof(actor->path), "%s/%s", scene->out_dir, actor->name);
	snprintf(actor->truth, sizeof(actor->truth), "%s.tally", actor->path);
	actor->rounds = rounds;
	unlink(actor->truth);
	copy_self(scene, actor->path);
	snprintf(start.port, sizeof(start.port), "%u", port);
	snprintf(start.rounds, sizeof(start.rounds), "%u", rounds);
	actor->pid = actor_start(scene, become, &start);
}

struct tally counts_actor_wait(struct scene *scene, struct counts_actor *actor)
{
	uint64_t patience_ns = scene->patience_s * 1000000000ull * (1 + actor->rounds / ROUNDS_PATIENT);
	uint64_t deadline_ns = scene_clock_ns() + patience_ns;
	struct tally tally;
	FILE *from;

	while (!(from = fopen(actor->truth, "re"))) {
		if (waitpid(actor->pid, NULL, WNOHANG) == actor->pid)
			scene_fail(scene, "%s has ended", actor->name);
		if (scene_clock_ns() > deadline_ns)
			scene_fail(scene, "%s does not come to its end", actor->name);
		usleep(10000);
	}
	if (fread(&tally, sizeof(tally), 1, from) != 1)
		scene_fail(scene, "%s: no tally", actor->truth);
	fclose(from);
	return tally;
}

void counts_actor_end(struct scene *scene, struct counts_actor *actor)
{
	actor_kill(scene, actor->pid);
	unlink(actor->path);
	unlink(actor->truth);
}
