/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* lane_private.h - what sending (lane.c) and what came of it (lane_reports.c) share. */
#ifndef STREAM_LANE_PRIVATE_H
#define STREAM_LANE_PRIVATE_H

#include "stream/lane.h"

#define LANE_BYTES ((size_t)16 << 20) /* on their way, of one topic */

enum flight_state { FLIGHT_SENT, FLIGHT_ACKED, FLIGHT_FAILED };

/* A message on its way. */
struct flight {
	uint64_t sequence;
	uint64_t ordinal;
	uint64_t sent_ns;
	int64_t logged_ms;
	const char *log_name;
	uint32_t bytes;
	enum flight_state state;
	rd_kafka_resp_err_t error;
};

/* Names of shards, kept for the lane's life: one a day. */
struct name {
	struct name *before;
	char text[];
};

struct lane {
	struct lane_options options;
	struct journal_reader *reader;
	struct name *names;
	struct cursor cursor;

	/* The entry that is read next, or that is held. */
	const char *log_name; /* of names; "" before the first */
	uint64_t sequence;
	uint64_t ordinal;
	bool is_held; /* read, but there was no room for it, or it is beyond the horizon */
	const char *bytes;
	size_t length;
	struct journal_position at;
	struct horizon starved; /* at this horizon there was nothing more to read */
	uint64_t starved_ns;

	struct flight *flights; /* a ring */
	uint32_t head;          /* number of the first */
	uint32_t count;
	uint32_t unreported;
	size_t bytes_sent;
	uint32_t generation;

	uint32_t alone;     /* messages that go one at a time */
	bool has_failed;    /* the window is to be given up */
	uint64_t purged_ns; /* when librdkafka was told last; 0: not yet */
	bool is_stalled;    /* because no word came */
	bool is_doomed;     /* the next message is refused for good: its stub goes */
	bool is_stub_refused;
	rd_kafka_resp_err_t refusal;
	const char *dead_name; /* the last entry among the dead letters */
	uint64_t dead_sequence;
	uint64_t retry_at_ns;
	uint64_t backoff_ns;
	uint64_t asked_ns;

	struct stream_topic_state state;
};

/* Give up what is on its way, and note why. */
void lane_back_off(struct lane *lane, rd_kafka_resp_err_t error, uint64_t now_ns);
/* Is it the message that is refused, and not its topic? */
bool lane_is_refusal(rd_kafka_resp_err_t error);

#endif /* STREAM_LANE_PRIVATE_H */
