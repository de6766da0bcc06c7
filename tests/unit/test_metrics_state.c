/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/metrics_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "metrics_fixture.h"

#define HOST  "netns=\"4026531840\""
#define NGINX "process_executable_name=\"nginx\""

static int setup_state(void **state)
{
	int error = setup_metrics(state);
	struct metrics_fixture *s = *state;

	if (error)
		return error;
	apply_meta(s->f, META_RANGE, TEST_NETNS, "40000 40099");
	apply_meta(s->f, META_RESERVED, TEST_NETNS, "");
	return 0;
}

static void scrape(struct metrics_fixture *s)
{
	metrics_begin(s->metrics);
	assert_int_equal(metrics_state_tell(s->metrics, s->f->model, s->filter, s->f->now_ns), 0);
	end_scrape(s);
}

static void found(struct fixture *f, uint64_t cookie, uint16_t port, uint8_t tcp_state)
{
	make_fact(&f->record, REC_SOCKET, 0, cookie, port);
	f->record.fact.socket.state = tcp_state;
	f->record.fact.socket.local_addr[0] = 10;
}

static void listener(struct fixture *f, uint64_t cookie, uint16_t port)
{
	found(f, cookie, port, TCP_LISTEN);
	f->record.row.queue_length = 2;
	f->record.row.queue_limit = 128;
	apply(f);
}

static void connection(struct fixture *f, uint64_t cookie, uint16_t port, uint16_t peer_port,
		       uint8_t tcp_state)
{
	found(f, cookie, port, tcp_state);
	f->record.fact.socket.peer_addr[0] = 11;
	f->record.fact.socket.peer_port = peer_port;
	if (tcp_state == TCP_TIME_WAIT)
		f->record.header.flags |= SOCKET_F_REMAINS;
	apply(f);
}

static void held(struct fixture *f, uint32_t pid, uint64_t cookie)
{
	make_holder(&f->record, pid, cookie, 3);
	apply(f);
}

static void nginx(struct fixture *f, uint32_t pid)
{
	make_process(&f->record, pid, "nginx\0sbin\0usr", "");
	apply(f);
}

static void listeners(void **state)
{
	struct metrics_fixture *s = *state;

	listener(s->f, 1, 80);
	nginx(s->f, 7);
	nginx(s->f, 8);
	held(s->f, 7, 1);
	held(s->f, 8, 1);
	scrape(s);
#define AT                                                                                                   \
	"network_transport=\"tcp\",network_type=\"ipv4\",local_address=\"10.0.0.0\",local_port="             \
	"\"80\"," NGINX "," HOST
	EXPECT(s, "portsnoop_listeners{" AT "} 1");
	EXPECT(s, "portsnoop_listener_processes{" AT "} 2");
	EXPECT(s, "portsnoop_accept_queue_length{" AT "} 2");
	EXPECT(s, "portsnoop_accept_queue_limit{" AT "} 128");
}

/* SO_REUSEPORT. */
static void sockets_of_one_port_add_up(void **state)
{
	struct metrics_fixture *s = *state;

	listener(s->f, 1, 80);
	listener(s->f, 2, 80);
	nginx(s->f, 7);
	held(s->f, 7, 1);
	held(s->f, 7, 2);
	scrape(s);
	EXPECT(s, "portsnoop_listeners{" AT "} 2");
	EXPECT(s, "portsnoop_accept_queue_limit{" AT "} 256");
}

static void the_same_port_elsewhere(void **state)
{
	struct metrics_fixture *s = *state;

	listener(s->f, 1, 80);
	found(s->f, 2, 80, TCP_LISTEN);
	s->f->record.fact.socket.netns = 99;
	apply(s->f);
	scrape(s);
	EXPECT(s, "portsnoop_listeners{network_transport=\"tcp\",network_type=\"ipv4\",local_address=\"10.0."
		  "0.0\","
		  "local_port=\"80\"," HOST "} 1");
	EXPECT(s, "portsnoop_listeners{network_transport=\"tcp\",network_type=\"ipv4\",local_address=\"10.0."
		  "0.0\","
		  "local_port=\"80\",netns=\"99\"} 1");
}

static void udp(struct fixture *f, uint64_t cookie, uint16_t port, uint16_t peer_port)
{
	found(f, cookie, port, TCP_CLOSE);
	f->record.fact.socket.protocol = IPPROTO_UDP;
	f->record.fact.socket.peer_port = peer_port;
	apply(f);
}

/* One that serves, not one that asks. */
static void udp_sockets(void **state)
{
	struct metrics_fixture *s = *state;

	udp(s->f, 1, 53, 0);
	udp(s->f, 2, 40007, 0);
	udp(s->f, 3, 5353, 53);
	scrape(s);
	EXPECT(s, "portsnoop_listeners{network_transport=\"udp\",network_type=\"ipv4\",local_address=\"10.0."
		  "0.0\","
		  "local_port=\"53\"," HOST "} 1");
	EXPECT_NO(s, "40007");
	EXPECT_NO(s, "5353");
}

static void connections(void **state)
{
	struct metrics_fixture *s = *state;

	listener(s->f, 1, 80);
	connection(s->f, 2, 80, 50000, TCP_ESTABLISHED);
	connection(s->f, 3, 80, 50001, TCP_ESTABLISHED);
	connection(s->f, 4, 40001, 443, TCP_ESTABLISHED);
	connection(s->f, 5, 40002, 443, TCP_CLOSE_WAIT);
	connection(s->f, 6, 40003, 443, TCP_TIME_WAIT);
	connection(s->f, 7, 700, 443, TCP_ESTABLISHED); /* which way? */
	scrape(s);
	EXPECT(s,
	       "portsnoop_connections{local_port=\"80\"," HOST ",direction=\"in\",state=\"established\"} 2");
	EXPECT(s, "portsnoop_connections{server_port=\"443\"," HOST
		  ",direction=\"out\",state=\"established\"} 1");
	EXPECT(s, "portsnoop_connections{server_port=\"443\"," HOST
		  ",direction=\"out\",state=\"close_wait\"} 1");
	EXPECT(s, "portsnoop_connections{" HOST ",state=\"established\"} 1");
	EXPECT(s, "portsnoop_time_wait_sockets{" HOST "} 1");
	EXPECT_NO(s, "\"40001\"");
}

static void ephemeral_ports(void **state)
{
	struct metrics_fixture *s = *state;

	for (unsigned i = 0; i < 25; i++)
		connection(s->f, 10 + i, (uint16_t)(40000 + i), 443, TCP_ESTABLISHED);
	scrape(s);
	EXPECT(s, "portsnoop_ephemeral_range_ports{" HOST "} 100");
	EXPECT(s, "portsnoop_ephemeral_ports_in_use{network_transport=\"tcp\"," HOST "} 25");
	EXPECT(s, "portsnoop_ephemeral_destination_used_ratio_max{" HOST "} 0.25");
	EXPECT(s, "portsnoop_time_wait_sockets{" HOST "} 0");
}

static void filtered(void **state)
{
	struct metrics_fixture *s = *state;

	set_filter(s, "lport 80");
	listener(s->f, 1, 80);
	listener(s->f, 2, 81);
	connection(s->f, 3, 80, 50000, TCP_ESTABLISHED);
	connection(s->f, 4, 40001, 443, TCP_ESTABLISHED);
	scrape(s);
	EXPECT_NO(s, "\"81\"");
	EXPECT_NO(s, "\"443\"");
	EXPECT_NO(s, "portsnoop_ephemeral");
	assert_non_null(strstr(s->text.data, "portsnoop_connections{local_port=\"80\""));
}

static void overflows(void **state)
{
	struct metrics_fixture *s = *state;

	listener(s->f, 1, 80);
	nginx(s->f, 7);
	held(s->f, 7, 1);
	for (int i = 0; i < 2; i++) {
		make_fact(&s->f->record, REC_OVERFLOW, 0, 1, 80);
		s->f->record.fact.socket.state = TCP_LISTEN;
		s->f->record.fact.socket.local_addr[0] = 10;
		s->f->record.overflow.count = 5;
		apply(s->f);
		metrics_state_count(s->metrics, s->f->model, NULL, &s->f->change);
		scrape(s);
	}
	EXPECT(s, "portsnoop_accept_queue_overflows_total{" AT "} 10");
}

static void repairs(void **state)
{
	struct metrics_fixture *s = *state;
	struct rec_resync *record = (void *)&s->f->record;

	make_record(&s->f->record, REC_RESYNC);
	record->added = 3;
	record->removed = 1;
	apply(s->f);
	metrics_state_count(s->metrics, s->f->model, NULL, &s->f->change);
	scrape(s);
	EXPECT(s, "portsnoop_resyncs_total{reason=\"loss\"} 1");
	EXPECT(s, "portsnoop_resync_repairs_total{change=\"added\"} 3");
	EXPECT(s, "portsnoop_resync_repairs_total{change=\"owner_changed\"} 0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_state, teardown_metrics)
		TEST(listeners),   TEST(sockets_of_one_port_add_up),
		TEST(udp_sockets), TEST(the_same_port_elsewhere),
		TEST(connections), TEST(ephemeral_ports),
		TEST(filtered),	   TEST(overflows),
		TEST(repairs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
