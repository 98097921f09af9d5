/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stream_message_test.c - what an entry's bytes say: topics, headers, stubs; and the cursors' file.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/secret.h"
#include "journal_helper.h"
#include "stream/cursor.h"
#include "stream/deadletter.h"
#include "stream/message.h"

#define V (1u << STREAM_VIOLATIONS)
#define A (1u << STREAM_ACTIVITY)
#define E (1u << STREAM_EVIDENCE)

static void
entries_have_their_topics(void **state)
{
	static const struct {
		const char *json;
		unsigned int topics;
		int result;
	} cases[] = {
		{"{\"class_uid\":4001,\"is_alert\":true}", V, 0},
		{"{\"class_uid\":4001,\"is_alert\":false}", A, 0},
		{"{\"class_uid\":1007}", A, 0},
		{"{\"class_uid\":1008,\"is_alert\":true,\"metadata\":{\"type\":\"agent\"}}", E, 0},
		/* A gap touches what it hides, whatever it is called elsewhere in the entry. */
		{"{\"class_uid\":1008,\"enrichments\":[{\"data\":{\"missing\":\"flow\"}}],"
		 "\"metadata\":{\"type\":\"gap\"}}",
		 V | A | E, 0},
		{"{\"class_uid\":1008,\"enrichments\":[{\"data\":{\"missing\":\"agent\"}}],"
		 "\"metadata\":{\"type\":\"gap\"}}",
		 E, 0},
		{"{\"class_uid\":1008,\"enrichments\":[],\"metadata\":{\"type\":\"gap\"}}",
		 V | A | E, 0},
		/* Text that looks like members is only text. */
		{"{\"a\":\"x\\\",\\\"is_alert\\\":true,\",\"class_uid\":4001,\"is_alert\":false}",
		 A, 0},
		{"{\"a\":{\"is_alert\":true},\"class_uid\":4001}", A, 0},
		{"{\"a\":[1,{\"b\":\"]}\"}],\"class_uid\":4001,\"is_alert\":true}", V, 0},
		/* Not whole: evidence, and said. */
		{"", E, -EBADMSG},
		{"{", E, -EBADMSG},
		{"[]", E, -EBADMSG},
		{"{\"is_alert\":true", E, -EBADMSG},
		{"{\"a\":\"", E, -EBADMSG},
		{"{\"a\":1}x", E, -EBADMSG},
	};
	struct message message;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(message_read(&message, cases[i].json, strlen(cases[i].json)),
				 cases[i].result);
		assert_int_equal(message.topics, cases[i].topics);
	}
}

static const char *
header_of(const struct header *headers, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(headers[i].name, name) == 0)
			return headers[i].value;
	return NULL;
}

static void
headers_hold_no_escapes(void **state)
{
	static const char json[] =
		"{\"class_uid\":1007,\"firewall_rule\":{\"uid\":\"a\\\"b\\\\c\\u001fd\\n\"},"
		"\"metadata\":{\"uid\":\"00ff\"},\"severity_id\":5,\"time\":1795392000123}";
	struct message_place place = {"//c/n", "c/n/2026-11-23", 7, 3, false};
	struct header headers[MESSAGE_HEADERS];
	struct message message;
	size_t count;

	(void)state;
	assert_int_equal(message_read(&message, json, strlen(json)), 0);
	count = message_headers(headers, &message, &place);
	assert_string_equal(header_of(headers, count, "rule_uid"), "a\"b\\c d ");
	assert_string_equal(header_of(headers, count, "ce_id"), "00ff");
	assert_string_equal(header_of(headers, count, "ce_time"), "2026-11-23T00:00:00.123Z");
	assert_string_equal(header_of(headers, count, "ce_type"), "io.demarc.ocsf.1007.v1");
	assert_string_equal(header_of(headers, count, "demarc_sequence"), "7");
	assert_string_equal(header_of(headers, count, "demarc_topic_sequence"), "3");
	assert_null(header_of(headers, count, "demarc_stub"));
	place.is_stub = true;
	count = message_headers(headers, &message, &place);
	assert_string_equal(header_of(headers, count, "demarc_stub"), "1");
	assert_string_equal(header_of(headers, count, "ce_type"), "io.demarc.stub.v1");
	assert_null(header_of(headers, count, "ce_dataschema"));
}

static void
a_stub_says_whose_place_it_takes(void **state)
{
	static const char json[] =
		"{\"class_uid\":4001,\"metadata\":{\"uid\":\"00ff\"},\"time\":5}";
	struct message_place place = {"//c/n", "c\"/n\xff/2026-11-23", 7, 3, true};
	struct buf out = {0};
	struct message message;

	(void)state;
	message_read(&message, json, strlen(json));
	message_stub(&out, &message, &place, "too large", 99);
	assert_string_equal(
		buf_text(&out),
		"{\"bytes\":99,\"class_uid\":4001,\"log_name\":\"c\\\"/n?/2026-11-23\","
		"\"reason\":\"too large\",\"schema\":\"demarc.stub.v1\",\"sequence\":7,\"time\":5,"
		"\"topic_sequence\":3,\"uid\":\"00ff\"}");
	buf_fini(&out);
}

static void
sources_are_uri_references(void **state)
{
	char out[64], small[16];

	(void)state;
	message_source(out, sizeof(out), "c 1", "n/\xc3\xa4");
	assert_string_equal(out, "//c%201/n%2F%C3%A4");
	message_source(small, sizeof(small), "aaaaaaaaaaaaaaaaaaaaaaaaaaa", "b");
	assert_true(strlen(small) < sizeof(small));
}

static int
load(struct cursor cursors[STREAM_ENTRY_TOPICS], const char *path)
{
	struct cursor_file file;
	int result = cursors_open(&file, path, cursors);

	cursors_close(&file);
	return result;
}

static void
fill(struct cursor cursors[STREAM_ENTRY_TOPICS], uint64_t sequence)
{
	memset(cursors, 0, STREAM_ENTRY_TOPICS * sizeof(*cursors));
	snprintf(cursors[0].log_name, CURSOR_LOG_NAME, "c 1/sum n/2026-11-23");
	cursors[0].sequence = sequence;
	cursors[0].ordinal = UINT64_MAX - 1;
	snprintf(cursors[2].log_name, CURSOR_LOG_NAME, "c/n/2026-11-23.%0*d", (int)(sequence % 99),
		 1);
}

static void
cursors_survive_a_round_and_no_damage(void **state)
{
	struct cursor cursors[STREAM_ENTRY_TOPICS], back[STREAM_ENTRY_TOPICS];
	char *folder = make_folder(), path[128];
	struct cursor_file file;

	(void)state;
	snprintf(path, sizeof(path), "%s/cursors", folder);
	assert_int_equal(cursors_open(&file, path, back), -ENOENT);
	for (uint64_t i = 0; i < 300; i++) { /* longer ones and shorter ones */
		fill(cursors, i * 31);
		assert_int_equal(cursors_write(&file, cursors), 0);
		assert_int_equal(load(back, path), 0);
		assert_memory_equal(back, cursors, sizeof(back));
		if (i % 7 == 0)
			assert_int_equal(cursors_sync(&file), 0);
		if (i % 11 == 0) {
			cursors_close(&file);
			assert_int_equal(cursors_open(&file, path, back), 0);
		}
	}
	cursors_close(&file);
	remove_tree(folder);
	free(folder);
}

/* What was written since the last sync may be torn by a power cut; what was synced stands. */
static void
a_torn_slot_leaves_the_one_that_was_synced(void **state)
{
	struct cursor synced[STREAM_ENTRY_TOPICS], later[STREAM_ENTRY_TOPICS];
	struct cursor back[STREAM_ENTRY_TOPICS];
	char *folder = make_folder(), path[128];
	struct cursor_file file;

	(void)state;
	snprintf(path, sizeof(path), "%s/cursors", folder);
	assert_int_equal(cursors_open(&file, path, back), -ENOENT);
	fill(synced, 7);
	fill(later, 8);
	assert_int_equal(cursors_write(&file, synced), 0);
	assert_int_equal(cursors_sync(&file), 0);
	assert_int_equal(cursors_write(&file, later), 0);
	cursors_close(&file);
	for (off_t at = 4096; at < 4096 + 100; at++) {
		flip_byte(path, at);
		assert_int_equal(load(back, path), 0);
		assert_memory_equal(back, synced, sizeof(back));
		flip_byte(path, at);
		assert_int_equal(load(back, path), 0);
		assert_memory_equal(back, later, sizeof(back));
	}
	flip_byte(path, 4096);
	for (off_t at = 0; at < 100; at++) {
		flip_byte(path, at);
		assert_int_equal(load(back, path), -EBADMSG);
		flip_byte(path, at);
	}
	assert_int_equal(truncate(path, 60), 0);
	assert_int_equal(load(back, path), -EBADMSG);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(load(back, path), -ENOENT);
	remove_tree(folder);
	free(folder);
}

static void
dead_letters_are_bounded(void **state)
{
	struct dead_letter letter = {"too large", "t", "c/n/2026-11-23", 1, 0, "{\"a\":1}", 7};
	char *folder = make_folder(), path[128], older[136];
	struct buf text = {0};

	(void)state;
	snprintf(path, sizeof(path), "%s/dead", folder);
	snprintf(older, sizeof(older), "%s.1", path);
	for (letter.sequence = 0; letter.sequence < 100; letter.sequence++)
		assert_int_equal(deadletter_add(path, 1000, &letter), 0);
	assert_true(file_size(path) <= 1000);
	assert_true(file_size(older) <= 1000);
	assert_int_equal(buf_read_file(&text, path, 1000), 0);
	assert_non_null(
		strstr(buf_text(&text),
		       "{\"entry\":{\"a\":1},\"log_name\":\"c/n/2026-11-23\",\"reason\":\"too "
		       "large\",\"sequence\":99,\"topic\":\"t\",\"topic_sequence\":0}\n"));
	buf_fini(&text);
	remove_tree(folder);
	free(folder);
}

static void
note_property(const char *name, const char *value, void *arg)
{
	buf_addf(arg, "%s=%s\n", name, value);
}

static void
secrets_are_masked_and_wrong_properties_refused(void **state)
{
	static const char *const good[] = {"sasl.password=hush", "ssl.key.pem=hush",
					   "ssl.key.password=hush", "linger.ms=9", NULL};
	static const char *const unknown[] = {"linger.mss=9", NULL};
	static const char *const wrong[] = {"acks=many", NULL};
	struct stream_options options = {
		.cluster = "c", .node = "n", .brokers = "127.0.0.1:1", .properties = good};
	struct buf text = {0};
	struct error why = {0};

	(void)state;
	assert_int_equal(stream_explain(&options, note_property, &text, &why), 0);
	assert_null(strstr(buf_text(&text), "hush"));
	assert_non_null(strstr(buf_text(&text), "sasl.password=" SECRET_MASK "\n"));
	assert_non_null(strstr(buf_text(&text), "linger.ms=9\n"));
	buf_fini(&text);
	options.properties = unknown;
	assert_int_equal(stream_check(&options, &why), -EINVAL);
	assert_string_equal(why.text, "No such configuration property: \"linger.mss\"");
	options.properties = wrong;
	assert_int_equal(stream_check(&options, &why), -EINVAL);
	assert_non_null(strstr(why.text, "acks"));
	options.properties = NULL;
	assert_int_equal(stream_check(&options, &why), 0);
	options.cluster = "";
	assert_int_equal(stream_check(&options, &why), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_have_their_topics),
		cmocka_unit_test(headers_hold_no_escapes),
		cmocka_unit_test(a_stub_says_whose_place_it_takes),
		cmocka_unit_test(sources_are_uri_references),
		cmocka_unit_test(cursors_survive_a_round_and_no_damage),
		cmocka_unit_test(a_torn_slot_leaves_the_one_that_was_synced),
		cmocka_unit_test(dead_letters_are_bounded),
		cmocka_unit_test(secrets_are_masked_and_wrong_properties_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
