/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs as the distribution ships them: right processes on both sides, right ports, right payload. */
#include "program.h"
#include "scenarios.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void write_text(struct scene *scene, const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	if (!file || fputs(text, file) < 0 || fclose(file))
		scene_fail(scene, "cannot write %s", path);
}

/* The server listens when the tool says so. */
static void start_server(struct tool *tool, struct program *server, const char *const *argv,
			 enum event_kind ready)
{
	unsigned before = tool->counts[ready];

	program_start(tool->scene, server, argv);
	if (!tool_await_count(tool, ready, before + 1))
		scene_fail(tool->scene, "%s never came up, see %s", argv[0], server->out_path);
}

static void expect_accepter(struct tool *tool, const struct program *server, const struct exchange *exchange)
{
	if (!program_is(tool->scene, server, exchange->accepter))
		scene_fail(tool->scene, "port %u was accepted by %d, which is not the server",
			   exchange->client_port, exchange->accepter);
}

/* --- HTTP -------------------------------------------------------------------------------------------------
 */

#define CURL_SAYS "%{local_port} %{size_request} %{size_header} %{size_download}\n"

static struct exchange curl(struct scene *scene, const char *url, uint16_t server_port)
{
	const char *const argv[] = {"curl",	 "-s", "--noproxy", "*", "-o",
				    "/dev/null", "-w", CURL_SAYS,   url, NULL};
	struct exchange exchange = {.server_port = server_port};
	struct program client;
	unsigned port, request, header, body;
	char *said;

	program_start(scene, &client, argv);
	said = program_finish(scene, &client);
	if (sscanf(said, "%u %u %u %u", &port, &request, &header, &body) != 4)
		scene_fail(scene, "curl said %s", said);
	free(said);
	exchange.client = client.pid;
	exchange.client_port = (uint16_t)port;
	exchange.sent = request;
	exchange.received = (int64_t)header + body;
	return exchange;
}

#define REQUESTS 20

/* exchange_check() after the tool has ended, but who is whose child is to be asked while the server runs. */
static void many_requests(struct tool *tool, struct program *server, const char *url, uint16_t port)
{
	struct exchange exchanges[REQUESTS];

	for (int i = 0; i < REQUESTS; i++)
		exchanges[i] = curl(tool->scene, url, port);
	tool_await_count(tool, EVENT_CLOSE, 2 * REQUESTS);
	tool_settle(tool);
	tool_end(tool);
	for (int i = 0; i < REQUESTS; i++) {
		exchange_check(tool, &exchanges[i]);
		expect_accepter(tool, server, &exchanges[i]);
	}
	program_stop(tool->scene, server);
}

void server_nginx(struct scene *scene)
{
	char directory[512], config[600], prefix[600], text[4096];
	const char *const argv[] = {"nginx", "-p", prefix, "-c", config, "-e", "stderr", NULL};
	struct program server;
	struct tool tool;

	scene_need_program(scene, "nginx");
	scene_need_program(scene, "curl");
	program_directory(scene, directory);
	snprintf(prefix, sizeof(prefix), "%s/", directory);
	snprintf(config, sizeof(config), "%s/nginx.conf", directory);
	snprintf(text, sizeof(text),
		 "daemon off;\nuser root;\nworker_processes 3;\npid %s/pid;\nevents {}\nhttp {\n"
		 "access_log off;\nclient_body_temp_path %s/a;\nproxy_temp_path %s/b;\n"
		 "fastcgi_temp_path %s/c;\nuwsgi_temp_path %s/d;\nscgi_temp_path %s/e;\n"
		 "server { listen 127.0.0.1:8700; root %s; }\n}\n",
		 directory, directory, directory, directory, directory, directory, directory);
	write_text(scene, config, text);
	tool_start(&tool, scene, NULL);
	start_server(&tool, &server, argv, EVENT_LISTEN);
	many_requests(&tool, &server, "http://127.0.0.1:8700/nginx.conf", 8700);
}

void server_python(struct scene *scene)
{
	char directory[512], file[600], body[100000];
	const char *const argv[] = {"python3", "-m",	  "http.server", "--bind", "127.0.0.1",
				    "-d",      directory, "8701",	 NULL};
	struct program server;
	struct tool tool;

	scene_need_program(scene, "python3");
	scene_need_program(scene, "curl");
	program_directory(scene, directory);
	snprintf(file, sizeof(file), "%s/body", directory);
	memset(body, 'x', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	write_text(scene, file, body);
	tool_start(&tool, scene, NULL);
	start_server(&tool, &server, argv, EVENT_LISTEN);
	many_requests(&tool, &server, "http://127.0.0.1:8701/body", 8701);
}

/* --- redis ------------------------------------------------------------------------------------------------
 */

void server_redis(struct scene *scene)
{
	char directory[512];
	const char *const argv[] = {"redis-server", "--port", "8702",  "--bind",  "127.0.0.1",
				    "--save",	    "",	      "--dir", directory, NULL};
	const char *const ping[] = {"redis-cli", "-p", "8702", "PING", NULL};
	struct exchange exchanges[REQUESTS];
	struct program server;
	struct tool tool;

	scene_need_program(scene, "redis-server");
	scene_need_program(scene, "redis-cli");
	program_directory(scene, directory);
	tool_start(&tool, scene, NULL);
	start_server(&tool, &server, argv, EVENT_LISTEN);
	for (int i = 0; i < REQUESTS; i++) {
		struct program client;

		program_start(scene, &client, ping);
		free(program_finish(scene, &client));
		/* "*1\r\n$4\r\nPING\r\n" and "+PONG\r\n" */
		exchanges[i] = (struct exchange){
			.server_port = 8702, .client = client.pid, .sent = 14, .received = 7};
	}
	tool_await_count(&tool, EVENT_CLOSE, 2 * REQUESTS);
	tool_settle(&tool);
	tool_end(&tool);
	for (int i = 0; i < REQUESTS; i++) {
		exchange_check(&tool, &exchanges[i]);
		if (exchanges[i].accepter != server.pid)
			scene_fail(scene, "accepted by %d, not by the server", exchanges[i].accepter);
	}
	program_stop(scene, &server);
}

/* --- DNS --------------------------------------------------------------------------------------------------
 */

struct datagrams {
	pid_t client;
	unsigned ports, closes;
};

/* However the program gets its port, it is one event, and the close is another. */
static void count_datagrams(struct scene *scene, const json_t *event, void *context)
{
	struct datagrams *count = context;
	const char *name = event_string(event, "event_name");

	if (event_number(event, "portsnoop.netns") != scene->netns ||
	    event_number(event, "process.pid") != (uint64_t)count->client ||
	    strcmp(event_string(event, "network.transport"), "udp"))
		return;
	count->ports += !strcmp(name, "bind") || !strcmp(name, "autobind");
	count->closes += !strcmp(name, "close");
}

static pid_t dig(struct scene *scene, const char *how)
{
	const char *const argv[] = {"dig", "@127.0.0.1", "-p", "8703", how, "+short", "live.test", NULL};
	struct program client;
	char *said;

	program_start(scene, &client, argv);
	said = program_finish(scene, &client);
	if (!strstr(said, "192.0.2.7"))
		scene_fail(scene, "dig said %s", said);
	free(said);
	return client.pid;
}

void server_dnsmasq(struct scene *scene)
{
	static const char *const argv[] = {"dnsmasq",
					   "--no-daemon",
					   "--conf-file=/dev/null",
					   "--port=8703",
					   "--no-resolv",
					   "--no-hosts",
					   "--user=root",
					   "--bind-interfaces",
					   "--listen-address=127.0.0.1",
					   "--address=/live.test/192.0.2.7",
					   NULL};
	struct exchange by_tcp = {.server_port = 8703, .sent = -1, .received = -1};
	struct datagrams by_udp = {0};
	struct program server;
	struct tool tool;

	scene_need_program(scene, "dnsmasq");
	scene_need_program(scene, "dig");
	tool_start(&tool, scene, NULL);
	start_server(&tool, &server, argv, EVENT_LISTEN);
	by_udp.client = dig(scene, "+notcp");
	by_tcp.client = dig(scene, "+tcp");
	tool_settle(&tool);
	tool_end(&tool);
	exchange_check(&tool, &by_tcp);
	if (by_tcp.accepter != server.pid)
		scene_fail(scene, "the query by TCP was accepted by %d", by_tcp.accepter);
	tool_each_line(scene, tool.out_path, count_datagrams, &by_udp);
	if (!by_udp.ports || by_udp.ports != by_udp.closes)
		scene_fail(scene, "the query by UDP: %u ports taken, %u given back", by_udp.ports,
			   by_udp.closes);
	program_stop(scene, &server);
}
