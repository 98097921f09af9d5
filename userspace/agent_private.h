/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* agent_private.h - what the pipeline (agent.c) and its life (agent_life.c) share. */
#ifndef AGENT_PRIVATE_H
#define AGENT_PRIVATE_H

#include "agent.h"
#include "context.h"
#include "judge.h"
#include "sink.h"

struct agent {
	struct agent_options options;
	const struct config *config;
	char node[256];
	char boot_id[40];
	struct judge *judge;
	struct context *context;
	struct folds *folds;
	struct journal *journal; /* NULL in replay */
	struct privacy privacy;
	struct pseudonyms pseudonyms;
	struct recorder *recorder;
	struct sink *sinks[AGENT_SINKS];
	size_t sink_count;
	struct buf text; /* replay: the entry being written */
	uint64_t sequence;
	uint64_t ticket;
	uint64_t now_ns;     /* of the latest record */
	uint64_t shed_told;
	uint64_t shed_since_ns;
	bool fold;
	struct agent_state state;
	struct event event;
};

#endif /* AGENT_PRIVATE_H */
