/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* lane_reports.c - what came of the messages that a lane sent. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "stream/lane_private.h"

#define BACKOFF_MOST 32 /* times retry_ns */
#define ASK_PART     12 /* of stall_ns */
#define PURGE_NS     UINT64_C(1000000000)

bool
lane_is_refusal(rd_kafka_resp_err_t error)
{
	switch (error) {
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_INVALID_RECORD:
	case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
	case RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT:
		return true;
	default:
		return false;
	}
}

/* Given up by us: that says nothing about the message. */
static bool
is_purge(rd_kafka_resp_err_t error)
{
	return error == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
	       error == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
}

static struct flight *
flight_at(const struct lane *lane, uint32_t index)
{
	return &lane->flights[(lane->head + index) % lane->options.window];
}

static void
move_cursor(struct lane *lane)
{
	const struct flight *first = lane->count ? flight_at(lane, 0) : NULL;
	const char *name = first ? first->log_name : lane->log_name;

	if (strcmp(lane->cursor.log_name, name) != 0)
		snprintf(lane->cursor.log_name, sizeof(lane->cursor.log_name), "%s", name);
	lane->cursor.sequence = first ? first->sequence : lane->sequence;
	lane->cursor.ordinal = first ? first->ordinal : lane->ordinal;
}

/* Those at the window's head that the broker has. */
static void
pop_acked(struct lane *lane)
{
	uint32_t popped = 0;

	while (lane->count && flight_at(lane, 0)->state == FLIGHT_ACKED) {
		lane->bytes_sent -= flight_at(lane, 0)->bytes;
		lane->head++;
		lane->count--;
		popped++;
	}
	if (!popped)
		return;
	move_cursor(lane);
	lane->alone -= lane->alone < popped ? lane->alone : popped;
	lane->backoff_ns = 0;
	lane->is_doomed = lane->is_stub_refused = false;
	if (lane->state.error[0])
		log_info("kafka", "topic %s takes messages again", lane->state.name);
	lane->state.error[0] = '\0';
}

void
lane_report(struct lane *lane, struct ticket ticket, rd_kafka_resp_err_t error)
{
	uint32_t index = ticket.number - lane->head;
	struct flight *flight;

	if (ticket.generation != lane->generation || index >= lane->count)
		return;
	flight = flight_at(lane, index);
	if (flight->state != FLIGHT_SENT)
		return;
	lane->unreported--;
	flight->state = error ? FLIGHT_FAILED : FLIGHT_ACKED;
	flight->error = error;
	lane->state.acked += !error;
	lane->state.failed += error && !is_purge(error);
	lane->has_failed |= error != 0;
	if (!lane->has_failed)
		pop_acked(lane);
}

static void
note(struct lane *lane, const char *words)
{
	if (strcmp(lane->state.error, words) != 0)
		log_warn("kafka", "topic %s: %s; its messages wait in the journal",
			 lane->state.name, words);
	snprintf(lane->state.error, sizeof(lane->state.error), "%s", words);
}

void
lane_back_off(struct lane *lane, rd_kafka_resp_err_t error, uint64_t now_ns)
{
	note(lane, rd_kafka_err2str(error));
	lane->backoff_ns = lane->backoff_ns ? lane->backoff_ns * 2 : lane->options.retry_ns;
	if (lane->backoff_ns > lane->options.retry_ns * BACKOFF_MOST)
		lane->backoff_ns = lane->options.retry_ns * BACKOFF_MOST;
	lane->retry_at_ns = now_ns + lane->backoff_ns;
}

/* The first error that is the broker's; *span: how many messages from the head it reaches. */
static rd_kafka_resp_err_t
find_cause(const struct lane *lane, uint32_t *span)
{
	rd_kafka_resp_err_t cause = RD_KAFKA_RESP_ERR_NO_ERROR;

	*span = 1;
	for (uint32_t i = 0; i < lane->count; i++) {
		const struct flight *flight = flight_at(lane, i);

		if (flight->state != FLIGHT_FAILED || is_purge(flight->error))
			continue;
		cause = cause ? cause : flight->error;
		*span = i + 1;
	}
	return cause;
}

/* All reports are there: draw the conclusion, and go back to the cursor. */
static void
conclude(struct lane *lane, uint64_t now_ns)
{
	rd_kafka_resp_err_t cause;
	uint32_t span;
	bool was_single;

	lane->has_failed = false;
	pop_acked(lane);
	was_single = lane->count == 1;
	cause = find_cause(lane, &span);
	if (cause)
		lane->alone = span;
	else if (lane->is_stalled)
		lane->alone = 1;
	if (cause && lane_is_refusal(cause) && !lane->is_doomed) {
		lane->is_doomed = was_single; /* else: find out which one */
		lane->refusal = cause;
	} else if (cause) {
		lane->is_stub_refused = lane->is_doomed;
		lane_back_off(lane, cause, now_ns);
	}
	lane->is_stalled = false;
	lane_rewind(lane);
}

/* A lone message can overtake nothing, so librdkafka's own timeout does for it. */
static bool
is_stalled(const struct lane *lane, uint64_t now_ns)
{
	return lane->unreported > 1 && !lane->has_failed &&
	       now_ns - flight_at(lane, 0)->sent_ns > lane->options.stall_ns;
}

/* A topic that is refused by its metadata fails no message: they only wait. */
static void
ask(struct lane *lane, struct client *client, uint64_t now_ns)
{
	const uint64_t patience_ns = lane->options.stall_ns / ASK_PART;
	rd_kafka_resp_err_t error;

	if (!lane->unreported || now_ns - flight_at(lane, 0)->sent_ns < patience_ns ||
	    now_ns - lane->asked_ns < 2 * patience_ns)
		return;
	lane->asked_ns = now_ns;
	error = client_ask(client, lane->options.topic);
	if (error)
		note(lane, rd_kafka_err2str(error));
}

void
lane_settle(struct lane *lane, struct client *client, uint64_t now_ns)
{
	if (is_stalled(lane, now_ns)) {
		lane->is_stalled = lane->has_failed = true;
		if (!lane->state.error[0])
			note(lane, "no word from the broker");
	}
	ask(lane, client, now_ns);
	if (!lane->has_failed)
		return;
	if (!lane->unreported) {
		conclude(lane, now_ns);
		return;
	}
	/* What changes its broker at that moment is not caught: again, until all is reported. */
	if (lane->purged_ns && now_ns - lane->purged_ns < PURGE_NS)
		return;
	lane->purged_ns = now_ns;
	client_purge(client);
}
