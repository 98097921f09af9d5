/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* lane.c - read the journal, pick one topic's entries, hand them to librdkafka in order. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "stream/deadletter.h"
#include "stream/lane_private.h"

#define READ_MOST   2048 /* entries in one pump */
#define GENERATIONS 0x1fffffffu
#define STARVED_NS  UINT64_C(1000000000) /* then it looks again */

DEFINE_DROP(struct lane *, lane, lane_close)

/* The same pointer for the same name as the last. */
static const char *
keep_name(struct lane *lane, const char *text)
{
	struct name *name;
	size_t length = strlen(text);

	if (lane->names && strcmp(lane->names->text, text) == 0)
		return lane->names->text;
	name = malloc(sizeof(*name) + length + 1);
	if (!name)
		return NULL;
	memcpy(name->text, text, length + 1);
	name->before = lane->names;
	lane->names = name;
	return name->text;
}

static int
open_reader(struct lane *lane)
{
	struct journal_reader *reader = NULL;
	struct error why = {0};
	int error = journal_reader_open(&reader, lane->options.journal, &why);

	if (!error && lane->cursor.log_name[0])
		error = journal_reader_seek(reader, lane->cursor.log_name, lane->cursor.sequence,
					    &why);
	if (error) {
		log_warn("kafka", "cannot read the journal from %s: %s", lane->cursor.log_name,
			 why.text);
		journal_reader_close(reader);
		return error;
	}
	journal_reader_close(lane->reader);
	lane->reader = reader;
	return 0;
}

void
lane_rewind(struct lane *lane)
{
	const char *name = keep_name(lane, lane->cursor.log_name);

	lane->generation = (lane->generation + 1) & GENERATIONS;
	lane->head += lane->count;
	lane->count = lane->unreported = 0;
	lane->bytes_sent = 0;
	lane->has_failed = lane->is_held = false;
	lane->purged_ns = 0;
	lane->starved = (struct horizon){0};
	lane->log_name = name ? name : "";
	lane->sequence = lane->cursor.sequence;
	lane->ordinal = lane->cursor.ordinal;
	journal_reader_close(take(lane->reader)); /* opened by the next pump */
}

int
lane_open(struct lane **out, const struct lane_options *options, const struct cursor *cursor)
{
	struct lane *lane cleanup(lane_drop) = calloc(1, sizeof(*lane));

	if (!lane)
		return -ENOMEM;
	lane->options = *options;
	lane->cursor = *cursor;
	lane->flights = calloc(options->window, sizeof(*lane->flights));
	if (!lane->flights)
		return -ENOMEM;
	lane_rewind(lane);
	*out = take(lane);
	return 0;
}

void
lane_close(struct lane *lane)
{
	struct name *name;

	if (!lane)
		return;
	journal_reader_close(lane->reader);
	while ((name = lane->names)) {
		lane->names = name->before;
		free(name);
	}
	free(lane->flights);
	free(lane);
}

/* Below 0: before the horizon. A shard that is newer than the horizon's is beyond it. */
static int
compare(const char *log_name, uint64_t sequence, const struct horizon *horizon)
{
	int days;

	if (strcmp(log_name, horizon->log_name) != 0) {
		days = *log_name ? journal_log_compare(log_name, horizon->log_name) : -1;
		if (days)
			return days;
	}
	return sequence < horizon->sequence ? -1 : sequence > horizon->sequence;
}

/* A cursor beyond all there is: the journal is another one, or a power cut took its end. */
static void
check_cursor(struct lane *lane, const struct horizon *horizon)
{
	char text[256];

	if (lane->count || compare(lane->cursor.log_name, lane->cursor.sequence, horizon) <= 0)
		return;
	snprintf(text, sizeof(text),
		 "the cursor of %.100s was beyond the journal's end: it begins anew at the oldest "
		 "shard",
		 lane->state.name);
	lane->options.ops.said(lane->options.arg, text);
	lane->cursor = (struct cursor){0};
	lane_rewind(lane);
}

/* Behind the entry that was read. */
static void
step(struct lane *lane, bool is_ours)
{
	lane->sequence = lane->at.sequence + 1;
	lane->ordinal += is_ours;
	lane->is_held = false;
	if (lane->count)
		return;
	if (strcmp(lane->cursor.log_name, lane->log_name) != 0)
		snprintf(lane->cursor.log_name, sizeof(lane->cursor.log_name), "%s",
			 lane->log_name);
	lane->cursor.sequence = lane->sequence;
	lane->cursor.ordinal = lane->ordinal;
}

/* The next entry becomes the one held. 1, 0 when there is none now, or -errno. */
static int
read_entry(struct lane *lane)
{
	struct journal_lost lost;
	struct error why = {0};
	const char *name;
	int found;

	while ((found = journal_reader_next(lane->reader, &lane->bytes, &lane->length, &why)) ==
	       -EBADMSG) {
		journal_reader_lost(lane->reader, &lost);
		log_warn("kafka", "topic %s: %s: %s", lane->state.name, why.file, why.text);
		if (lost.first != lost.next)
			lane->options.ops.lost(lane->options.arg, &lost);
	}
	if (found < 1)
		return found;
	journal_reader_position(lane->reader, &lane->at);
	name = keep_name(lane, lane->at.log_name);
	if (!name)
		return -ENOMEM;
	if (strcmp(name, lane->log_name) != 0)
		lane->ordinal = 0;
	lane->log_name = name;
	lane->sequence = lane->at.sequence;
	lane->is_held = true;
	return 1;
}

/* Bulk is activity and nothing else; what is critical says itself what it is. */
static bool
is_ours(const struct lane *lane, struct message *out)
{
	unsigned int bit = 1u << lane->options.topic;

	if (lane->at.class == JOURNAL_BULK && lane->options.topic != STREAM_ACTIVITY)
		return false;
	message_read(out, lane->bytes, lane->length);
	if (lane->at.class == JOURNAL_BULK)
		return true;
	return out->topics & bit;
}

static rd_kafka_headers_t *
make_headers(const struct message *message, const struct message_place *place)
{
	struct header headers[MESSAGE_HEADERS];
	size_t count = message_headers(headers, message, place);
	rd_kafka_headers_t *out = rd_kafka_headers_new(count + 1);

	for (size_t i = 0; i < count; i++)
		rd_kafka_header_add(out, headers[i].name, -1, headers[i].value, -1);
	rd_kafka_header_add(out, "demarc_log_name", -1, place->log_name, -1);
	return out;
}

/* Once for each entry, however often its stub is sent. */
static void
keep_dead(struct lane *lane)
{
	struct dead_letter letter = {
		.reason = rd_kafka_err2str(lane->refusal),
		.topic = lane->state.name,
		.log_name = lane->log_name,
		.sequence = lane->sequence,
		.ordinal = lane->ordinal,
		.entry = lane->bytes,
		.length = lane->length,
	};
	char text[256];
	int error;

	if (lane->dead_name && lane->dead_sequence == lane->sequence &&
	    strcmp(lane->dead_name, lane->log_name) == 0)
		return;
	error = deadletter_add(lane->options.dead_letters, lane->options.dead_bytes, &letter);
	if (error)
		log_error("kafka", "cannot keep a dead letter in %s: %s",
			  lane->options.dead_letters, strerror(-error));
	snprintf(text, sizeof(text),
		 "%.60s refuses entry %" PRIu64 " of %.80s: %.60s; a stub takes its place",
		 lane->state.name, lane->sequence, lane->log_name, letter.reason);
	lane->options.ops.said(lane->options.arg, text);
	lane->state.stubs++;
	lane->dead_name = lane->log_name;
	lane->dead_sequence = lane->sequence;
}

static rd_kafka_resp_err_t
send_entry(struct lane *lane, struct client *client, const struct message *message)
{
	struct buf stub cleanup(buf_fini) = {0};
	struct message_place place = {
		.source = lane->options.source,
		.log_name = lane->log_name,
		.sequence = lane->sequence,
		.ordinal = lane->ordinal,
		.is_stub = lane->is_doomed,
	};
	struct outgoing outgoing = {
		.ticket = {lane->options.topic, lane->generation, lane->head + lane->count},
		.key = lane->options.key,
		.key_length = strlen(lane->options.key),
		.value = lane->bytes,
		.length = lane->length,
		.headers = make_headers(message, &place),
	};

	if (lane->is_doomed) {
		keep_dead(lane);
		message_stub(&stub, message, &place, rd_kafka_err2str(lane->refusal), lane->length);
		outgoing.value = stub.data;
		outgoing.length = stub.length;
	}
	return client_send(client, &outgoing);
}

static void
add_flight(struct lane *lane, uint64_t now_ns)
{
	lane->flights[(lane->head + lane->count) % lane->options.window] = (struct flight){
		.sequence = lane->sequence,
		.ordinal = lane->ordinal,
		.sent_ns = now_ns,
		.logged_ms = lane->at.logged_ms,
		.log_name = lane->log_name,
		.bytes = (uint32_t)lane->length,
	};
	lane->count++;
	lane->unreported++;
	lane->bytes_sent += lane->length;
	lane->state.sent++;
}

/* The entry held goes out, or the reason why it cannot is noted. True: it is behind us. */
static bool
offer(struct lane *lane, struct client *client, uint64_t now_ns)
{
	struct message message;
	rd_kafka_resp_err_t error;

	if (!is_ours(lane, &message)) {
		step(lane, false);
		return true;
	}
	error = send_entry(lane, client, &message);
	if (lane_is_refusal(error) && !lane->is_doomed) {
		if (lane->count) { /* those before it first: the stub then goes alone */
			lane->alone = 1;
			return false;
		}
		lane->is_doomed = true;
		lane->refusal = error;
		error = send_entry(lane, client, &message);
	}
	if (!error) {
		add_flight(lane, now_ns);
		step(lane, true);
		return true;
	}
	if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL && error != RD_KAFKA_RESP_ERR__FATAL)
		lane_back_off(lane, error, now_ns);
	return false;
}

static bool
may_send(const struct lane *lane, uint64_t now_ns)
{
	uint32_t window = lane->alone || lane->is_doomed ? 1 : lane->options.window;

	return !lane->has_failed && lane->count < window && lane->bytes_sent < LANE_BYTES &&
	       now_ns >= lane->retry_at_ns;
}

static bool
is_same(const struct horizon *a, const struct horizon *b)
{
	return a->sequence == b->sequence && strcmp(a->log_name, b->log_name) == 0;
}

/* There was nothing although there should be: damage at the journal's end, for instance. */
static bool
is_starved(const struct lane *lane, const struct horizon *horizon, uint64_t now_ns)
{
	return is_same(&lane->starved, horizon) && now_ns - lane->starved_ns < STARVED_NS;
}

/* Is an entry in hand that may be sent? */
static bool
has_entry(struct lane *lane, const struct horizon *horizon, uint64_t now_ns)
{
	int found;

	if (!lane->is_held) {
		if (compare(lane->log_name, lane->sequence, horizon) >= 0 ||
		    is_starved(lane, horizon, now_ns))
			return false;
		if (!lane->reader && open_reader(lane) < 0)
			return false;
		found = read_entry(lane);
		if (found == 0) {
			lane->starved = *horizon;
			lane->starved_ns = now_ns;
		}
		if (found < 1)
			return false;
	}
	return compare(lane->log_name, lane->sequence, horizon) < 0;
}

bool
lane_pump(struct lane *lane, struct client *client, const struct horizon *horizon, uint64_t now_ns)
{
	int left = READ_MOST;

	if (!lane->state.name[0])
		snprintf(lane->state.name, sizeof(lane->state.name), "%s",
			 client_topic(client, lane->options.topic));
	if (!horizon->log_name[0])
		return false;
	check_cursor(lane, horizon);
	while (left && may_send(lane, now_ns) && has_entry(lane, horizon, now_ns) &&
	       offer(lane, client, now_ns))
		left--;
	return !left;
}

bool
lane_is_done(const struct lane *lane, const struct horizon *horizon)
{
	return !lane->count && (compare(lane->log_name, lane->sequence, horizon) >= 0 ||
				is_same(&lane->starved, horizon));
}

bool
lane_is_idle(const struct lane *lane)
{
	return !lane->count;
}

const struct cursor *
lane_cursor(const struct lane *lane)
{
	return &lane->cursor;
}

void
lane_state(const struct lane *lane, const struct horizon *horizon, int64_t now_ms,
	   struct stream_topic_state *out)
{
	const struct cursor *cursor = &lane->cursor;
	int64_t oldest_ms = lane->count ? lane->flights[lane->head % lane->options.window].logged_ms
			    : lane->is_held ? lane->at.logged_ms
					    : 0;

	*out = lane->state;
	out->in_flight = lane->count;
	snprintf(out->log_name, sizeof(out->log_name), "%s", cursor->log_name);
	out->next_sequence = cursor->sequence;
	out->next_ordinal = cursor->ordinal;
	out->lag = horizon->sequence;
	if (strcmp(cursor->log_name, horizon->log_name) == 0)
		out->lag -= cursor->sequence < out->lag ? cursor->sequence : out->lag;
	out->lag_ms = oldest_ms && now_ms > oldest_ms ? now_ms - oldest_ms : 0;
}
