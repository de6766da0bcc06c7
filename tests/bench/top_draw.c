/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a refresh of top costs, and what a key does, with many connections in the tables: reading the view,
 * its order, and the canvas, without the terminal. No kernel, no privileges.
 *
 * usage: top_draw ROUNDS CONNECTIONS
 *
 * {"view":…,"rows":…,"refresh_ns":[…],"key_ns":[…]} for each view; CPU time.
 */
#include "mix.h"

#include "../unit/top_scene.h"
#include "core/model.h"

#define SCREEN_ROWS    50
#define SCREEN_COLUMNS 160

struct desk {
	struct model *model;
	struct top_scene scene;
	struct canvas canvas;
	uint64_t now_ns;
};

/* --- the load ---------------------------------------------------------------------------------------------
 */

static void apply(struct desk *desk, const void *data, size_t size)
{
	struct record record;
	struct change change;

	if (record_decode(data, size, &record) || model_apply(desk->model, &record, &change))
		die("a record was refused");
	top_scene_take(&desk->scene, desk->model, &change);
}

static struct rec_socket end_of(unsigned i, bool server)
{
	struct rec_socket socket = {
		.cookie = server ? SERVER_OF(i) : CLIENT_OF(i),
		.netns = NETNS,
		.local_addr = {127, 0, (uint8_t)(server ? 0 : i / 20000), 1},
		.peer_addr = {127, 0, (uint8_t)(server ? i / 20000 : 0), 1},
		.local_port = (uint16_t)(server ? 443 : 32768 + i % 20000),
		.peer_port = (uint16_t)(server ? 32768 + i % 20000 : 443),
		.protocol = IPPROTO_TCP,
		.family = AF_INET,
		.state = 1,
	};

	return socket;
}

static void connect_one(struct desk *desk, unsigned i)
{
	struct rec_connect connect = {
		.fact = {.header = header_of(REC_CONNECT, sizeof(connect), i),
			 .task = task_of(CLIENT_PID(i)),
			 .socket = end_of(i, false)},
		.duration_ns = 30000,
	};
	struct rec_accept accept = {
		.fact = {.header = header_of(REC_ACCEPT, sizeof(accept), i),
			 .task = task_of(SERVER_PID),
			 .socket = end_of(i, true)},
		.listener = LISTENER,
	};

	apply(desk, &connect, sizeof(connect));
	apply(desk, &accept, sizeof(accept));
	desk->now_ns = accept.fact.header.time_ns;
}

static void fill(struct desk *desk, unsigned connections)
{
	struct rec_listen listen = {
		.fact = {.header = header_of(REC_LISTEN, sizeof(listen), 0),
			 .task = task_of(SERVER_PID),
			 .socket = end_of(0, true)},
		.backlog = 511,
	};

	listen.fact.socket.cookie = LISTENER;
	listen.fact.socket.state = 10;
	listen.fact.socket.peer_port = 0;
	memset(listen.fact.socket.peer_addr, 0, sizeof(listen.fact.socket.peer_addr));
	apply(desk, &listen, sizeof(listen));
	for (unsigned i = 0; i < connections / 2; i++)
		connect_one(desk, i);
}

/* --- what is measured -------------------------------------------------------------------------------------
 */

static void draw_desk(struct desk *desk)
{
	top_scene_draw(&desk->scene, desk->model, &desk->canvas);
}

static void refresh(struct desk *desk)
{
	rates_tick(desk->scene.rates, desk->now_ns++);
	top_count(desk->model, &desk->scene.counts);
	if (top_scene_read(&desk->scene, desk->model, desk->now_ns))
		die("out of memory");
	draw_desk(desk);
}

static void measure(struct desk *desk, unsigned rounds, const char *what, uint32_t key)
{
	printf("\"%s\":[", what);
	for (unsigned i = 0; i < rounds; i++) {
		uint64_t begun = clock_ns(CLOCK_PROCESS_CPUTIME_ID);

		if (key) {
			top_state_key(&desk->scene.state, key);
			draw_desk(desk);
		} else {
			refresh(desk);
		}
		printf("%s%llu", i ? "," : "",
		       (unsigned long long)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - begun));
	}
	printf("]");
}

int main(int argc, char **argv)
{
	static struct desk desk;
	unsigned rounds, connections;

	if (argc != 3)
		die("usage: top_draw ROUNDS CONNECTIONS");
	rounds = count_of(argv[1]);
	connections = count_of(argv[2]);
	desk.model = model_new(NULL);
	if (!desk.model || !top_scene_open(&desk.scene) ||
	    canvas_resize(&desk.canvas, SCREEN_ROWS, SCREEN_COLUMNS))
		die("out of memory");
	fill(&desk, connections);
	for (unsigned view = 0; view < TOP_VIEWS; view++) {
		desk.scene.state.view = (enum top_view)view;
		refresh(&desk);
		printf("{\"view\":\"%s\",\"rows\":%zu,", top_view_name(desk.scene.state.view),
		       desk.scene.table.n);
		measure(&desk, rounds, "refresh_ns", 0);
		printf(",");
		measure(&desk, rounds, "key_ns", TOP_KEY_PAGE_DOWN);
		printf("}\n");
	}
	return 0;
}
