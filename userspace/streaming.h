/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* streaming.h - the agent's loop and the stream to Kafka, joined. All but open take NULL. */
#ifndef STREAMING_H
#define STREAMING_H

#include <cjson/cJSON.h>

#include "agent.h"
#include "config.h"
#include "stream.h"

struct streaming;

/* What the configuration says of the stream. Valid as long as it, node and journal are. */
void streaming_options(struct stream_options *options, const struct config *config,
		       const char *node, const char *journal);

/* *out is NULL, and that is well, when no brokers are configured. */
int streaming_open(struct streaming **out, const struct config *config, struct agent *agent,
		   const char *boot_id, struct error *why);
/* Describes the agent for heartbeats: a JSON object that the caller frees, or NULL. */
void streaming_describe(struct streaming *streaming, char *(*describe)(void *arg), void *arg);
/* Once a turn, behind agent_commit(). */
void streaming_turn(struct streaming *streaming, uint64_t now_ns);
/* is_whole: the journal is closed, and all of it is on disk. */
void streaming_close(struct streaming *streaming, bool is_whole);
/* Rows for status, below root. */
void streaming_add_state(struct streaming *streaming, cJSON *root);

#endif /* STREAMING_H */
