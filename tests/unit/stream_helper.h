/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stream_helper.h - a journal, a mock cluster and a consumer for the tests of the stream. */
#ifndef STREAM_HELPER_H
#define STREAM_HELPER_H

#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <time.h>

#include "journal_helper.h"
#include "stream/stream_private.h"

#define PATIENCE_MS 20000

struct world {
	char *folder;
	char directory[128];
	struct journal *journal;
	rd_kafka_t *owner; /* of the mock cluster */
	rd_kafka_mock_cluster_t *cluster;
	struct stream *stream;
	const char *const *properties;
	unsigned int window;
	uint64_t ticket;
};

enum kind { ACTIVITY, VIOLATION, LIFE, GAP };

static inline uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static inline void
nap(unsigned int ms)
{
	usleep(ms * 1000);
}

static inline void
put_kind(struct world *world, enum kind kind, size_t padding, int64_t at_ms)
{
	enum journal_class class = kind == ACTIVITY ? JOURNAL_BULK : JOURNAL_CRITICAL;
	struct event_stamp stamp = {0};
	struct buf *out;

	assert_int_equal(journal_admit(world->journal, class, at_ms, &stamp), 0);
	out = journal_bytes(world->journal);
	buf_addf(out, "{\"class_uid\":%d,\"enrichments\":[{\"data\":{%s}}]",
		 kind >= LIFE ? 1008 : 4001, kind == GAP ? "\"missing\":\"flow\"" : "");
	if (kind == VIOLATION)
		buf_adds(out, ",\"firewall_rule\":{\"name\":\"n\",\"uid\":\"egress.outside\"}");
	buf_addf(out, ",\"is_alert\":%s,\"message\":\"", kind == VIOLATION ? "true" : "false");
	while (padding--)
		buf_addc(out, 'x');
	buf_addf(out, "\",\"metadata\":{\"sequence\":%" PRIu64 ",\"type\":\"%s\",\"uid\":\"%s\"}",
		 stamp.sequence,
		 kind == GAP    ? "gap"
		 : kind == LIFE ? "agent"
				: "flow",
		 stamp.uid);
	buf_addf(out, ",\"severity_id\":%d,\"time\":%" PRId64 "}", kind == VIOLATION ? 4 : 1,
		 at_ms);
	world->ticket = journal_add(world->journal);
	assert_true(world->ticket > 0);
}

/* What is in the journal may go. */
static inline void
allow(struct world *world)
{
	struct journal_state state;

	journal_commit(world->journal);
	await_ticket(world->journal, world->ticket);
	journal_state(world->journal, &state);
	stream_allow(world->stream, state.shard, state.next_sequence);
}

/* In turns of ten: six activities, three violations, one of the agent's life. */
static inline void
put_many(struct world *world, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		put_kind(world,
			 i % 10 < 6   ? ACTIVITY
			 : i % 10 < 9 ? VIOLATION
				      : LIFE,
			 100, MONDAY_MS + i);
}

static inline void
open_stream(struct world *world)
{
	const char *brokers =
		world->cluster ? rd_kafka_mock_cluster_bootstraps(world->cluster) : "127.0.0.1:1";
	struct stream_options options = {
		.journal = world->folder,
		.directory = world->directory,
		.cluster = "c1",
		.node = "n1",
		.version = "1",
		.boot_id = "b1",
		.brokers = brokers,
		.properties = world->properties,
		.window = world->window ? world->window : 64,
		.retry_ms = 50,
		.watch_ms = 100,
		.stall_ms = 3000,
		.close_ms = 5000,
	};
	struct error why = {0};

	if (stream_open(&world->stream, &options, &why) < 0)
		fail_msg("%s", why.text);
}

static inline int
setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	char words[256];

	world->folder = make_folder();
	snprintf(world->directory, sizeof(world->directory), "%s-stream", world->folder);
	world->journal = open_journal(world->folder, "n1");
	world->owner = rd_kafka_new(RD_KAFKA_PRODUCER, NULL, words, sizeof(words));
	assert_non_null(world->owner);
	world->cluster = rd_kafka_mock_cluster_new(world->owner, 1);
	assert_non_null(world->cluster);
	*state = world;
	return 0;
}

static inline int
teardown(void **state)
{
	struct world *world = *state;

	stream_drop(world->stream);
	journal_close(world->journal);
	rd_kafka_mock_cluster_destroy(world->cluster);
	rd_kafka_destroy(world->owner);
	remove_tree(world->folder);
	remove_tree(world->directory);
	free(world->folder);
	free(world);
	return 0;
}

/* Of the first sight of each message. */
struct seen {
	char uid[40];
	char log_name[64];
	uint64_t sequence;
	uint64_t ordinal;
	bool is_stub;
	char value[1024];
};

struct consumed {
	struct seen *seen;
	size_t count;
	size_t repeats;
	size_t out_of_order; /* first sights that came too late */
	size_t holes;        /* ordinals that were passed over */
};

static inline const char *
header(rd_kafka_message_t *message, const char *name, char out[256])
{
	rd_kafka_headers_t *headers = NULL;
	const void *value = NULL;
	size_t length = 0;

	out[0] = '\0';
	if (rd_kafka_message_headers(message, &headers) ||
	    rd_kafka_header_get_last(headers, name, &value, &length))
		return NULL;
	snprintf(out, 256, "%.*s", (int)length, (const char *)value);
	return out;
}

static inline uint64_t
header_number(rd_kafka_message_t *message, const char *name)
{
	char text[256];

	return header(message, name, text) ? strtoull(text, NULL, 10) : UINT64_MAX;
}

static inline void
note_message(struct consumed *out, rd_kafka_message_t *message)
{
	struct seen seen = {0}, *last = out->count ? &out->seen[out->count - 1] : NULL;
	char text[256];
	bool is_same_shard;

	assert_non_null(header(message, "ce_id", text));
	snprintf(seen.uid, sizeof(seen.uid), "%.39s", text);
	assert_non_null(header(message, "demarc_log_name", text));
	snprintf(seen.log_name, sizeof(seen.log_name), "%.63s", text);
	seen.sequence = header_number(message, "demarc_sequence");
	seen.ordinal = header_number(message, "demarc_topic_sequence");
	seen.is_stub = header(message, "demarc_stub", text) != NULL;
	snprintf(seen.value, sizeof(seen.value), "%.*s", (int)message->len,
		 (const char *)message->payload);
	for (size_t i = 0; i < out->count; i++)
		if (strcmp(out->seen[i].uid, seen.uid) == 0) {
			assert_int_equal(out->seen[i].ordinal, seen.ordinal);
			assert_int_equal(out->seen[i].sequence, seen.sequence);
			out->repeats++;
			return;
		}
	is_same_shard = last && strcmp(last->log_name, seen.log_name) == 0;
	if (is_same_shard && seen.sequence < last->sequence)
		out->out_of_order++;
	if (seen.ordinal != (is_same_shard ? last->ordinal + 1 : 0))
		out->holes++;
	out->seen = realloc(out->seen, (out->count + 1) * sizeof(seen));
	out->seen[out->count++] = seen;
}

static inline rd_kafka_t *
open_consumer(struct world *world, const char *topic)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new(4);
	char words[256];
	rd_kafka_t *consumer;

	rd_kafka_conf_set(conf, "bootstrap.servers",
			  rd_kafka_mock_cluster_bootstraps(world->cluster), words, sizeof(words));
	rd_kafka_conf_set(conf, "group.id", "test", words, sizeof(words));
	rd_kafka_conf_set(conf, "fetch.wait.max.ms", "50", words, sizeof(words));
	rd_kafka_conf_set(conf, "auto.offset.reset", "earliest", words, sizeof(words));
	consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, words, sizeof(words));
	assert_non_null(consumer);
	rd_kafka_poll_set_consumer(consumer);
	for (int i = 0; i < 4; i++)
		rd_kafka_topic_partition_list_add(parts, topic, i)->offset =
			RD_KAFKA_OFFSET_BEGINNING;
	rd_kafka_assign(consumer, parts);
	rd_kafka_topic_partition_list_destroy(parts);
	return consumer;
}

/* Until count different messages came and it was quiet for a while; check may be NULL. */
static inline struct consumed
consume(struct world *world, const char *topic, size_t count, void (*check)(rd_kafka_message_t *))
{
	rd_kafka_t *consumer = open_consumer(world, topic);
	struct consumed out = {0};
	uint64_t until = now_ms() + PATIENCE_MS;

	while (now_ms() < until) {
		rd_kafka_message_t *message =
			rd_kafka_consumer_poll(consumer, out.count >= count ? 500 : 100);

		if (!message && out.count >= count)
			break;
		if (!message)
			continue;
		if (!message->err) {
			note_message(&out, message);
			if (check)
				check(message);
		}
		rd_kafka_message_destroy(message);
	}
	rd_kafka_consumer_close(consumer);
	rd_kafka_destroy(consumer);
	return out;
}

/* All count of them, in order, without a hole. Returns how many came twice. */
static inline size_t
assert_whole(struct world *world, const char *topic, size_t count)
{
	struct consumed got = consume(world, topic, count, NULL);

	assert_int_equal(got.count, count);
	assert_int_equal(got.out_of_order, 0);
	assert_int_equal(got.holes, 0);
	free(got.seen);
	return got.repeats;
}

static inline uint64_t
acked_of(struct stream *stream)
{
	struct stream_state state;
	uint64_t sum = 0;

	stream_state(stream, &state);
	for (int i = 0; i < STREAM_ENTRY_TOPICS; i++)
		sum += state.topics[i].acked;
	return sum;
}

static inline void
await_acked(struct world *world, uint64_t count)
{
	uint64_t until = now_ms() + PATIENCE_MS;

	while (acked_of(world->stream) < count && now_ms() < until)
		nap(10);
	if (acked_of(world->stream) < count)
		fail_msg("%" PRIu64 " of %" PRIu64 " acknowledged", acked_of(world->stream), count);
}

#define V_TOPIC "demarc.violations.v1"
#define A_TOPIC "demarc.activity.v1"
#define E_TOPIC "demarc.evidence.v1"
#define H_TOPIC "demarc.health.v1"

#endif /* STREAM_HELPER_H */
