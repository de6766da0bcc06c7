/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sendto(2) on an unconnected UDP socket whose port is known already, to a receiver that never reads: its
 * buffer is full after the warm-up, so every send takes the same way.
 *
 * usage: udp_send BATCHES COUNT     {"ns":[…]}: CPU time a send, by batch of COUNT sends
 */
#include "bench.h"

#define RECEIVER_PORT 701
#define WARM_UP	      5000

static void send_many(int fd, unsigned count)
{
	struct sockaddr_in address = loopback(RECEIVER_PORT);

	for (unsigned i = 0; i < count; i++)
		must((int)sendto(fd, "ping", 4, 0, (struct sockaddr *)&address, sizeof(address)), "sendto");
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = loopback(RECEIVER_PORT);
	unsigned batches, count;
	int receiver, sender;

	if (argc != 3)
		die("usage: udp_send BATCHES COUNT");
	batches = count_of(argv[1]);
	count = count_of(argv[2]);
	private_network();
	receiver = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
	sender = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
	must(bind(receiver, (struct sockaddr *)&address, sizeof(address)), "bind");
	send_many(sender, WARM_UP);
	printf("{\"ns\":[");
	for (unsigned i = 0; i < batches; i++) {
		uint64_t cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);

		send_many(sender, count);
		cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
		printf("%s%.1f", i ? "," : "", (double)cpu / count);
	}
	printf("]}\n");
	return 0;
}
