/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* load_many - loads that are counted, not timed one by one. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

#define BULK_BYTES    131072
#define HOSTS         0x7fffu /* of a /17: what changes from one address to the next */
#define HOSTS_LAST    0x7effu
#define DATAGRAM_WAIT 200 /* datagrams between pauses, so that the peer keeps up */

/* The next address; after a whole /17 the next port. */
static void
peer_next(struct sockaddr_in *peer)
{
	unsigned int host = ntohl(peer->sin_addr.s_addr);

	if ((host & HOSTS) >= HOSTS_LAST) {
		host &= ~HOSTS;
		peer->sin_port = htons((unsigned short)(ntohs(peer->sin_port) + 1));
	}
	peer->sin_addr.s_addr = htonl(host + 1);
}

static void
sleep_until(long moment_ns)
{
	struct timespec ts = {.tv_sec = moment_ns / NS_PER_S, .tv_nsec = moment_ns % NS_PER_S};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static void
stay(void)
{
	printf("ready\n");
	fflush(stdout);
	for (;;)
		pause();
}

void
many_bulk(const struct load *load, double seconds)
{
	static char bytes[BULK_BYTES];
	int fd = stream_open(&load->peer);
	long from = now_ns(), end = from + (long)(seconds * (double)NS_PER_S), sent = 0;

	while (now_ns() < end) {
		ssize_t took = send(fd, bytes, sizeof(bytes), 0);

		if (took < 0)
			die("bulk");
		sent += took;
	}
	printf("%.0f\n", (double)sent * (double)NS_PER_S / (double)(now_ns() - from));
}

void
many_repeat(struct load *load, long times, int each_new)
{
	long from = now_ns();

	for (long i = 0; i < times; i++) {
		close(stream_open(&load->peer));
		if (each_new)
			load->peer.sin_addr.s_addr = htonl(ntohl(load->peer.sin_addr.s_addr) + 1);
	}
	printf("%.3f\n", (double)(now_ns() - from) / (double)NS_PER_S);
}

/* A full queue is no matter here: the datagram has left its socket. */
static void
send_next(int fd, struct load *load)
{
	sendto(fd, "x", 1, MSG_DONTWAIT, (const struct sockaddr *)&load->peer, sizeof(load->peer));
	peer_next(&load->peer);
}

void
many_flood(const struct load *load, long rate, double seconds, long places)
{
	long from = now_ns(), end = from + (long)(seconds * (double)NS_PER_S), now, sent = 0;
	struct load next = {.fd = -1};

	while ((now = now_ns()) < end) {
		long due = (long)((double)(now - from) * (double)rate / (double)NS_PER_S);

		for (; sent < due; sent++) {
			if (sent % places == 0) {
				close(next.fd);
				next.peer = load->peer;
				next.fd = socket(AF_INET, SOCK_DGRAM, 0);
			}
			send_next(next.fd, &next);
		}
		sleep_until(now + NS_PER_S / 1000);
	}
	printf("%ld %.3f\n", sent, (double)(now_ns() - from) / (double)NS_PER_S);
}

/* A connect that hangs would hide the next ones: nobody waits for its end. */
static void
connect_one(const struct load *load)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	connect(fd, (const struct sockaddr *)&load->peer, sizeof(load->peer));
	close(fd);
}

void
many_pace(struct load *load, double seconds)
{
	long next = now_ns(), end = next + (long)(seconds * (double)NS_PER_S);

	for (; next < end; next += NS_PER_S / 1000) {
		connect_one(load);
		load->peer.sin_addr.s_addr = htonl(ntohl(load->peer.sin_addr.s_addr) + 1);
		sleep_until(next + NS_PER_S / 1000);
	}
}

void
many_spread(struct load *load, long count)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	for (long i = 0; i < count; i++) {
		send_next(fd, load);
		if (i % DATAGRAM_WAIT == 0)
			sleep_until(now_ns() + NS_PER_S / 1000);
	}
	stay();
}

void
many_crowd(long count)
{
	for (long i = 0; i < count; i++) {
		pid_t child = fork();

		if (child < 0)
			die("fork");
		if (child)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (socket(AF_INET, SOCK_DGRAM, 0) < 0)
			die("socket");
		for (;;)
			pause();
	}
	stay();
}
