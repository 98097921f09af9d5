/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* traffic_datagram.c - senders of datagrams: UDP in its ways, UDP-Lite. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "traffic.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

/* Never fragment: a datagram that is too long fails. */
static int
open_datagram(const struct job *job, int protocol)
{
	int fd = socket(job->to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, protocol);
	int mode = IP_PMTUDISC_DO;

	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &mode, sizeof(mode));
	return fd;
}

static int
send_datagrams(const struct job *job, struct report *report, int protocol)
{
	int fd = open_datagram(job, protocol);

	if (fd < 0)
		return fd;
	for (unsigned int i = 0; i < job->count; i++) {
		bool other = job->second.ss_family && i % 2 == 1;

		note_send(sendto(fd, payload(job->bytes), job->bytes, 0,
				 (const struct sockaddr *)(other ? &job->second : &job->to),
				 job->to_length),
			  report);
	}
	note_port(fd, report);
	hold(job);
	close(fd);
	return 0;
}

int
send_udp(const struct job *job, struct report *report)
{
	return send_datagrams(job, report, IPPROTO_UDP);
}

int
send_udplite(const struct job *job, struct report *report)
{
	return send_datagrams(job, report, IPPROTO_UDPLITE);
}

int
send_udp_connected(const struct job *job, struct report *report)
{
	int fd = open_datagram(job, IPPROTO_UDP);

	if (fd < 0)
		return fd;
	if (connect(fd, (const struct sockaddr *)&job->to, job->to_length) < 0) {
		close(fd);
		return -errno;
	}
	for (unsigned int i = 0; i < job->count; i++)
		note_send(send(fd, payload(job->bytes), job->bytes, 0), report);
	note_port(fd, report);
	hold(job);
	close(fd);
	return 0;
}

#define BATCH 64

/* One call, up to 64 messages, to both destinations in turn. */
int
send_mmsg(const struct job *job, struct report *report)
{
	struct iovec part = {(void *)payload(job->bytes), job->bytes};
	struct mmsghdr messages[BATCH] = {0};
	unsigned int count = job->count < BATCH ? job->count : BATCH;
	int fd = open_datagram(job, IPPROTO_UDP), sent;

	if (fd < 0)
		return fd;
	for (unsigned int i = 0; i < count; i++) {
		bool other = job->second.ss_family && i % 2 == 1;
		const struct sockaddr_storage *to = other ? &job->second : &job->to;

		messages[i].msg_hdr.msg_name = (void *)to;
		messages[i].msg_hdr.msg_namelen = job->to_length;
		messages[i].msg_hdr.msg_iov = &part;
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	sent = sendmmsg(fd, messages, count, 0);
	if (sent < 0)
		note_send(-1, report);
	for (int i = 0; i < sent; i++)
		note_send(messages[i].msg_len, report);
	note_port(fd, report);
	hold(job);
	close(fd);
	return 0;
}

/* Sleep until the moment at which message number index of a steady stream is due. */
static void
pace(const struct timespec *began, unsigned int rate, unsigned int index)
{
	struct timespec due = *began;

	if (rate == 0 || index % 16 != 0)
		return;
	due.tv_sec += index / rate;
	due.tv_nsec += (long)(index % rate * (1000000000ull / rate));
	due.tv_sec += due.tv_nsec / 1000000000;
	due.tv_nsec %= 1000000000;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

#define SPRAY_PORTS 60000u

/* Each datagram to another port, then to the next address, so that each is a flow. */
int
send_spray(const struct job *job, struct report *report)
{
	struct sockaddr_in to = *(const struct sockaddr_in *)&job->to;
	uint32_t first = ntohl(to.sin_addr.s_addr);
	int fd = open_datagram(job, IPPROTO_UDP);
	struct timespec began;

	if (fd < 0)
		return fd;
	clock_gettime(CLOCK_MONOTONIC, &began);
	for (unsigned int i = 0; i < job->count; i++) {
		pace(&began, job->rate, i);
		to.sin_addr.s_addr = htonl(first + i / SPRAY_PORTS % job->spread);
		to.sin_port = htons((uint16_t)(1024 + i % SPRAY_PORTS));
		note_send(sendto(fd, payload(job->bytes), job->bytes, 0, (struct sockaddr *)&to,
				 sizeof(to)),
			  report);
	}
	note_port(fd, report);
	close(fd);
	return 0;
}

/* Each datagram from a socket of its own. They stay open until the process ends: no port comes
 * twice. */
int
send_callers(const struct job *job, struct report *report)
{
	for (unsigned int i = 0; i < job->count; i++) {
		int fd = open_datagram(job, IPPROTO_UDP);

		if (fd < 0)
			return fd;
		note_send(sendto(fd, payload(job->bytes), job->bytes, 0,
				 (const struct sockaddr *)&job->to, job->to_length),
			  report);
	}
	return 0;
}

/* One send of count segments of job->bytes; the kernel cuts them. */
int
send_gso(const struct job *job, struct report *report)
{
	int segment = (int)job->bytes, fd = open_datagram(job, IPPROTO_UDP);
	size_t whole = job->bytes * job->count;

	if (fd < 0)
		return fd;
	if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)) < 0) {
		close(fd);
		return -EPROTONOSUPPORT;
	}
	note_send(sendto(fd, payload(whole), whole, 0, (const struct sockaddr *)&job->to,
			 job->to_length),
		  report);
	note_port(fd, report);
	hold(job);
	close(fd);
	return 0;
}
