/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* traffic_stream.c - senders and servers of connections: TCP, Fast Open, MPTCP, SCTP, storms. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "traffic.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static int
open_stream(const struct job *job, int protocol)
{
	int fd = socket(job->to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, protocol);

	return fd < 0 ? -errno : fd;
}

/* Send everything, say so, and wait until the peer has closed too. */
static void
converse(int fd, const struct job *job, struct report *report)
{
	char answer[65536];
	ssize_t length;

	for (unsigned int i = 0; i < job->count; i++)
		note_send(send(fd, payload(job->bytes), job->bytes, 0), report);
	shutdown(fd, SHUT_WR);
	while ((length = recv(fd, answer, sizeof(answer), 0)) > 0)
		report->received += (uint64_t)length;
}

static int
send_stream(const struct job *job, struct report *report, int protocol)
{
	int fd = open_stream(job, protocol);

	if (fd < 0)
		return fd;
	if (connect(fd, (const struct sockaddr *)&job->to, job->to_length) < 0) {
		report->failed++;
		report->error = errno;
		note_port(fd, report);
	} else {
		note_port(fd, report);
		converse(fd, job, report);
		hold(job);
	}
	close(fd);
	return 0;
}

int
send_tcp(const struct job *job, struct report *report)
{
	return send_stream(job, report, IPPROTO_TCP);
}

int
send_mptcp(const struct job *job, struct report *report)
{
	return send_stream(job, report, IPPROTO_MPTCP);
}

int
send_sctp(const struct job *job, struct report *report)
{
	return send_stream(job, report, IPPROTO_SCTP);
}

/* The first payload rides on the SYN, without connect(). */
int
send_fastopen(const struct job *job, struct report *report)
{
	struct job rest = *job;
	int fd = open_stream(job, IPPROTO_TCP);

	if (fd < 0)
		return fd;
	note_send(sendto(fd, payload(job->bytes), job->bytes, MSG_FASTOPEN,
			 (const struct sockaddr *)&job->to, job->to_length),
		  report);
	note_port(fd, report);
	rest.count--;
	converse(fd, &rest, report);
	hold(job);
	close(fd);
	return 0;
}

/* Children that connect without waiting and are gone before the answer. */
int
send_quick(const struct job *job, struct report *report)
{
	for (unsigned int i = 0; i < job->count; i++) {
		pid_t child = fork();
		int status = 1;

		if (child < 0)
			return -errno;
		if (child == 0) {
			int fd = socket(job->to.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);

			_exit(connect(fd, (const struct sockaddr *)&job->to, job->to_length) < 0 &&
			      errno != EINPROGRESS);
		}
		waitpid(child, &status, 0);
		if (status == 0)
			report->sent++;
		else
			report->failed++;
	}
	return 0;
}

/* The destination number index of a storm: IPv4 only, the last byte counts up. */
static struct sockaddr_storage
spread_address(const struct job *job, unsigned int index)
{
	struct sockaddr_storage to = job->to;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&to;

	if (to.ss_family == AF_INET)
		v4->sin_addr.s_addr = htonl(ntohl(v4->sin_addr.s_addr) + index % job->spread);
	return to;
}

int
send_storm(const struct job *job, struct report *report)
{
	for (unsigned int i = 0; i < job->count; i++) {
		struct sockaddr_storage to = spread_address(job, i);
		int fd = open_stream(job, IPPROTO_TCP);

		if (fd < 0)
			return fd;
		if (connect(fd, (const struct sockaddr *)&to, job->to_length) < 0)
			note_send(-1, report);
		else
			note_send(send(fd, payload(job->bytes), job->bytes, 0), report);
		close(fd);
	}
	return 0;
}

static void
answer(int fd, const struct job *job, struct report *report)
{
	char bytes[65536];
	ssize_t length;

	while ((length = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		report->received += (uint64_t)length;
	if (job->bytes > 0)
		note_send(send(fd, payload(job->bytes), job->bytes, 0), report);
	else
		report->sent++;
	hold(job);
	close(fd);
}

static int
listen_at(const struct job *job, int protocol)
{
	int yes = 1, queue = 256, fd = open_stream(job, protocol);

	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (protocol == IPPROTO_TCP)
		setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue));
	if (bind(fd, (const struct sockaddr *)&job->to, job->to_length) < 0 ||
	    listen(fd, 4096) < 0) {
		int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

/* -k 0: until killed. Says "ready" once it listens. */
static int
serve(const struct job *job, struct report *report, int protocol)
{
	int fd = listen_at(job, protocol);

	if (fd < 0)
		return fd;
	puts("ready");
	fflush(stdout);
	for (unsigned int i = 0; job->count == 0 || i < job->count; i++) {
		int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (peer >= 0)
			answer(peer, job, report);
	}
	close(fd);
	return 0;
}

int
serve_tcp(const struct job *job, struct report *report)
{
	return serve(job, report, IPPROTO_TCP);
}

int
serve_mptcp(const struct job *job, struct report *report)
{
	return serve(job, report, IPPROTO_MPTCP);
}

int
serve_sctp(const struct job *job, struct report *report)
{
	return serve(job, report, IPPROTO_SCTP);
}

/* Swallows datagrams, so that no error comes back, or sends each back to where it came from. */
static int
serve_datagrams(const struct job *job, struct report *report, bool answering)
{
	char bytes[65536];
	int fd = socket(job->to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&job->to, job->to_length) < 0) {
		close(fd);
		return -errno;
	}
	puts("ready");
	fflush(stdout);
	for (unsigned int i = 0; job->count == 0 || i < job->count; i++) {
		struct sockaddr_storage from;
		socklen_t size = sizeof(from);
		ssize_t length =
			recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &size);

		if (length > 0)
			report->received += (uint64_t)length;
		if (length > 0 && answering)
			note_send(sendto(fd, bytes, (size_t)length, 0, (struct sockaddr *)&from,
					 size),
				  report);
	}
	close(fd);
	return 0;
}

int
serve_udp(const struct job *job, struct report *report)
{
	return serve_datagrams(job, report, false);
}

int
echo_udp(const struct job *job, struct report *report)
{
	return serve_datagrams(job, report, true);
}
