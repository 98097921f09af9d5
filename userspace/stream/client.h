/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* client.h - one librdkafka handle: sends, reports, and what it says of brokers. */
#ifndef STREAM_CLIENT_H
#define STREAM_CLIENT_H

#include <librdkafka/rdkafka.h>

#include "stream.h"
#include "stream/properties.h"

struct client;

/* Which message a report is about. */
struct ticket {
	enum stream_topic topic;
	uint32_t generation;
	uint32_t number;
};

struct client_ops {
	void (*report)(void *arg, struct ticket ticket, rd_kafka_resp_err_t error);
	/* A broker that this handle was not connected to before: its "host:port". */
	void (*connected)(void *arg, const char *name);
};

struct client_state {
	bool is_fatal; /* every send fails from now on: make it anew */
	unsigned int brokers_up;
	char error[256]; /* "" since a message was taken */
};

struct outgoing {
	struct ticket ticket;
	const void *key;
	size_t key_length;
	const void *value;
	size_t length;
	rd_kafka_headers_t *headers; /* the client's from then on, whatever comes of it */
};

/* wake_fd, an eventfd, becomes readable when there is something to poll. */
int client_open(struct client **out, const struct stream_options *options,
		const struct client_ops *ops, void *arg, int wake_fd, struct error *why);
/* What is on its way is given up. */
void client_close(struct client *client);

rd_kafka_resp_err_t client_send(struct client *client, const struct outgoing *message);
/* Calls ops for what came. */
void client_poll(struct client *client);
/* What the broker says of a topic that stays silent; waits for the answer, shortly. */
rd_kafka_resp_err_t client_ask(struct client *client, enum stream_topic topic);
/* Everything on its way is reported as purged. */
void client_purge(struct client *client);
void client_state(const struct client *client, struct client_state *out);
const char *client_topic(const struct client *client, enum stream_topic topic);
rd_kafka_t *client_handle(struct client *client);

/* Has one of the files changed since the last call? */
bool client_is_outdated(struct client *client);

#endif /* STREAM_CLIENT_H */
