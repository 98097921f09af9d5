/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * lane.h - one topic's way from the journal to the broker.
 *
 * A lane has a reader and a cursor of its own, so that a topic that is refused
 * holds up no other. Messages on their way stand in a window; the cursor is at the
 * first that is not acknowledged. After a failure the lane gives the rest of its
 * window up, goes back to the cursor, and sends one message alone before it
 * trusts again: so the order of first arrivals holds.
 */
#ifndef STREAM_LANE_H
#define STREAM_LANE_H

#include "journal.h"
#include "stream/client.h"
#include "stream/cursor.h"
#include "stream/message.h"

/* What a lane tells whoever holds it. */
struct lane_ops {
	void (*lost)(void *arg, const struct journal_lost *lost);
	void (*said)(void *arg, const char *text);
};

struct lane_options {
	enum stream_topic topic;
	const char *journal;
	const char *source; /* ce_source */
	const char *key;
	const char *dead_letters;
	uint64_t dead_bytes;
	uint32_t window;
	uint64_t stall_ns;
	uint64_t retry_ns;
	struct lane_ops ops;
	void *arg;
};

/* What may be read: before this place. log_name "": nothing yet. */
struct horizon {
	char log_name[CURSOR_LOG_NAME];
	uint64_t sequence;
};

struct lane;

int lane_open(struct lane **out, const struct lane_options *options, const struct cursor *cursor);
void lane_close(struct lane *lane);

/* Read and send a bounded amount. True: there is more to do right now. */
bool lane_pump(struct lane *lane, struct client *client, const struct horizon *horizon,
	       uint64_t now_ns);
void lane_report(struct lane *lane, struct ticket ticket, rd_kafka_resp_err_t error);
/* After the reports of a turn: deal with what failed, or does not answer. */
void lane_settle(struct lane *lane, struct client *client, uint64_t now_ns);
/* Forget what is on its way and go back to the cursor: the handle is another. */
void lane_rewind(struct lane *lane);

bool lane_is_done(const struct lane *lane, const struct horizon *horizon);
bool lane_is_idle(const struct lane *lane); /* nothing on its way */
const struct cursor *lane_cursor(const struct lane *lane);
/* Fills in all but the name. */
void lane_state(const struct lane *lane, const struct horizon *horizon, int64_t now_ms,
		struct stream_topic_state *out);

#endif /* STREAM_LANE_H */
