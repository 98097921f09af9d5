/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* beat.c - a heartbeat as JSON, its members in the order of their names. */
#include "stream/beat.h"

#include <inttypes.h>

#include "stream/text.h"

static void
add_text(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, ",\"%s\":", name);
	stream_text(out, value ? value : "");
}

static void
add_number(struct buf *out, const char *name, uint64_t value)
{
	buf_addf(out, ",\"%s\":%" PRIu64, name, value);
}

static void
add_topic(struct buf *out, const struct stream_topic_state *topic)
{
	buf_addf(out, "{\"acked\":%" PRIu64, topic->acked);
	add_text(out, "error", topic->error);
	add_number(out, "in_flight", topic->in_flight);
	add_number(out, "lag", topic->lag);
	buf_addf(out, ",\"lag_ms\":%" PRId64, topic->lag_ms);
	add_text(out, "log_name", topic->log_name);
	add_number(out, "next_sequence", topic->next_sequence);
	add_number(out, "next_topic_sequence", topic->next_ordinal);
	add_number(out, "sent", topic->sent);
	add_number(out, "stubs", topic->stubs);
	add_text(out, "topic", topic->name);
	buf_addc(out, '}');
}

static void
add_stream(struct buf *out, const struct stream_state *state)
{
	buf_addf(out, ",\"stream\":{\"brokers_up\":%u", state->brokers_up);
	add_number(out, "cursor_stores", state->cursor_stores);
	add_number(out, "dead_letters", state->dead_letters);
	add_text(out, "error", state->error);
	add_number(out, "lost", state->lost);
	add_number(out, "recreated", state->recreated);
	add_number(out, "rotated", state->rotated);
	buf_adds(out, ",\"topics\":[");
	for (int i = 0; i < STREAM_ENTRY_TOPICS; i++) {
		if (i)
			buf_addc(out, ',');
		add_topic(out, &state->topics[i]);
	}
	buf_adds(out, "]}");
}

void
beat_write(struct buf *out, const struct beat *beat)
{
	buf_adds(out, "{\"agent\":");
	if (beat->length)
		buf_add(out, beat->agent, beat->length);
	else
		buf_adds(out, "{}");
	add_number(out, "beat", beat->number);
	add_text(out, "boot_id", beat->who->boot_id);
	add_text(out, "cluster", beat->who->cluster);
	buf_adds(out, ",\"head\":{\"log_name\":");
	stream_text(out, beat->log_name);
	add_number(out, "next_sequence", beat->next_sequence);
	buf_addc(out, '}');
	add_text(out, "node", beat->who->node);
	add_text(out, "schema", "demarc.health.v1");
	add_stream(out, beat->state);
	buf_addf(out, ",\"time\":%" PRId64, beat->time_ms);
	add_text(out, "version", beat->who->version);
	buf_addc(out, '}');
}
