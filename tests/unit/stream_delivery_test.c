/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stream_delivery_test.c - from the journal to a mock cluster: order, headers, restarts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stream_helper.h"

static void
each_entry_reaches_its_topic_in_order(void **state)
{
	struct world *world = *state;

	open_stream(world);
	put_many(world, 500);
	allow(world);
	await_acked(world, 500);
	assert_int_equal(assert_whole(world, V_TOPIC, 150), 0);
	assert_int_equal(assert_whole(world, A_TOPIC, 300), 0);
	assert_int_equal(assert_whole(world, E_TOPIC, 50), 0);
}

static void
check_headers(rd_kafka_message_t *message)
{
	static const struct {
		const char *name, *value;
	} expected[] = {
		{"content-type", "application/json"},
		{"ce_specversion", "1.0"},
		{"ce_source", "//c1/n1"},
		{"ce_type", "io.demarc.ocsf.4001.v1"},
		{"ce_time", "2026-11-23T00:00:00.005Z"},
		{"ce_dataschema", "https://schema.ocsf.io/1.8.0/classes/network_activity"},
		{"ocsf_class_uid", "4001"},
		{"severity_id", "4"},
		{"rule_uid", "egress.outside"},
		{"demarc_log_name", "c1/n1/2026-11-23"},
		{"demarc_sequence", "0"},
		{"demarc_topic_sequence", "0"},
	};
	char text[256], value[1024];

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		assert_non_null(header(message, expected[i].name, text));
		assert_string_equal(text, expected[i].value);
	}
	assert_null(header(message, "demarc_stub", text));
	assert_int_equal(message->key_len, 5);
	assert_memory_equal(message->key, "c1/n1", 5);
	snprintf(value, sizeof(value), "%.*s", (int)message->len, (char *)message->payload);
	header(message, "ce_id", text);
	assert_non_null(strstr(value, text));
}

static void
a_message_has_all_headers_and_the_journals_bytes(void **state)
{
	struct world *world = *state;
	struct journal_reader *reader;
	struct consumed got;
	struct error why;
	const char *bytes;
	size_t length;

	open_stream(world);
	put_kind(world, VIOLATION, 10, MONDAY_MS + 5);
	allow(world);
	await_acked(world, 1);
	got = consume(world, V_TOPIC, 1, check_headers);
	assert_int_equal(got.count, 1);
	assert_int_equal(journal_reader_open(&reader, world->folder, &why), 0);
	assert_int_equal(journal_reader_next(reader, &bytes, &length, &why), 1);
	assert_int_equal(strlen(got.seen[0].value), length);
	assert_memory_equal(got.seen[0].value, bytes, length);
	journal_reader_close(reader);
	free(got.seen);
}

static void
a_gap_goes_to_every_topic_that_it_touches(void **state)
{
	struct world *world = *state;

	open_stream(world);
	put_kind(world, ACTIVITY, 0, MONDAY_MS);
	put_kind(world, GAP, 0, MONDAY_MS);
	put_kind(world, VIOLATION, 0, MONDAY_MS);
	allow(world);
	await_acked(world, 5);
	assert_whole(world, V_TOPIC, 2);
	assert_whole(world, A_TOPIC, 2);
	assert_whole(world, E_TOPIC, 1);
}

static void
nothing_goes_before_it_is_on_disk(void **state)
{
	struct world *world = *state;

	open_stream(world);
	put_many(world, 50);
	journal_commit(world->journal);
	await_ticket(world->journal, world->ticket);
	stream_allow(world->stream, "c1/n1/2026-11-23", 20);
	await_acked(world, 20);
	nap(300);
	assert_int_equal(acked_of(world->stream), 20);
	stream_allow(world->stream, "c1/n1/2026-11-23", 50);
	await_acked(world, 50);
}

static void
a_restart_sends_nothing_twice(void **state)
{
	struct world *world = *state;

	for (unsigned int i = 0; i < 5; i++) {
		open_stream(world);
		put_many(world, 100);
		allow(world);
		stream_close(world->stream); /* delivers, and stores */
		world->stream = NULL;
	}
	assert_int_equal(assert_whole(world, A_TOPIC, 300), 0);
	assert_int_equal(assert_whole(world, V_TOPIC, 150), 0);
	assert_int_equal(assert_whole(world, E_TOPIC, 50), 0);
}

static void
a_kill_repeats_but_loses_nothing(void **state)
{
	struct world *world = *state;

	for (unsigned int i = 0; i < 8; i++) {
		open_stream(world);
		put_many(world, 60);
		allow(world);
		nap(i * 40);
		stream_drop(world->stream);
		world->stream = NULL;
	}
	open_stream(world);
	allow(world);
	assert_whole(world, A_TOPIC, 8 * 36);
	assert_whole(world, V_TOPIC, 8 * 18);
	assert_whole(world, E_TOPIC, 8 * 6);
}

static void
a_new_day_counts_from_0(void **state)
{
	struct world *world = *state;
	struct consumed got;

	open_stream(world);
	for (int i = 0; i < 10; i++)
		put_kind(world, VIOLATION, 0, MONDAY_MS);
	for (int i = 0; i < 5; i++)
		put_kind(world, VIOLATION, 0, MONDAY_MS + DAY_MS);
	allow(world);
	await_acked(world, 15);
	got = consume(world, V_TOPIC, 15, NULL);
	assert_int_equal(got.holes, 0);
	assert_int_equal(got.seen[9].ordinal, 9);
	assert_string_equal(got.seen[10].log_name, "c1/n1/2026-11-24");
	assert_int_equal(got.seen[14].ordinal, 4);
	free(got.seen);
}

static void
damaged_cursors_begin_anew_and_say_so(void **state)
{
	struct world *world = *state;
	struct stream_news news;
	char path[256];

	open_stream(world);
	put_many(world, 100);
	allow(world);
	stream_close(world->stream);
	snprintf(path, sizeof(path), "%s/cursors", world->directory);
	flip_byte(path, 20);
	flip_byte(path, 4096 + 20);
	open_stream(world);
	assert_true(stream_news(world->stream, &news));
	assert_int_equal(news.kind, STREAM_NEWS_SAID);
	assert_non_null(strstr(news.text, "damaged"));
	allow(world);
	await_acked(world, 100);
	assert_int_equal(assert_whole(world, A_TOPIC, 60), 60);
}

static void
write_cursors(const char *path, const struct cursor cursors[STREAM_ENTRY_TOPICS])
{
	struct cursor ignored[STREAM_ENTRY_TOPICS];
	struct cursor_file file;

	assert_int_equal(cursors_open(&file, path, ignored), -ENOENT);
	assert_int_equal(cursors_write(&file, cursors), 0);
	cursors_close(&file);
}

static void
a_cursor_beyond_the_journal_begins_anew(void **state)
{
	struct cursor cursors[STREAM_ENTRY_TOPICS] = {{"c1/n1/2026-11-23", 900, 9},
						      {"c1/n1/2026-11-23", 900, 9},
						      {"c1/n1/2026-11-24", 1, 1}};
	struct world *world = *state;
	char path[256];

	mkdir(world->directory, 0700);
	snprintf(path, sizeof(path), "%s/cursors", world->directory);
	write_cursors(path, cursors);
	open_stream(world);
	put_many(world, 50);
	allow(world);
	await_acked(world, 50);
	assert_whole(world, V_TOPIC, 15);
}

static void
an_expired_shard_is_reported_as_lost(void **state)
{
	struct cursor cursors[STREAM_ENTRY_TOPICS] = {
		{"c1/n1/2026-11-22", 7, 2}, {"c1/n1/2026-11-22", 7, 2}, {"c1/n1/2026-11-22", 7, 2}};
	struct world *world = *state;
	struct stream_news news;
	char path[256];

	mkdir(world->directory, 0700);
	snprintf(path, sizeof(path), "%s/cursors", world->directory);
	write_cursors(path, cursors);
	open_stream(world);
	put_many(world, 10);
	allow(world);
	await_acked(world, 10);
	assert_true(stream_news(world->stream, &news));
	assert_int_equal(news.kind, STREAM_NEWS_LOST);
	assert_int_equal(news.count, 0);
	assert_non_null(strstr(news.text, "c1/n1/2026-11-22 from 7 on"));
	while (stream_news(world->stream, &news))
		assert_int_not_equal(news.kind, STREAM_NEWS_LOST); /* said once for all topics */
	assert_whole(world, V_TOPIC, 3);
}

static void
a_heartbeat_carries_heads_and_the_agents_word(void **state)
{
	struct world *world = *state;
	rd_kafka_t *consumer;
	rd_kafka_message_t *message = NULL;
	uint64_t until = now_ms() + PATIENCE_MS;
	char *text;

	open_stream(world);
	put_many(world, 20);
	allow(world);
	await_acked(world, 20);
	stream_beat(world->stream, "{\"alerts\":6}", 12);
	consumer = open_consumer(world, H_TOPIC);
	while (now_ms() < until && (!message || message->err)) {
		if (message)
			rd_kafka_message_destroy(message);
		message = rd_kafka_consumer_poll(consumer, 100);
	}
	assert_non_null(message);
	text = strndup(message->payload, message->len);
	assert_non_null(strstr(text, "\"agent\":{\"alerts\":6},\"beat\":0,"));
	assert_non_null(
		strstr(text, "\"head\":{\"log_name\":\"c1/n1/2026-11-23\",\"next_sequence\":20}"));
	assert_non_null(strstr(text, "\"schema\":\"demarc.health.v1\""));
	free(text);
	rd_kafka_message_destroy(message);
	rd_kafka_consumer_close(consumer);
	rd_kafka_destroy(consumer);
}

static void
a_broker_is_told_once(void **state)
{
	struct world *world = *state;
	struct stream_news news = {0};
	uint64_t until = now_ms() + PATIENCE_MS;

	open_stream(world);
	while (!stream_news(world->stream, &news) && now_ms() < until)
		nap(20);
	assert_int_equal(news.kind, STREAM_NEWS_BROKER);
	assert_string_equal(news.address, "127.0.0.1");
	assert_false(stream_news(world->stream, &news));
}

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(each_entry_reaches_its_topic_in_order),
		WORLD_TEST(a_message_has_all_headers_and_the_journals_bytes),
		WORLD_TEST(a_gap_goes_to_every_topic_that_it_touches),
		WORLD_TEST(nothing_goes_before_it_is_on_disk),
		WORLD_TEST(a_restart_sends_nothing_twice),
		WORLD_TEST(a_kill_repeats_but_loses_nothing),
		WORLD_TEST(a_new_day_counts_from_0),
		WORLD_TEST(damaged_cursors_begin_anew_and_say_so),
		WORLD_TEST(a_cursor_beyond_the_journal_begins_anew),
		WORLD_TEST(an_expired_shard_is_reported_as_lost),
		WORLD_TEST(a_heartbeat_carries_heads_and_the_agents_word),
		WORLD_TEST(a_broker_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
