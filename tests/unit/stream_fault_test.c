/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stream_fault_test.c - brokers that are away, slow, forgetful or unwilling: nothing is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stream_helper.h"

#define PRODUCE 0 /* the request's number in Kafka's protocol */

static void
assert_all(struct world *world, unsigned int count)
{
	assert_whole(world, V_TOPIC, count * 3 / 10);
	assert_whole(world, A_TOPIC, count * 6 / 10);
	assert_whole(world, E_TOPIC, count / 10);
}

static void
retriable_errors_are_overcome(void **state)
{
	struct world *world = *state;

	open_stream(world);
	rd_kafka_mock_push_request_errors(
		world->cluster, PRODUCE, 5, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
		RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
		RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT);
	put_many(world, 200);
	allow(world);
	await_acked(world, 200);
	assert_all(world, 200);
}

static void
lost_acknowledgements_repeat_in_order(void **state)
{
	struct world *world = *state;

	open_stream(world);
	rd_kafka_mock_push_request_errors(world->cluster, PRODUCE, 4, RD_KAFKA_RESP_ERR__TRANSPORT,
					  RD_KAFKA_RESP_ERR__TRANSPORT,
					  RD_KAFKA_RESP_ERR__TRANSPORT,
					  RD_KAFKA_RESP_ERR__TRANSPORT);
	put_many(world, 300);
	allow(world);
	await_acked(world, 300);
	assert_all(world, 300);
}

static void
a_broker_goes_and_comes(void **state)
{
	struct world *world = *state;

	open_stream(world);
	put_many(world, 50);
	allow(world);
	await_acked(world, 50);
	rd_kafka_mock_broker_set_down(world->cluster, 1);
	put_many(world, 150);
	allow(world);
	nap(4000); /* longer than stall_ms: the window is given up once */
	assert_int_equal(acked_of(world->stream), 50);
	rd_kafka_mock_broker_set_up(world->cluster, 1);
	await_acked(world, 200);
	assert_all(world, 200);
}

static void
a_broker_that_is_away_at_first_is_waited_for(void **state)
{
	struct world *world = *state;

	rd_kafka_mock_broker_set_down(world->cluster, 1);
	open_stream(world);
	put_many(world, 100);
	allow(world);
	nap(1000);
	rd_kafka_mock_broker_set_up(world->cluster, 1);
	await_acked(world, 100);
	assert_all(world, 100);
}

static void
a_full_queue_waits(void **state)
{
	static const char *const small[] = {"queue.buffering.max.messages=5", NULL};
	struct world *world = *state;

	world->properties = small;
	open_stream(world);
	put_many(world, 400);
	allow(world);
	await_acked(world, 400);
	assert_all(world, 400);
}

static void
slow_acknowledgements_bound_the_window(void **state)
{
	struct world *world = *state;
	struct stream_state now;

	world->window = 16;
	open_stream(world);
	rd_kafka_mock_broker_set_rtt(world->cluster, 1, 300);
	put_many(world, 100);
	allow(world);
	nap(500);
	stream_state(world->stream, &now);
	for (int i = 0; i < STREAM_ENTRY_TOPICS; i++)
		assert_true(now.topics[i].in_flight <= 16);
	await_acked(world, 100);
	rd_kafka_mock_broker_set_rtt(world->cluster, 1, 0);
	assert_all(world, 100);
}

static char *
read_dead(const struct world *world)
{
	struct buf text = {0};
	char path[256];

	snprintf(path, sizeof(path), "%s/dead-letters.jsonl", world->directory);
	assert_int_equal(buf_read_file(&text, path, 1 << 20), 0);
	buf_addc(&text, '\0');
	return text.data;
}

/* As refused by the client itself, which knows the limit. */
static void
an_entry_that_is_too_large_becomes_a_stub(void **state)
{
	static const char *const small[] = {"message.max.bytes=2000", NULL};
	struct world *world = *state;
	struct consumed got;
	char *dead;

	world->properties = small;
	open_stream(world);
	put_kind(world, VIOLATION, 10, MONDAY_MS);
	put_kind(world, VIOLATION, 3000, MONDAY_MS);
	put_kind(world, VIOLATION, 10, MONDAY_MS);
	allow(world);
	await_acked(world, 3);
	got = consume(world, V_TOPIC, 3, NULL);
	assert_int_equal(got.count, 3);
	assert_int_equal(got.holes, 0);
	assert_false(got.seen[0].is_stub);
	assert_true(got.seen[1].is_stub);
	assert_false(got.seen[2].is_stub);
	assert_non_null(strstr(got.seen[1].value, "\"schema\":\"demarc.stub.v1\",\"sequence\":1"));
	dead = read_dead(world);
	assert_non_null(strstr(dead, "xxxxxxxxxxxx"));
	assert_non_null(strstr(dead, "\"topic\":\"demarc.violations.v1\",\"topic_sequence\":1}\n"));
	free(dead);
	free(got.seen);
}

/* As refused by the broker, for a batch: the culprit is found, the others go. */
static void
a_batch_that_is_refused_goes_one_by_one(void **state)
{
	static const char *const patient[] = {"linger.ms=100", NULL}; /* one batch for sure */
	struct world *world = *state;
	struct stream_state now;
	struct consumed got;
	size_t stubs = 0;

	world->properties = patient;
	open_stream(world);
	rd_kafka_mock_push_request_errors(world->cluster, PRODUCE, 2,
					  RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
					  RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
	for (int i = 0; i < 10; i++)
		put_kind(world, VIOLATION, 10, MONDAY_MS);
	allow(world);
	await_acked(world, 10);
	got = consume(world, V_TOPIC, 10, NULL);
	assert_int_equal(got.count, 10);
	assert_int_equal(got.holes, 0);
	assert_int_equal(got.out_of_order, 0);
	for (size_t i = 0; i < got.count; i++)
		stubs += got.seen[i].is_stub;
	assert_int_equal(stubs, 1); /* the one that was refused alone */
	stream_state(world->stream, &now);
	assert_int_equal(now.dead_letters, 1);
	free(got.seen);
}

static void
a_refused_topic_waits_while_others_flow(void **state)
{
	struct world *world = *state;
	struct stream_state now;

	rd_kafka_mock_topic_set_error(world->cluster, A_TOPIC,
				      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	open_stream(world);
	put_many(world, 200);
	allow(world);
	await_acked(world, 80);
	nap(4000); /* past the first look at brokers, and past stall_ms */
	stream_state(world->stream, &now);
	assert_int_equal(now.topics[STREAM_ACTIVITY].acked, 0);
	assert_int_equal(now.topics[STREAM_ACTIVITY].stubs, 0);
	assert_int_equal(now.topics[STREAM_ACTIVITY].lag, 200);
	assert_non_null(strstr(now.topics[STREAM_ACTIVITY].error, "uthorization"));
	assert_string_equal(now.topics[STREAM_VIOLATIONS].error, "");
	assert_whole(world, V_TOPIC, 60);
	rd_kafka_mock_topic_set_error(world->cluster, A_TOPIC, RD_KAFKA_RESP_ERR_NO_ERROR);
	await_acked(world, 200);
	assert_all(world, 200);
	stream_state(world->stream, &now);
	assert_string_equal(now.topics[STREAM_ACTIVITY].error, "");
}

/* They come with idempotence only; without it librdkafka does not refuse what is sent behind one.
 */
static void
a_fatal_error_makes_a_new_handle(void **state)
{
	static const char *const idempotent[] = {"enable.idempotence=true", NULL};
	struct world *world = *state;
	struct stream_state now;

	world->properties = idempotent;
	open_stream(world);
	for (unsigned int i = 0; i < 3; i++) {
		put_many(world, 100);
		allow(world);
		pthread_mutex_lock(&world->stream->lock);
		rd_kafka_test_fatal_error(client_handle(world->stream->client),
					  RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "test");
		pthread_mutex_unlock(&world->stream->lock);
		nap(300);
	}
	assert_all(world, 300);
	stream_state(world->stream, &now);
	assert_int_equal(now.recreated, 3);
}

static void
write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void
a_changed_file_makes_a_new_handle(void **state)
{
	struct world *world = *state;
	struct stream_state now;
	struct error why = {0};
	char path[256];
	struct stream_options options = {
		.journal = world->folder,
		.directory = world->directory,
		.cluster = "c1",
		.node = "n1",
		.brokers = rd_kafka_mock_cluster_bootstraps(world->cluster),
		.properties_file = path,
		.watch_ms = 100,
	};

	snprintf(path, sizeof(path), "%s/properties", world->folder);
	write_file(path, "# ours\nlinger.ms = 1\n");
	assert_int_equal(stream_open(&world->stream, &options, &why), 0);
	put_many(world, 50);
	allow(world);
	await_acked(world, 50);
	write_file(path, "linger.ms=nonsense\n"); /* half written, say: the old handle stays */
	nap(600);
	put_many(world, 50);
	allow(world);
	await_acked(world, 100);
	write_file(path, "linger.ms=2\n");
	nap(1800);
	stream_state(world->stream, &now);
	assert_int_equal(now.rotated, 1);
	put_many(world, 50);
	allow(world);
	await_acked(world, 150);
	assert_whole(world, V_TOPIC, 45);
}

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(retriable_errors_are_overcome),
		WORLD_TEST(lost_acknowledgements_repeat_in_order),
		WORLD_TEST(a_broker_goes_and_comes),
		WORLD_TEST(a_broker_that_is_away_at_first_is_waited_for),
		WORLD_TEST(a_full_queue_waits),
		WORLD_TEST(slow_acknowledgements_bound_the_window),
		WORLD_TEST(an_entry_that_is_too_large_becomes_a_stub),
		WORLD_TEST(a_batch_that_is_refused_goes_one_by_one),
		WORLD_TEST(a_refused_topic_waits_while_others_flow),
		WORLD_TEST(a_fatal_error_makes_a_new_handle),
		WORLD_TEST(a_changed_file_makes_a_new_handle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
