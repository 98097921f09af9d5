/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* audit_test.c - streams that were damaged in one place each, and what the audit says of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "audit/sparse.h"
#include "base/buf.h"

#define MONDAY  "c1/n1/2026-11-23"
#define TUESDAY "c1/n1/2026-11-24"

static const char violations[] = "demarc.violations.v1";
static const char activity[] = "demarc.activity.v1";
static const char evidence[] = "demarc.evidence.v1";

/* One message, with everything that a test may want to spoil. */
struct draft {
	const char *topic;
	const char *log_name;
	uint64_t sequence;
	uint64_t ordinal;
	const char *key;
	const char *uid;     /* of the value; NULL: made from the sequence */
	const char *id;      /* ce_id; NULL: the same */
	const char *extra;   /* more members, in front */
	const char *type;    /* metadata.type */
	const char *without; /* this header is left out */
	int32_t partition;
	bool is_stub;
	bool has_blanks;
};

static int
setup(void **state)
{
	struct audit *audit;

	assert_int_equal(audit_new(&audit), 0);
	*state = audit;
	return 0;
}

static int
teardown(void **state)
{
	audit_free(*state);
	return 0;
}

static void
write_value(struct buf *out, const struct draft *draft, const char *uid)
{
	if (draft->is_stub) {
		buf_addf(out, "{\"bytes\":20000,\"class_uid\":4001,\"log_name\":\"%s\"",
			 draft->log_name);
		buf_addf(out, ",\"reason\":\"too large\",\"sequence\":%" PRIu64, draft->sequence);
		buf_addf(out, ",\"topic_sequence\":%" PRIu64 ",\"uid\":\"%s\"}", draft->ordinal,
			 uid);
		return;
	}
	buf_addf(out, "{%s\"class_uid\":4001,%s", draft->extra ? draft->extra : "",
		 draft->has_blanks ? " " : "");
	if (draft->type)
		buf_adds(out, "\"count\":7,");
	buf_adds(out, "\"device\":{\"groups\":[{\"name\":\"c1\",\"type\":\"cluster\"}],"
		      "\"hostname\":\"n1\"},\"metadata\":{");
	buf_addf(out, "\"log_name\":\"%s\",\"sequence\":%" PRIu64, draft->log_name,
		 draft->sequence);
	buf_addf(out, ",\"type\":\"%s\",\"uid\":\"%s\"},\"severity_id\":4}",
		 draft->type ? draft->type : "flow", uid);
}

static void
add_header(struct consumer_message *message, const struct draft *draft, const char *name,
	   const char *value)
{
	if (draft->without && strcmp(draft->without, name) == 0)
		return;
	message->headers[message->header_count++] =
		(struct consumer_header){name, value, strlen(value)};
}

static void
send(struct audit *audit, struct draft draft)
{
	struct consumer_message message = {.topic = draft.topic ? draft.topic : violations};
	char uid[40], sequence[24], ordinal[24];
	struct buf value = {0};

	draft.log_name = draft.log_name ? draft.log_name : MONDAY;
	snprintf(uid, sizeof(uid), "%032" PRIu64, draft.sequence);
	snprintf(sequence, sizeof(sequence), "%" PRIu64, draft.sequence);
	snprintf(ordinal, sizeof(ordinal), "%" PRIu64, draft.ordinal);
	draft.uid = draft.uid ? draft.uid : uid;
	write_value(&value, &draft, draft.uid);
	message.partition = draft.partition;
	message.key = draft.key ? draft.key : "c1/n1";
	message.key_length = strlen(message.key);
	message.value = value.data;
	message.length = value.length;
	add_header(&message, &draft, "content-type", "application/json");
	add_header(&message, &draft, "ce_specversion", "1.0");
	add_header(&message, &draft, "ce_id", draft.id ? draft.id : draft.uid);
	add_header(&message, &draft, "ce_source", "//c1/n1");
	add_header(&message, &draft, "ce_type",
		   draft.is_stub ? "io.demarc.stub.v1" : "io.demarc.ocsf.4001.v1");
	add_header(&message, &draft, "ocsf_class_uid", "4001");
	add_header(&message, &draft, "severity_id", "4");
	add_header(&message, &draft, "demarc_sequence", sequence);
	add_header(&message, &draft, "demarc_topic_sequence", ordinal);
	if (draft.is_stub)
		add_header(&message, &draft, "demarc_stub", "1");
	add_header(&message, &draft, "demarc_log_name", draft.log_name);
	assert_int_equal(audit_message(audit, &message), 0);
	buf_fini(&value);
}

/* Numbers of the topic from..to; the shard's numbers are three apart. */
static void
send_run(struct audit *audit, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i <= to; i++)
		send(audit, (struct draft){.ordinal = i, .sequence = i * 3});
}

static void
beat(struct audit *audit, const char *topic, uint64_t sequence, uint64_t ordinal)
{
	struct consumer_message message = {.topic = "demarc.health.v1", .key = "c1/n1"};
	char value[512];

	snprintf(value, sizeof(value),
		 "{\"stream\":{\"topics\":[{\"log_name\":\"" MONDAY "\",\"next_sequence\":%" PRIu64
		 ",\"next_topic_sequence\":%" PRIu64 ",\"topic\":\"%s\"}]}}",
		 sequence, ordinal, topic);
	message.value = value;
	message.length = strlen(value);
	message.header_count = 1;
	message.headers[0] = (struct consumer_header){"ce_type", "io.demarc.health.v1", 19};
	assert_int_equal(audit_message(audit, &message), 0);
}

static struct audit_report
report(struct audit *audit)
{
	struct audit_report out;

	assert_int_equal(audit_report(audit, &out), 0);
	return out;
}

static void
whole_stream_is_proven(void **state)
{
	struct audit_report out;

	send_run(*state, 0, 999);
	out = report(*state);
	assert_int_equal(out.verdict, AUDIT_PROVEN);
	assert_int_equal(out.messages, 1000);
	assert_int_equal(out.stream_count, 1);
	assert_string_equal(out.streams[0].topic, violations);
	assert_string_equal(out.streams[0].log_name, MONDAY);
	assert_int_equal(out.streams[0].last, 999);
	assert_int_equal(out.streams[0].duplicates, 0);
	assert_int_equal(out.streams[0].missing, 0);
	assert_int_equal(out.word_count, 0);
	assert_false(out.shards[0].is_whole);
}

static void
nothing_proves_nothing(void **state)
{
	assert_int_equal(report(*state).verdict, AUDIT_UNDECIDED);
	beat(*state, violations, 0, 0);
	assert_int_equal(report(*state).verdict, AUDIT_UNDECIDED);
}

static void
missing_ones_are_named(void **state)
{
	struct audit_report out;

	send_run(*state, 5, 9);
	send_run(*state, 11, 2000);
	send_run(*state, 5000, 5000);
	out = report(*state);
	assert_int_equal(out.verdict, AUDIT_BROKEN);
	assert_int_equal(out.streams[0].first, 5);
	assert_int_equal(out.streams[0].missing, 1 + 2999);
	assert_int_equal(out.hole_count, 2);
	assert_int_equal(out.holes[0].from, 10);
	assert_int_equal(out.holes[0].to, 10);
	assert_int_equal(out.holes[1].from, 2001);
	assert_int_equal(out.holes[1].to, 4999);
}

static void
enormous_holes_cost_nothing(void **state)
{
	struct audit_report out;

	send_run(*state, 0, 0);
	send(*state, (struct draft){.ordinal = UINT64_MAX - 1, .sequence = UINT64_MAX - 2});
	out = report(*state);
	assert_int_equal(out.verdict, AUDIT_BROKEN);
	assert_true(out.streams[0].missing == UINT64_MAX - 2);
}

static void
repeats_are_harmless(void **state)
{
	struct audit_report out;

	send_run(*state, 0, 99);
	send_run(*state, 40, 120);
	out = report(*state);
	assert_int_equal(out.verdict, AUDIT_PROVEN);
	assert_int_equal(out.streams[0].duplicates, 60);
	assert_int_equal(out.streams[0].late, 0);
}

static void
repeat_with_other_bytes_is_not(void **state)
{
	send_run(*state, 0, 9);
	send(*state, (struct draft){.ordinal = 4, .sequence = 12, .extra = "\"a\":1,"});
	assert_int_equal(report(*state).streams[0].altered, 1);
	assert_int_equal(report(*state).verdict, AUDIT_BROKEN);
}

static void
number_of_another_entry_is_found(void **state)
{
	send_run(*state, 0, 9);
	send(*state, (struct draft){.ordinal = 4, .sequence = 13});
	assert_int_equal(report(*state).streams[0].altered, 1);
}

static void
exchanged_order_is_found(void **state)
{
	struct audit_report out;

	send_run(*state, 0, 4);
	send_run(*state, 6, 6);
	send_run(*state, 5, 5);
	send_run(*state, 7, 9);
	out = report(*state);
	assert_int_equal(out.verdict, AUDIT_BROKEN);
	assert_int_equal(out.streams[0].late, 1);
	assert_int_equal(out.streams[0].missing, 0);
}

static void
entry_numbers_must_rise(void **state)
{
	send(*state, (struct draft){.ordinal = 0, .sequence = 7});
	send(*state, (struct draft){.ordinal = 1, .sequence = 5});
	assert_int_equal(report(*state).streams[0].altered, 1);
	assert_non_null(strstr(report(*state).words[0], "does not rise"));
}

static void
value_must_agree_with_headers(void **state)
{
	static const struct draft spoiled[] = {
		{.id = "ffffffffffffffffffffffffffffffff"},
		{.key = "c1/n2"},
		{.key = "c1/n"},
		{.key = "c2/n1"},
		{.without = "ce_type"},
		{.without = "severity_id"},
		{.without = "content-type"},
		{.extra = "\"z\":1,"}, /* behind class_uid in canonical order */
		{.has_blanks = true},
		{.extra = "\"firewall_rule\":{\"uid\":\"r\"},"},
	};
	uint64_t count = sizeof(spoiled) / sizeof(spoiled[0]);

	for (uint64_t i = 0; i < count; i++) {
		struct draft draft = spoiled[i];

		draft.ordinal = draft.sequence = i;
		send(*state, draft);
	}
	assert_int_equal(report(*state).streams[0].altered, count);
	assert_int_equal(report(*state).streams[0].missing, 0);
}

static void
what_is_not_ours_is_undecided(void **state)
{
	send_run(*state, 0, 3);
	send(*state, (struct draft){.ordinal = 4, .without = "demarc_topic_sequence"});
	assert_int_equal(report(*state).foreign, 1);
	assert_int_equal(report(*state).verdict, AUDIT_UNDECIDED);
	audit_unreadable(*state, "line 7: no JSON");
	assert_int_equal(report(*state).unreadable, 1);
	assert_string_equal(report(*state).words[1], "line 7: no JSON");
}

static void
stubs_keep_their_place(void **state)
{
	struct audit_report out;

	send_run(*state, 0, 1);
	send(*state, (struct draft){.ordinal = 2, .sequence = 6, .is_stub = true});
	send_run(*state, 3, 5);
	send_run(*state, 2, 3); /* the entry itself, later: the broker takes more now */
	out = report(*state);
	assert_int_equal(out.verdict, AUDIT_PROVEN);
	assert_int_equal(out.streams[0].stubs, 1);
	assert_int_equal(out.streams[0].duplicates, 2);
}

static void
gaps_are_summed(void **state)
{
	send_run(*state, 0, 1);
	send(*state, (struct draft){.ordinal = 2, .sequence = 7, .type = "gap"});
	assert_int_equal(report(*state).streams[0].gaps, 1);
	assert_int_equal(report(*state).streams[0].lost, 7);
	assert_int_equal(report(*state).verdict, AUDIT_PROVEN);
}

/* A later shard of the same node is seen from its beginning. */
static void
next_day_begins_at_nought(void **state)
{
	struct audit_report out;

	send_run(*state, 5, 9);
	send(*state, (struct draft){.log_name = TUESDAY, .ordinal = 2, .sequence = 2});
	out = report(*state);
	assert_int_equal(out.stream_count, 2);
	assert_int_equal(out.streams[0].missing, 0);
	assert_int_equal(out.streams[1].missing, 2);
	assert_int_equal(out.verdict, AUDIT_BROKEN);
}

static void
heartbeat_tells_of_a_missing_end(void **state)
{
	struct audit_report out;

	send_run(*state, 0, 9);
	beat(*state, violations, 30, 12);
	out = report(*state);
	assert_int_equal(out.streams[0].missing, 2);
	assert_int_equal(out.holes[0].from, 10);
	assert_int_equal(out.holes[0].to, 11);
	assert_int_equal(out.verdict, AUDIT_BROKEN);
}

static void
three_topics_prove_the_shard(void **state)
{
	static const char *const topics[] = {violations, activity, evidence};
	struct audit_report out;

	for (uint64_t i = 0; i < 300; i++)
		send(*state,
		     (struct draft){.topic = topics[i % 3], .ordinal = i / 3, .sequence = i});
	out = report(*state);
	assert_int_equal(out.shard_count, 1);
	assert_true(out.shards[0].is_whole);
	assert_int_equal(out.shards[0].entries, 300);
	assert_int_equal(out.shards[0].missing, 0);
	assert_int_equal(out.verdict, AUDIT_PROVEN);
	/* Entries 300 to 302 of no topic; each topic goes on without a hole of its own. */
	for (uint64_t i = 303; i < 306; i++)
		send(*state,
		     (struct draft){.topic = topics[i % 3], .ordinal = i / 3 - 1, .sequence = i});
	out = report(*state);
	assert_int_equal(out.streams[0].missing, 0);
	assert_int_equal(out.shards[0].known, 304);
	assert_int_equal(out.shards[0].missing, 3);
	assert_int_equal(out.verdict, AUDIT_BROKEN);
}

static void
two_partitions_have_no_order(void **state)
{
	send_run(*state, 1, 1);
	send(*state, (struct draft){.ordinal = 0, .sequence = 0, .partition = 1});
	assert_int_equal(report(*state).streams[0].parts, 2);
	assert_int_equal(report(*state).verdict, AUDIT_UNDECIDED);
}

static void
sparse_finds_what_was_made(void **state)
{
	struct sparse sparse = {.element_bytes = 4};
	uint32_t *element;

	(void)state;
	assert_null(sparse_find(&sparse, 0));
	assert_true(sparse_skip(&sparse, 0) == UINT64_MAX);
	element = sparse_make(&sparse, 1000000);
	assert_int_equal(*element, 0);
	assert_false(sparse_is_used(&sparse, 1000000));
	*element = 7;
	assert_true(sparse_is_used(&sparse, 1000000));
	assert_false(sparse_is_used(&sparse, 1000001));
	assert_in_range(sparse_skip(&sparse, 3), 999000, 1000000);
	assert_int_equal(sparse_skip(&sparse, 1000000), 1000000);
	sparse_fini(&sparse);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(whole_stream_is_proven),
		CASE(nothing_proves_nothing),
		CASE(missing_ones_are_named),
		CASE(enormous_holes_cost_nothing),
		CASE(repeats_are_harmless),
		CASE(repeat_with_other_bytes_is_not),
		CASE(number_of_another_entry_is_found),
		CASE(exchanged_order_is_found),
		CASE(entry_numbers_must_rise),
		CASE(value_must_agree_with_headers),
		CASE(what_is_not_ours_is_undecided),
		CASE(stubs_keep_their_place),
		CASE(gaps_are_summed),
		CASE(next_day_begins_at_nought),
		CASE(heartbeat_tells_of_a_missing_end),
		CASE(three_topics_prove_the_shard),
		CASE(two_partitions_have_no_order),
		CASE(sparse_finds_what_was_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
