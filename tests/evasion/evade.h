/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* evade.h - generators that need what Python has not: raw system calls, rings, chosen pids. */
#ifndef EVADE_H
#define EVADE_H

#include <netinet/in.h>

struct order {
	struct sockaddr_in to;
	unsigned int count;
	char **more; /* further words, NULL at the end */
};

/* Each prints what belongs into the report's braces and returns 0, or -errno. */
int evade_uring(const struct order *order);
int evade_uring_sqpoll(const struct order *order);
int evade_uring_sendmsg(const struct order *order);
int evade_uring_zerocopy(const struct order *order);
int evade_txring(const struct order *order);

#endif /* EVADE_H */
