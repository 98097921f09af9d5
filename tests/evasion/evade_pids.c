/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* evade_pids.c - process ids that recur, and many short lives that open sockets of every kind. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "evade.h"

#define SOCKETS_EACH 4 /* of one process */
#define FEWEST_PIDS  301

static pid_t
fork_as(pid_t pid)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = pid ? (uint64_t)(uintptr_t)&pid : 0,
		.set_tid_size = pid ? 1 : 0,
	};

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* Our process id as /proc has it, which is that of the outermost namespace. */
static int
outer_pid(void)
{
	char text[16] = {0};

	return readlink("/proc/self", text, sizeof(text) - 1) < 0 ? -errno : atoi(text);
}

static void
become(const struct order *order, unsigned int i)
{
	char port[8], address[INET_ADDRSTRLEN], udp[] = "udp", one[] = "1";
	char *words[] = {order->more[i % 2], udp, address, port, one, NULL};

	inet_ntop(AF_INET, &order->to.sin_addr, address, sizeof(address));
	snprintf(port, sizeof(port), "%u", ntohs(order->to.sin_port) + i);
	if (freopen("/dev/null", "w", stdout))
		execv(words[0], words);
	_exit(1);
}

/* Programs MORE[0] and MORE[1] in turn, with one pid if that is asked; each sends to the next port.
 */
static int
send_in_turn(const struct order *order, bool same_pid)
{
	bool seen[FEWEST_PIDS] = {false};
	unsigned int recurred = 0;
	pid_t pid = 0;
	int ends[2];

	if (pipe(ends) < 0)
		return -errno;
	printf(",\"pids\":[");
	for (unsigned int i = 0; i < order->count; i++) {
		int told = 0;
		pid_t child;

		fflush(stdout);
		child = fork_as(pid);
		if (child < 0)
			return -errno;
		if (child == 0) {
			told = outer_pid();
			if (write(ends[1], &told, sizeof(told)) == sizeof(told))
				become(order, i);
			_exit(1);
		}
		waitpid(child, NULL, 0);
		if (read(ends[0], &told, sizeof(told)) == sizeof(told))
			printf("%s%d", i ? "," : "", told);
		recurred += child < FEWEST_PIDS && seen[child];
		if (child < FEWEST_PIDS)
			seen[child] = true;
		pid = same_pid ? child : 0;
	}
	printf("],\"recurred\":%u", recurred);
	return 0;
}

int
evade_samepid(const struct order *order)
{
	return send_in_turn(order, true);
}

/* In a namespace of its own with as few process ids as can be: each recurs after a while. */
static int
send_with_few_pids(const struct order *order)
{
	FILE *most = fopen("/proc/sys/kernel/pid_max", "w");

	if (!most)
		return -errno;
	fprintf(most, "%d", FEWEST_PIDS);
	return fclose(most) ? -errno : send_in_turn(order, false);
}

/* Below the first process of a namespace of process ids. */
static int
inside(const struct order *order, int (*act)(const struct order *order))
{
	int status;
	pid_t child;

	if (unshare(CLONE_NEWPID) < 0)
		return -errno;
	fflush(stdout);
	child = fork();
	if (child == 0) {
		int result = act(order);

		fflush(stdout);
		_exit(-result);
	}
	return waitpid(child, &status, 0) < 0 ? -errno : -WEXITSTATUS(status);
}

int
evade_samepid_inside(const struct order *order)
{
	return inside(order, evade_samepid);
}

/* Only where the limit is the namespace's, and not the machine's: from 6.14 on. */
int
evade_fewpids(const struct order *order)
{
	return inside(order, send_with_few_pids);
}

/* A packet by TCP or UDP, IPv4 or IPv6, from a socket that nobody waits for. */
static void
send_one(const struct order *order, unsigned int i)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = order->to.sin_port};
	bool is_v6 = i & 1;
	const struct sockaddr *to = is_v6 ? (void *)&six : (const void *)&order->to;
	socklen_t length = is_v6 ? sizeof(six) : sizeof(order->to);
	int fd = socket(to->sa_family, (i & 2 ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK, 0);

	inet_pton(AF_INET6, order->more[0], &six.sin6_addr);
	if (i & 2)
		sendto(fd, "x", 1, 0, to, length);
	else
		connect(fd, to, length);
	close(fd);
}

/* COUNT sockets, SOCKETS_EACH in a process that is gone at once. MORE: an IPv6 address. */
int
evade_mixed(const struct order *order)
{
	printf(",\"pids\":[");
	for (unsigned int i = 0; i < order->count; i += SOCKETS_EACH) {
		pid_t child;

		fflush(stdout);
		child = fork();
		if (child < 0)
			return -errno;
		if (child == 0) {
			for (unsigned int k = 0; k < SOCKETS_EACH; k++)
				send_one(order, i + k);
			_exit(0);
		}
		printf("%s%d", i ? "," : "", child);
		waitpid(child, NULL, 0);
	}
	printf("]");
	return 0;
}
