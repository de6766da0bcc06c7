/* SPDX-License-Identifier: GPL-2.0-only */
#include "top_desk.h"

#include "act.h"

#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#define QUEUE	 16
#define ACCEPTED 3
#define WAITING	 2
#define SENT	 700 /* bytes: below a thousand they are shown as they are */

static void hold(struct scene *scene, void *context)
{
	const struct top_load *load = context;
	union address address = address_of("127.0.0.1", TOP_PORT),
		      next = address_of("127.0.0.1", TOP_PORT + 1);
	int listener;

	prctl(PR_SET_NAME, load->comm);
	listener = act_listener(scene, &address, QUEUE);
	for (unsigned i = 0; i < ACCEPTED + WAITING; i++) {
		int client = act_socket(scene, AF_INET, SOCK_STREAM);

		act_connect(scene, client, &address);
		if (i < ACCEPTED)
			send_all(scene, client, SENT);
		if (i < ACCEPTED)
			receive_all(scene, act_accept(scene, listener, ACCEPT_NULL), SENT);
	}
	gate_post(scene, load->ready);
	gate_wait(scene, load->go_on);
	if (load->more) {
		listener = act_listener(scene, &next, QUEUE);
		gate_post(scene, load->ready);
		gate_wait(scene, load->go_on);
		close(listener);
		gate_post(scene, load->ready);
	}
	for (;;)
		pause();
}

void top_load_start(struct top_load *load, struct scene *scene, const char *comm, bool more)
{
	*load = (struct top_load){.scene = scene,
				  .ready = gate_new(scene),
				  .go_on = gate_new(scene),
				  .more = more,
				  .comm = comm};
	load->pid = actor_start(scene, hold, load);
	gate_wait(scene, load->ready);
}

void top_load_go_on(struct top_load *load)
{
	gate_post(load->scene, load->go_on);
	gate_wait(load->scene, load->ready);
}

/* Only what is in the scenario's namespace. */
void top_open(struct screen *screen, struct scene *scene, unsigned columns, unsigned rows,
	      const char *arguments)
{
	char all[512];

	screen_open(screen, scene, columns, rows);
	snprintf(all, sizeof(all), "%s netns %u", arguments, scene->netns);
	screen_top(screen, all);
}

void top_leave(struct screen *screen)
{
	screen_key(screen, "q");
	screen_await(screen, "over=0");
	screen_close(screen);
}
