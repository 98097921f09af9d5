/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* event_json_test - entries are canonical, come back whole, and are cheap to write. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>

#include "base/cleanup.h"
#include "base/jsonc.h"
#include "event/text.h"
#include "event_samples.h"

static const struct privacy full;
static struct event event, again;

static void
strings_follow_rfc_8785(void **state)
{
	static const struct {
		const char *text, *json;
	} cases[] = {
		{"", "\"\""},
		{"plain /path-1", "\"plain /path-1\""},
		{"\b\t\n\f\r", "\"\\b\\t\\n\\f\\r\""},
		{"\x01\x0b\x1f\x7f", "\"\\u0001\\u000b\\u001f\x7f\""},
		{"\"\\/", "\"\\\"\\\\/\""},
		{"\xe2\x82\xac\xf0\x9f\x98\x82", "\"\xe2\x82\xac\xf0\x9f\x98\x82\""},
		{"a\xff", "\"a\xef\xbf\xbd\""},
		{"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
		{"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
		{"\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out cleanup(buf_fini) = {0};

		text_string(&out, cases[i].text, strlen(cases[i].text));
		assert_string_equal(buf_text(&out), cases[i].json);
	}
}

/* Whatever stands around it, and wherever in a run of eight. */
static void
every_byte_is_escaped_anywhere(void **state)
{
	(void)state;
	for (unsigned int byte = 1; byte < 0x80; byte++)
		for (size_t length = 1; length <= 18; length++)
			for (size_t at = 0; at < length; at++) {
				struct buf out cleanup(buf_fini) = {0},
					       alone cleanup(buf_fini) = {0};
				char text[19] = "";

				memset(text, ' ', length);
				text[at] = (char)byte;
				text_string(&alone, text + at, 1);
				text_string(&out, text, length);
				assert_int_equal(out.length, length - 1 + alone.length);
				assert_memory_equal(out.data + 1 + at, alone.data + 1,
						    alone.length - 2);
				assert_int_equal(alone.length > 3,
						 byte < 0x20 || byte == '"' || byte == '\\');
			}
}

static void
every_length_of_number_is_right(void **state)
{
	int64_t power = 1;

	(void)state;
	for (int digits = 0; digits < 19; digits++, power *= digits < 19 ? 10 : 1)
		for (int64_t near = -2; near <= 2; near++) {
			char text[INT_TEXT], expected[INT_TEXT];

			snprintf(expected, sizeof(expected), "%lld", (long long)(power + near));
			assert_int_equal(text_digits(text, power + near), strlen(expected));
			assert_string_equal(text, expected);
			snprintf(expected, sizeof(expected), "%lld", (long long)(near - power));
			assert_int_equal(text_digits(text, near - power), strlen(expected));
			assert_string_equal(text, expected);
		}
}

static void
integers_follow_rfc_8785(void **state)
{
	static const struct {
		int64_t value;
		const char *json;
	} cases[] = {
		{0, "0"},
		{-1, "-1"},
		{1795430400123, "1795430400123"},
		{9007199254740991, "9007199254740991"},
		{9007199254740992, "\"9007199254740992\""},
		{-9007199254740992, "\"-9007199254740992\""},
		{INT64_MAX, "\"9223372036854775807\""},
		{INT64_MIN, "\"-9223372036854775808\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out cleanup(buf_fini) = {0};

		text_int(&out, cases[i].value);
		assert_string_equal(buf_text(&out), cases[i].json);
	}
}

/*
 * The published vectors: what the writer can say of them. Members are sorted
 * here, because an entry's order is in its table; fractions never occur.
 */

static int
by_key(const void *a, const void *b)
{
	return strcmp((*(cJSON *const *)a)->string, (*(cJSON *const *)b)->string);
}

static void canonical(struct buf *out, const cJSON *item);

static void
canonical_members(struct buf *out, const cJSON *item)
{
	const cJSON *members[32], *member;
	size_t count = 0;

	cJSON_ArrayForEach(member, item) members[count++] = member;
	if (cJSON_IsObject(item))
		qsort(members, count, sizeof(members[0]), by_key);
	for (size_t i = 0; i < count; i++) {
		buf_adds(out, i ? "," : "");
		if (cJSON_IsObject(item)) {
			text_string(out, members[i]->string, strlen(members[i]->string));
			buf_addc(out, ':');
		}
		canonical(out, members[i]);
	}
}

static void
canonical(struct buf *out, const cJSON *item)
{
	if (cJSON_IsString(item)) {
		text_string(out, item->valuestring, strlen(item->valuestring));
	} else if (cJSON_IsNumber(item)) {
		text_int(out, (int64_t)item->valuedouble);
	} else if (cJSON_IsBool(item) || cJSON_IsNull(item)) {
		buf_adds(out, cJSON_IsNull(item) ? "null" : cJSON_IsTrue(item) ? "true" : "false");
	} else {
		buf_addc(out, cJSON_IsArray(item) ? '[' : '{');
		canonical_members(out, item);
		buf_addc(out, cJSON_IsArray(item) ? ']' : '}');
	}
}

static void
published_vectors_come_out(void **state)
{
	/* weird.json needs order by UTF-16 units, values.json fractions: see below. */
	static const char *const names[] = {"arrays", "french", "structures", "unicode"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct buf in cleanup(buf_fini) = {0}, want cleanup(buf_fini) = {0};
		struct buf out cleanup(buf_fini) = {0};
		struct jsonc doc cleanup(jsonc_fini) = {0};
		struct error why = {0};
		char path[64];

		snprintf(path, sizeof(path), "tests/unit/jcs/input/%s.json", names[i]);
		assert_int_equal(buf_read_file(&in, path, 65536), 0);
		snprintf(path, sizeof(path), "tests/unit/jcs/output/%s.json", names[i]);
		assert_int_equal(buf_read_file(&want, path, 65536), 0);
		assert_int_equal(jsonc_parse(&doc, in.data, in.length, &why), 0);
		canonical(&out, doc.root);
		assert_string_equal(buf_text(&out), buf_text(&want));
	}
}

/* Of the other two: each string of the input, escaped, is in the published output. */
static void
published_strings_come_out(void **state)
{
	static const char *const names[] = {"weird", "values"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct buf in cleanup(buf_fini) = {0}, want cleanup(buf_fini) = {0};
		struct jsonc doc cleanup(jsonc_fini) = {0};
		struct error why = {0};
		const cJSON *item;
		char path[64];

		snprintf(path, sizeof(path), "tests/unit/jcs/input/%s.json", names[i]);
		assert_int_equal(buf_read_file(&in, path, 65536), 0);
		snprintf(path, sizeof(path), "tests/unit/jcs/output/%s.json", names[i]);
		assert_int_equal(buf_read_file(&want, path, 65536), 0);
		assert_int_equal(jsonc_parse(&doc, in.data, in.length, &why), 0);
		cJSON_ArrayForEach(item, doc.root)
		{
			struct buf out cleanup(buf_fini) = {0};

			text_string(&out, item->string, strlen(item->string));
			buf_addc(&out, ':');
			if (cJSON_IsString(item))
				canonical(&out, item);
			assert_non_null(strstr(buf_text(&want), buf_text(&out)));
		}
	}
}

static void
entries_come_back_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		struct buf first cleanup(buf_fini) = {0}, second cleanup(buf_fini) = {0};
		struct buf store cleanup(buf_fini) = {0};
		struct error why = {0};

		sample_make(&event, &samples[i]);
		event_write(&first, &event, &sample_stamp, &full);
		if (event_read(&again, &store, first.data, first.length, &why) < 0)
			fail_msg("%s: %u: %s", samples[i].name, why.column, why.text);
		assert_ptr_equal(again.type, event.type);
		event_write(&second, &again, &sample_stamp, &full);
		assert_string_equal(buf_text(&first), buf_text(&second));
	}
}

/* What rules can ask gives the same answer after a journey through the journal. */
static void
fields_come_back_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		struct buf out cleanup(buf_fini) = {0}, store cleanup(buf_fini) = {0};
		struct error why = {0};

		sample_make(&event, &samples[i]);
		event_write(&out, &event, &sample_stamp, &full);
		assert_int_equal(event_read(&again, &store, out.data, out.length, &why), 0);
		assert_int_equal(again.wall_ms, event.wall_ms);
		assert_int_equal(again.time_ns, event.time_ns);
		for (const struct field *row = event.type->fields; row->name || row->ocsf; row++) {
			if (!row->name || !event_has(&event, row))
				continue;
			if (strcmp(row->name, "alert") != 0 && row->type != FIELD_SET)
				assert_int_equal(event_int(&event, row), event_int(&again, row));
			if (row->type == FIELD_STRING)
				assert_string_equal(event_string(&event, row),
						    event_string(&again, row));
			if (row->type == FIELD_IP)
				assert_true(ip_equal(event_ip(&event, row), event_ip(&again, row)));
		}
	}
}

static void
check_sentence(void (*shape)(struct event *event), unsigned int kind, const char *sentence)
{
	struct buf out cleanup(buf_fini) = {0}, want cleanup(buf_fini) = {0};
	struct sample sample = {"", kind, shape};

	sample_make(&event, &sample);
	event_write(&out, &event, &sample_stamp, &full);
	buf_addf(&want, "\"message\":\"%s\"", sentence);
	if (!strstr(buf_text(&out), buf_text(&want)))
		fail_msg("no %s in %s", buf_text(&want), buf_text(&out));
}

static void
sentences_are_for_people(void **state)
{
	(void)state;
	check_sentence(sample_flow, WIRE_FLOW,
		       "python3 (pod eb653d22-2525-47ca-9fc4-3762497ae1d2) to 203.0.113.7:443/tcp "
		       "in CN, operator CN: violation of eu-residency/egress.outside-eea");
	check_sentence(sample_stray, WIRE_FLOW,
		       "unknown process to 2001:db8::2/58, documentation: unknown");
	check_sentence(sample_odd_protocol, WIRE_FLOW,
		       "python3 (nginx.service) to 203.0.113.7/253, own: violation of "
		       "eu-residency/egress.outside-eea");
	check_sentence(sample_bare, WIRE_FORK, "process 1 began");
	check_sentence(sample_killed, WIRE_EXIT,
		       "python3 (pod eb653d22-2525-47ca-9fc4-3762497ae1d2) ended by signal 9");
	check_sentence(sample_hole, WIRE_GAP, "12 flow records are missing: ring");
	check_sentence(sample_stop, WIRE_AGENT, "agent: stop");
	check_sentence(sample_start, WIRE_AGENT, "demarc 0.1.0 started");
}

static void
huge_strings_do_no_harm(void **state)
{
	static char huge[20000];
	struct buf out cleanup(buf_fini) = {0};

	(void)state;
	memset(huge, 'u', sizeof(huge) - 1);
	sample_make(&event, &samples[0]);
	event.process.name = event.process.exe = event.process.argv = huge;
	event.process.user = event.process.unit = event.process.cgroup_path = huge;
	event.judgement.rule = event.judgement.policy = huge;
	event_write(&out, &event, &sample_stamp, &full);
	assert_false(out.failed);
	assert_int_equal(out.data[out.length - 1], '}');
}

static void
measure(const char *what, const struct privacy *privacy)
{
	enum { ROUNDS = 20000 };
	struct buf out cleanup(buf_fini) = {0};
	struct timespec from, to;
	double ns;

	sample_make(&event, &samples[0]);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (int i = 0; i < ROUNDS; i++) {
		buf_clear(&out);
		event_write(&out, &event, &sample_stamp, privacy);
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	ns = (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
	print_message("%s: %.0f ns an event of %zu bytes\n", what, ns / ROUNDS, out.length);
}

static void
writing_is_cheap(void **state)
{
	struct pseudonyms cache = {0};
	struct privacy modes = {
		.mode = {[PRIVACY_USER] = PRIVACY_PSEUDONYM, [PRIVACY_ARGV] = PRIVACY_DROP}};

	(void)state;
	measure("in full", &full);
	measure("pseudonyms", &modes);
	modes.cache = &cache;
	measure("pseudonyms, cached", &modes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_follow_rfc_8785),
		cmocka_unit_test(every_byte_is_escaped_anywhere),
		cmocka_unit_test(integers_follow_rfc_8785),
		cmocka_unit_test(every_length_of_number_is_right),
		cmocka_unit_test(published_vectors_come_out),
		cmocka_unit_test(published_strings_come_out),
		cmocka_unit_test(entries_come_back_whole),
		cmocka_unit_test(fields_come_back_whole),
		cmocka_unit_test(sentences_are_for_people),
		cmocka_unit_test(huge_strings_do_no_harm),
		cmocka_unit_test(writing_is_cheap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
