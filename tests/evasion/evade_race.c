/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * evade_race.c - a thread changes the address while another connects with it, and the
 * witness at the other end that counts where the packets came out.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "evade.h"

#define CONNECTS_EACH 1000 /* of one datagram socket */
#define SILENCE_S     8

struct race {
	volatile struct sockaddr_in shared;
	uint32_t addresses[2];
	volatile bool over;
};

static void *
flip(void *arg)
{
	struct race *race = arg;

	while (!race->over)
		for (unsigned int i = 0; i < 100; i++)
			race->shared.sin_addr.s_addr = race->addresses[i % 2];
	return NULL;
}

static int
connect_once(struct race *race, int type, int *fd, unsigned int i)
{
	const struct linger reset = {.l_onoff = 1};

	if (type == SOCK_STREAM || i % CONNECTS_EACH == 0) {
		if (*fd >= 0)
			close(*fd);
		*fd = socket(AF_INET, type, 0);
		if (*fd < 0)
			return -errno;
		setsockopt(*fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	}
	if (connect(*fd, (const struct sockaddr *)&race->shared, sizeof(race->shared)) < 0)
		return -errno;
	return type == SOCK_DGRAM && send(*fd, "x", 1, 0) < 0 ? -errno : 0;
}

/* MORE: the other address. */
static int
race_with(const struct order *order, int type)
{
	struct race race = {.shared = order->to, .addresses = {order->to.sin_addr.s_addr}};
	pthread_t thread;
	int fd = -1, result = 0;

	if (inet_pton(AF_INET, order->more[0], &race.addresses[1]) != 1)
		return -EINVAL;
	result = -pthread_create(&thread, NULL, flip, &race);
	if (result < 0)
		return result;
	for (unsigned int i = 0; i < order->count && result == 0; i++)
		result = connect_once(&race, type, &fd, i);
	race.over = true;
	pthread_join(thread, NULL);
	if (fd >= 0)
		close(fd);
	return result;
}

int
evade_race_udp(const struct order *order)
{
	return race_with(order, SOCK_DGRAM);
}

int
evade_race_tcp(const struct order *order)
{
	return race_with(order, SOCK_STREAM);
}

/* The address that one datagram was sent to; 0 when none comes any more. */
static uint32_t
take_datagram(int fd)
{
	char data[8], control[CMSG_SPACE(sizeof(struct in_pktinfo))];
	struct iovec part = {data, sizeof(data)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct in_pktinfo info;

	if (recvmsg(fd, &message, 0) < 0 || !CMSG_FIRSTHDR(&message))
		return 0;
	memcpy(&info, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(info));
	return info.ipi_addr.s_addr;
}

/* The same of a connection, whose caller's port is printed with it. */
static uint32_t
take_connection(int fd, bool is_first)
{
	struct sockaddr_in peer, here = {0};
	socklen_t length = sizeof(peer);
	char text[INET_ADDRSTRLEN];
	int one = accept(fd, (struct sockaddr *)&peer, &length);

	if (one < 0)
		return 0;
	length = sizeof(here);
	getsockname(one, (struct sockaddr *)&here, &length);
	close(one);
	printf("%s[%u,\"%s\"]", is_first ? "" : ",", ntohs(peer.sin_port),
	       inet_ntop(AF_INET, &here.sin_addr, text, sizeof(text)));
	return here.sin_addr.s_addr;
}

static int
serve(const struct order *order, int type)
{
	const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = order->to.sin_port};
	const struct timeval silence = {.tv_sec = SILENCE_S};
	const int room = 64 << 20, on = 1;
	int fd = socket(AF_INET, type, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof(silence));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&any, sizeof(any)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 4096) < 0))
		return -errno;
	puts("ready");
	fflush(stdout);
	printf("{\"pid\":%d,\"seen\":[", getpid());
	return fd;
}

/* Until COUNT came or nothing comes any more: how many to ADDRESS, and how many elsewhere. */
static int
witness(const struct order *order, int type)
{
	unsigned int counts[2] = {0, 0}, all = 0;
	int fd = serve(order, type);

	if (fd < 0)
		return fd;
	for (; all < order->count; all++) {
		uint32_t to =
			type == SOCK_DGRAM ? take_datagram(fd) : take_connection(fd, all == 0);

		if (!to)
			break;
		counts[to != order->to.sin_addr.s_addr]++;
	}
	printf("],\"first\":%u,\"second\":%u", counts[0], counts[1]);
	return close(fd);
}

int
evade_witness_udp(const struct order *order)
{
	return witness(order, SOCK_DGRAM);
}

int
evade_witness_tcp(const struct order *order)
{
	return witness(order, SOCK_STREAM);
}
