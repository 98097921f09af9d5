/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* beat.h - the heartbeat: what a consumer needs to see that an agent is dead, blind or behind. */
#ifndef STREAM_BEAT_H
#define STREAM_BEAT_H

#include "base/buf.h"
#include "stream.h"

struct beat {
	const struct stream_options *who;
	const struct stream_state *state;
	const char *log_name; /* the newest shard, as far as it is on disk */
	uint64_t next_sequence;
	uint64_t number; /* since the start, from 0 */
	int64_t time_ms;
	const char *agent; /* a JSON object; length 0: there is none */
	size_t length;
};

/* See docs/schema/health.json. */
void beat_write(struct buf *out, const struct beat *beat);

#endif /* STREAM_BEAT_H */
