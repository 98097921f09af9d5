/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * load - traffic to measure by. ADDRESS PORT is where "load serve" listens.
 *
 *	load connect|udp|pp|exec|other ADDRESS PORT SECONDS	median ns of one
 *	load count OPERATION ADDRESS PORT TIMES		median ticks of one
 *	load bulk ADDRESS PORT SECONDS			bytes a second over TCP
 *	load repeat|new ADDRESS PORT TIMES		connects to one address, or each to the next
 *	load flood ADDRESS PORT RATE SECONDS PLACES	datagrams, each to the next address,
 *							RATE a second; after PLACES a new
 *							socket begins again
 *	load pace ADDRESS PORT SECONDS			a connect a millisecond, to the next address
 *	load spread ADDRESS PORT COUNT			datagrams of one socket to COUNT addresses
 *	load crowd ADDRESS PORT COUNT			processes with a socket each
 *	load serve ADDRESS PORT forever			the other end of all of them
 *
 * connect: TCP connect and close; refused: to a port where nobody listens; udp: an
 * unconnected sendto; pp: one byte there and back over TCP; exec: vfork, exec of a
 * static program, wait; other: getppid(), a call that nobody asked about. Ticks are
 * the processor's: instructions where QEMU counts them. spread and crowd stay until
 * they are killed.
 */
#include <arpa/inet.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

#define SAMPLES_MAX 100000

long
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

void
die(const char *what)
{
	perror(what);
	exit(1);
}

static long
now_ticks(void)
{
#ifdef __x86_64__
	return (long)__builtin_ia32_rdtsc();
#else
	return now_ns();
#endif
}

static int
by_value(const void *a, const void *b)
{
	const long x = *(const long *)a, y = *(const long *)b;

	return x < y ? -1 : x > y;
}

static void
print_median(long *samples, size_t count)
{
	qsort(samples, count, sizeof(samples[0]), by_value);
	printf("%ld\n", samples[count / 2]);
}

static void
time_it(const struct operation *operation, const struct load *load, double seconds)
{
	static long took[SAMPLES_MAX];
	long end = now_ns() + (long)(seconds * (double)NS_PER_S);
	size_t count = 0;

	do {
		long from = now_ns();

		for (int i = 0; i < operation->batch; i++)
			operation->once(load);
		took[count++] = (now_ns() - from) / operation->batch;
	} while (count < SAMPLES_MAX && now_ns() < end);
	print_median(took, count);
}

static void
count_it(const struct operation *operation, const struct load *load, long times)
{
	static long took[SAMPLES_MAX];
	size_t count = 0;

	do {
		long from = now_ticks();

		operation->once(load);
		took[count++] = now_ticks() - from;
	} while (count < SAMPLES_MAX && (long)count < times);
	print_median(took, count);
}

/* What is not one operation many times. False: no such verb. */
static int
do_many(const char *verb, struct load *load, char **arguments)
{
	if (!strcmp(verb, "serve"))
		serve(&load->peer);
	else if (!strcmp(verb, "bulk"))
		many_bulk(load, atof(arguments[0]));
	else if (!strcmp(verb, "repeat") || !strcmp(verb, "new"))
		many_repeat(load, atol(arguments[0]), !strcmp(verb, "new"));
	else if (!strcmp(verb, "flood") && arguments[1] && arguments[2])
		many_flood(load, atol(arguments[0]), atof(arguments[1]), atol(arguments[2]));
	else if (!strcmp(verb, "pace"))
		many_pace(load, atof(arguments[0]));
	else if (!strcmp(verb, "spread"))
		many_spread(load, atol(arguments[0]));
	else if (!strcmp(verb, "crowd"))
		many_crowd(atol(arguments[0]));
	else
		return 0;
	return 1;
}

/* One processor for both ends, or what is measured is how an idle one wakes up. */
static void
pin(void)
{
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(0, sizeof(first), &first) < 0)
		die("sched_setaffinity");
}

static void
find_true(struct load *load)
{
	ssize_t length = readlink("/proc/self/exe", load->true_path, sizeof(load->true_path) - 8);
	char *slash;

	if (length < 0)
		die("/proc/self/exe");
	load->true_path[length] = 0;
	slash = strrchr(load->true_path, '/');
	memcpy(slash, "/true", sizeof("/true"));
}

int
main(int argc, char **argv)
{
	struct load load = {.peer = {.sin_family = AF_INET}, .fd = -1};
	int counts = argc > 1 && !strcmp(argv[1], "count");
	const struct operation *operation;

	argc -= counts;
	argv += counts;
	if (argc < 5 || inet_pton(AF_INET, argv[2], &load.peer.sin_addr) != 1)
		return 64;
	load.peer.sin_port = htons((unsigned short)atoi(argv[3]));
	find_true(&load);
	operation = operation_find(argv[1]);
	if (operation || !strcmp(argv[1], "serve") || !strcmp(argv[1], "bulk"))
		pin();
	if (!operation)
		return do_many(argv[1], &load, argv + 4) ? 0 : 64;
	load_open(&load, operation);
	if (counts)
		count_it(operation, &load, atol(argv[4]));
	else
		time_it(operation, &load, atof(argv[4]));
	return 0;
}
