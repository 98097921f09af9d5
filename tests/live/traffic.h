/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * traffic.h - one program that sends in every way the tests know.
 *
 * A verb sends and fills in the report; main() prints it as one line of JSON.
 */
#ifndef TRAFFIC_H
#define TRAFFIC_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct job {
	const char *verb;
	struct sockaddr_storage to; /* mapped into IPv6 when asked */
	socklen_t to_length;
	struct sockaddr_storage second; /* of a second destination, family 0 when none */
	uint16_t port;
	size_t bytes;        /* of payload in a message */
	unsigned int count;  /* messages, connections or packets */
	unsigned int spread; /* storm: destinations, counting up from `to` */
	unsigned int rate;   /* spray: datagrams a second, 0: as fast as it goes */
	unsigned int hold_ms;
	const char *device; /* packet: where to send */
	unsigned char mac[6];
	char **command; /* exec: what to run */
};

struct report {
	unsigned int sent;   /* messages, connections or packets that went out */
	unsigned int failed; /* that did not */
	uint64_t payload;    /* bytes */
	uint64_t received;   /* bytes */
	uint16_t local_port;
	int error; /* errno of the last failure */
};

typedef int (*verb_fn)(const struct job *job, struct report *report);

/* Each returns 0, or -errno when it could not even try. -EPROTONOSUPPORT: the kernel lacks it. */
int send_tcp(const struct job *job, struct report *report);
int send_mptcp(const struct job *job, struct report *report);
int send_sctp(const struct job *job, struct report *report);
int send_fastopen(const struct job *job, struct report *report);
int send_quick(const struct job *job, struct report *report);
int send_storm(const struct job *job, struct report *report);
int serve_tcp(const struct job *job, struct report *report);
int serve_mptcp(const struct job *job, struct report *report);
int serve_sctp(const struct job *job, struct report *report);
int serve_udp(const struct job *job, struct report *report);
int echo_udp(const struct job *job, struct report *report);

int send_udp(const struct job *job, struct report *report);
int send_udp_connected(const struct job *job, struct report *report);
int send_udplite(const struct job *job, struct report *report);
int send_mmsg(const struct job *job, struct report *report);
int send_spray(const struct job *job, struct report *report);
int send_callers(const struct job *job, struct report *report);
int send_gso(const struct job *job, struct report *report);

int send_icmp(const struct job *job, struct report *report);
int send_ping(const struct job *job, struct report *report);
int send_raw(const struct job *job, struct report *report);
int send_packet(const struct job *job, struct report *report);
int send_flood(const struct job *job, struct report *report);

/* Shared: payload bytes, the port a socket got, keep the socket a while. */
const char *payload(size_t bytes);
void note_port(int fd, struct report *report);
void note_send(ssize_t result, struct report *report);
void hold(const struct job *job);
void set_port(struct sockaddr_storage *address, uint16_t port);

#endif /* TRAFFIC_H */
