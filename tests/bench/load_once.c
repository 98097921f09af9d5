/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* load_once - the operations that are timed, and the server at their other end. */
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

int
stream_open(const struct sockaddr_in *peer)
{
	struct linger reset = {.l_onoff = 1};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)peer, sizeof(*peer)) < 0)
		die("connect");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void
once_connect(const struct load *load)
{
	close(stream_open(&load->peer));
}

static void
once_refused(const struct load *load)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (const struct sockaddr *)&load->peer, sizeof(load->peer)) == 0 ||
	    errno != ECONNREFUSED)
		die("refused");
	close(fd);
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
once_exec(const struct load *load)
{
	char name[] = "true", *const words[] = {name, NULL};
	int status = 0;
	pid_t child = vfork();

	if (child == 0) {
		execv(load->true_path, words);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status)
		die("exec");
}

static void
once_other(const struct load *load)
{
	(void)load;
	syscall(SYS_getppid);
}

const struct operation *
operation_find(const char *name)
{
	static const struct operation operations[] = {
		{"connect", once_connect, 100}, {"refused", once_refused, 100},
		{"udp", once_udp, 100},         {"pp", once_pp, 100},
		{"exec", once_exec, 10},        {"other", once_other, 1000},
	};

	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (!strcmp(name, operations[i].name))
			return &operations[i];
	return NULL;
}

void
load_open(struct load *load, const struct operation *operation)
{
	if (operation->once == once_udp)
		load->fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (operation->once == once_pp)
		load->fd = stream_open(&load->peer);
}

/* One byte is answered by one; more is bulk, and swallowed. */
static void
answer(int fd)
{
	static char bytes[1 << 18];
	ssize_t got;

	while ((got = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		if (got == 1 && send(fd, bytes, 1, MSG_NOSIGNAL) < 0)
			break;
	close(fd);
}

void
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

		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		answer(fd);
	}
}
