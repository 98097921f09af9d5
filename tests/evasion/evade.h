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
int evade_uring_direct(const struct order *order);
int evade_uring_direct_sqpoll(const struct order *order);
int evade_txring(const struct order *order);
int evade_xdp(const struct order *order);
int evade_race_udp(const struct order *order);
int evade_race_tcp(const struct order *order);
int evade_samepid(const struct order *order);
int evade_samepid_inside(const struct order *order);
int evade_fewpids(const struct order *order);
int evade_mixed(const struct order *order);

/* These print their whole report themselves, after "ready", but for its end. */
int evade_witness_udp(const struct order *order);
int evade_witness_tcp(const struct order *order);

/* A frame with a UDP packet to order->to. Returns its length. */
unsigned int evade_fill_frame(const struct order *order, char *at);

#endif /* EVADE_H */
