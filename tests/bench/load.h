/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* load.h - what the files of the load generator share. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <netinet/in.h>

#define NS_PER_S 1000000000L

struct load {
	struct sockaddr_in peer;
	int fd; /* of udp, pp and bulk */
	char true_path[4096];
};

/* Operations, done once. */
struct operation {
	const char *name;
	void (*once)(const struct load *load);
	int batch; /* so many between two looks at the clock */
};

/* NULL when there is none of this name. */
const struct operation *operation_find(const char *name);
/* Opens what the operation needs beforehand. */
void load_open(struct load *load, const struct operation *operation);

/* A stream that close() resets, so that no TIME_WAIT uses ports up. */
int stream_open(const struct sockaddr_in *peer);
_Noreturn void serve(const struct sockaddr_in *address);

/* Many at once; each prints what it did. */
void many_bulk(const struct load *load, double seconds);
void many_repeat(struct load *load, long times, int each_new);
void many_flood(const struct load *load, long rate, double seconds, long places);
void many_pace(struct load *load, double seconds);
void many_spread(struct load *load, long count);
void many_crowd(long count);

long now_ns(void);
_Noreturn void die(const char *what);

#endif /* BENCH_LOAD_H */
