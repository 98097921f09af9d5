/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sink.h - where entries go once they are safe.
 *
 * put() may only stage; commit() publishes everything up to a ticket that the
 * journal has acknowledged. So nothing is shown or sent that a crash could
 * take back.
 */
#ifndef SINK_H
#define SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "event.h"

/*
 * A reader that is slow or gone never stops the agent's loop: what does not fit its
 * buffer is dropped, counted and said. Call commit() every turn, also with the
 * ticket of the turn before: it goes on with what the reader had no room for.
 * -EPIPE: nobody reads any more.
 */
struct sink;

struct delivery {
	const struct event *event; /* with its judgement; valid during put() only */
	const char *json;          /* the journal's own bytes */
	size_t length;
	uint64_t ticket;
};

struct sink_ops {
	const char *name;
	int (*put)(struct sink *sink, const struct delivery *delivery);
	int (*commit)(struct sink *sink, uint64_t ticket);
	void (*close)(struct sink *sink);
};

/* Every sink begins with its verbs. */
struct sink {
	const struct sink_ops *ops;
};

/* What a slow reader costs: lines (an agent's journal has them), or time (a replay has no journal).
 */
enum sink_pace { SINK_DROPS, SINK_WAITS };

/* One aligned line per alert on fd, in colour when asked. privacy must outlive the sink. */
int people_open(struct sink **out, int fd, enum sink_pace pace, bool colour,
		const struct privacy *privacy);
/* Every entry's bytes and a newline on fd. */
int json_open(struct sink **out, int fd, enum sink_pace pace);
/* Sums what was put: destinations by jurisdiction, processes, verdicts, losses. */
int summary_open(struct sink **out);
void summary_print(struct sink *sink, FILE *out, bool colour);

#endif /* SINK_H */
