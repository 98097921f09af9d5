/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * status.h - the running agent answers `demarc status` over a unix socket.
 *
 * One request is one connection: the agent writes a JSON object and closes. The
 * socket has mode 0600 and never blocks the loop.
 */
#ifndef STATUS_H
#define STATUS_H

#include <sys/socket.h>
#include <sys/un.h>

#include "agent.h"
#include "event.h"
#include "rule.h"
#include "loop.h"
#include "probes.h"
#include "streaming.h"

struct status;

/* What the answer is made of; everything outlives the status. */
struct status_subject {
	const struct config *config;
	const struct agent *agent;
	const struct probes *probes;
	struct streaming *streaming; /* or NULL */
	const uint64_t *longest_turn_ns;
	const uint64_t *turns;
	uint64_t started_ns;
};

int status_open(struct status **out, struct loop *loop, const struct status_subject *subject,
		struct error *why);
void status_close(struct status *status);
/* Somebody may have removed the socket, perhaps with its folder. True: it was made anew. */
bool status_tend(struct status *status);

/* The answer's text without the stream's rows, for heartbeats; the caller frees it. */
char *status_describe(void *status);

/* Where the socket is. -EINVAL: its path would be too long for one. */
int status_address(const struct config *config, struct sockaddr_un *out, struct error *why);

#endif /* STATUS_H */
