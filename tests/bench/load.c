/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * load - one operation, many times: prints the median nanoseconds that it took.
 *
 *	load connect|udp|pp|other ADDRESS PORT SECONDS
 *
 * connect: TCP connect and close; udp: an unconnected sendto; pp: one byte there
 * and back over TCP; other: getppid(), a call that nobody asked about. "load
 * serve ADDRESS PORT" is the other end of all of them.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BATCH       100
#define BATCHES_MAX 20000

struct load {
	struct sockaddr_in peer;
	int fd; /* of udp and pp */
};

static long
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000L + ts.tv_nsec;
}

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static int
open_stream(const struct load *load)
{
	struct linger reset = {.l_onoff = 1}; /* close by RST: no TIME_WAIT uses ports up */
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&load->peer, sizeof(load->peer)) < 0)
		die("connect");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void
once_connect(const struct load *load)
{
	close(open_stream(load));
}

static void
once_udp(const struct load *load)
{
	if (sendto(load->fd, "x", 1, 0, (const struct sockaddr *)&load->peer, sizeof(load->peer)) <
	    0)
		die("sendto");
}

static void
once_pp(const struct load *load)
{
	char byte = 'x';

	if (send(load->fd, &byte, 1, 0) != 1 || recv(load->fd, &byte, 1, 0) != 1)
		die("ping-pong");
}

static void
once_other(const struct load *load)
{
	(void)load;
	syscall(SYS_getppid);
}

static int
by_value(const void *a, const void *b)
{
	const long x = *(const long *)a, y = *(const long *)b;

	return x < y ? -1 : x > y;
}

static long
median_ns(void (*once)(const struct load *), const struct load *load, double seconds)
{
	static long took[BATCHES_MAX];
	long end = now_ns() + (long)(seconds * 1e9);
	int batches = 0;

	while (batches < BATCHES_MAX && now_ns() < end) {
		long from = now_ns();

		for (int i = 0; i < BATCH; i++)
			once(load);
		took[batches++] = (now_ns() - from) / BATCH;
	}
	qsort(took, (size_t)batches, sizeof(took[0]), by_value);
	return took[batches / 2];
}

/* Accept for ever; a child answers each connection byte by byte until it ends. */
static void
serve(const struct sockaddr_in *address)
{
	int one = 1, tcp = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);
	char bytes[2048];

	setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(tcp, (const struct sockaddr *)address, sizeof(*address)) < 0 ||
	    listen(tcp, 4096) < 0 ||
	    bind(udp, (const struct sockaddr *)address, sizeof(*address)) < 0)
		die("serve");
	if (fork() == 0)
		while (recv(udp, bytes, sizeof(bytes), 0) >= 0)
			;
	for (;;) {
		int fd = accept(tcp, NULL, NULL);
		ssize_t got;

		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		while ((got = recv(fd, bytes, sizeof(bytes), 0)) > 0)
			if (send(fd, bytes, (size_t)got, MSG_NOSIGNAL) < 0)
				break;
		close(fd);
	}
}

int
main(int argc, char **argv)
{
	const struct {
		const char *name;
		void (*once)(const struct load *);
	} operations[] = {{"connect", once_connect},
			  {"udp", once_udp},
			  {"pp", once_pp},
			  {"other", once_other}};
	struct load load = {.peer = {.sin_family = AF_INET}, .fd = -1};

	if (argc < 4 || inet_pton(AF_INET, argv[2], &load.peer.sin_addr) != 1)
		return 64;
	load.peer.sin_port = htons((unsigned short)atoi(argv[3]));
	if (!strcmp(argv[1], "serve"))
		serve(&load.peer);
	if (!strcmp(argv[1], "udp"))
		load.fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (!strcmp(argv[1], "pp"))
		load.fd = open_stream(&load);
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (!strcmp(argv[1], operations[i].name))
			printf("%ld\n",
			       median_ns(operations[i].once, &load, argc > 4 ? atof(argv[4]) : 1));
	return 0;
}
