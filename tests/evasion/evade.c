/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * evade.c - the command line of the generators in C, and those that are short.
 *
 *	evade VERB ADDRESS PORT COUNT [MORE...]
 *
 * One line of JSON says who did it and what went wrong, as tests/live/traffic does.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "evade.h"

/* Processes that connect and are gone: none waits for its connection. */
static int
evade_quick(const struct order *order)
{
	printf(",\"pids\":[");
	for (unsigned int i = 0; i < order->count; i++) {
		pid_t child;

		fflush(stdout);
		child = fork();
		if (child < 0)
			return -errno;
		if (child == 0) {
			int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

			connect(fd, (const struct sockaddr *)&order->to, sizeof(order->to));
			_exit(0);
		}
		printf("%s%d", i ? "," : "", child);
		waitpid(child, NULL, 0);
	}
	printf("]");
	return 0;
}

static int
evade_udp(const struct order *order)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (sendto(fd, "one", 3, 0, (const struct sockaddr *)&order->to, sizeof(order->to)) < 0)
		return -errno;
	return close(fd);
}

#ifdef __x86_64__
static long
call32(long number, long a, long b, long c)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}

/* The 32-bit entry of the kernel, with its own numbers: socket, connect, write. */
static int
evade_int80(const struct order *order)
{
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long fd = call32(359, AF_INET, SOCK_STREAM, 0), result;

	if (low == MAP_FAILED)
		return -errno;
	if (fd < 0)
		return (int)fd;
	memcpy(low, &order->to, sizeof(order->to));
	result = call32(362, fd, (long)low, sizeof(order->to));
	if (result == 0)
		result = call32(4, fd, (long)low, 7);
	usleep(100000);
	return result < 0 ? (int)result : 0;
}

/* The x32 numbers of socket, connect and write: refused where the kernel has no x32. */
static int
evade_x32(const struct order *order)
{
	long fd = syscall(0x40000000 | SYS_socket, AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		return -errno;
	if (syscall(0x40000000 | SYS_connect, fd, &order->to, sizeof(order->to)) < 0)
		return -errno;
	return syscall(0x40000000 | SYS_write, fd, "x32", 3) < 0 ? -errno : 0;
}
#else
static int
evade_int80(const struct order *order)
{
	(void)order;
	return -ENOSYS;
}
#define evade_x32 evade_int80
#endif

static const struct {
	const char *name;
	int (*fn)(const struct order *order);
	bool serves;
} verbs[] = {
	{"quick", evade_quick, false},
	{"udp", evade_udp, false},
	{"mixed", evade_mixed, false},
	{"samepid", evade_samepid, false},
	{"samepid-inside", evade_samepid_inside, false},
	{"fewpids", evade_fewpids, false},
	{"int80", evade_int80, false},
	{"x32", evade_x32, false},
	{"uring", evade_uring, false},
	{"uring-sqpoll", evade_uring_sqpoll, false},
	{"uring-sendmsg", evade_uring_sendmsg, false},
	{"uring-zerocopy", evade_uring_zerocopy, false},
	{"uring-direct", evade_uring_direct, false},
	{"uring-direct-sqpoll", evade_uring_direct_sqpoll, false},
	{"txring", evade_txring, false},
	{"xdp", evade_xdp, false},
	{"race-udp", evade_race_udp, false},
	{"race-tcp", evade_race_tcp, false},
	{"witness-udp", evade_witness_udp, true},
	{"witness-tcp", evade_witness_tcp, true},
};

int
main(int argc, char **argv)
{
	struct order order = {.to = {.sin_family = AF_INET}};

	if (argc < 5 || inet_pton(AF_INET, argv[2], &order.to.sin_addr) != 1)
		return 64;
	order.to.sin_port = htons((uint16_t)atoi(argv[3]));
	order.count = (unsigned int)atoi(argv[4]);
	order.more = argv + 5;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		int result;

		if (strcmp(verbs[i].name, argv[1]) != 0)
			continue;
		if (!verbs[i].serves)
			printf("{\"verb\":\"%s\",\"tried\":true,\"pid\":%d", argv[1], getpid());
		result = verbs[i].fn(&order);
		printf(",\"error\":\"%s\"}\n", result < 0 ? strerrorname_np(-result) : "");
		return 0;
	}
	return 64;
}
