/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * become.c - a process that is told, a line at a time, what to open and what to become.
 *
 *	open ADDRESS PORT	connect a UDP socket, which stays open in what it becomes
 *	send			a byte by each of its sockets
 *	exec PATH		become that program, which reads the lines after this one
 *	fork DESCRIPTOR		a child that reads its lines from there
 *	end
 *
 * Each is answered with a line: "ok", or what went wrong.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DESCRIPTORS 64

/* Byte by byte: nothing is taken that the next program should read. False at the end. */
static int
read_line(char *line, size_t room)
{
	size_t length = 0;
	char byte;

	while (length < room - 1 && read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n')
		line[length++] = byte;
	line[length] = '\0';
	return length > 0;
}

static int
open_flow(const char *address, const char *port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1)
		return -errno;
	return connect(fd, (const void *)&to, sizeof(to)) < 0 ? -errno : 0;
}

static int
send_all(void)
{
	int sent = 0;

	for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS; fd++)
		sent += send(fd, "d", 1, MSG_NOSIGNAL) == 1 || errno == ECONNREFUSED;
	return sent ? 0 : -ENOTCONN;
}

static int
fork_reader(const char *descriptor)
{
	pid_t child = fork();

	if (child)
		return child < 0 ? -errno : 0;
	dup2(atoi(descriptor), STDIN_FILENO);
	return 1;
}

static int
obey(char *line)
{
	char *verb = strtok(line, " "), *first = strtok(NULL, " "), *second = strtok(NULL, " ");

	if (!strcmp(verb, "open") && second)
		return open_flow(first, second);
	if (!strcmp(verb, "send"))
		return send_all();
	if (!strcmp(verb, "fork") && first)
		return fork_reader(first);
	if (!strcmp(verb, "exec") && first) {
		execl(first, first, (char *)NULL);
		return -errno;
	}
	if (!strcmp(verb, "end"))
		exit(0);
	return -EINVAL;
}

/* The answer to exec is that of the new program, which begins with one. */
int
main(void)
{
	char line[512];
	int result = 0;

	do {
		if (result <= 0)
			dprintf(STDOUT_FILENO, "%s\n", result ? strerrorname_np(-result) : "ok");
		if (!read_line(line, sizeof(line)))
			return 0;
		result = obey(line);
	} while (1);
}
