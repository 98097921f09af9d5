/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* event_read_test - entries of others are read with care, and mistakes have a place. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "event.h"

#define HEAD "{\"metadata\":{\"type\":\"flow\"},\n"

static struct event event;

static void
mistakes_have_a_place(void **state)
{
	static const struct {
		const char *json, *text;
		unsigned int line;
	} cases[] = {
		{"", "", 1},
		{"[]", "metadata.type", 1},
		{"{\"metadata\":{\"type\":\"flo\"}}", "no event kind 'flo'", 1},
		{"{\"metadata\":{\"type\":7}}", "metadata.type", 1},
		{HEAD "\"dst_endpoint\":{\"port\":\"x\"}}", "dst_endpoint.port must be an integer",
		 2},
		{HEAD "\"dst_endpoint\":{\"port\":1.5}}", "dst_endpoint.port must be an integer",
		 2},
		{HEAD "\"dst_endpoint\":{\"port\":1e300}}", "must be an integer", 2},
		{HEAD "\"dst_endpoint\":{\"ip\":\"1.2.3\"}}", "dst_endpoint.ip must be an address",
		 2},
		{HEAD "\"message\":1}", "message must be a string", 2},
		{HEAD "\"is_alert\":1}", "is_alert must be true or false", 2},
		{HEAD "\"enrichments\":[{\"type\":\"judgement\",\"data\":{\"tags\":[1]}}]}",
		 "a list of strings", 2},
		{HEAD "\"enrichments\":[{\"type\":\"process\",\"data\":{\"exe_hex\":\"0\"}}]}",
		 "pairs of hex digits", 2},
		{HEAD "\"enrichments\":[{\"type\":\"process\",\"data\":{\"exe_hex\":\"0g\"}}]}",
		 "pairs of hex digits", 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf store cleanup(buf_fini) = {0};
		struct error why = {0};

		assert_int_equal(
			event_read(&event, &store, cases[i].json, strlen(cases[i].json), &why),
			-EINVAL);
		if (!strstr(why.text, cases[i].text) || why.line != cases[i].line)
			fail_msg("%s: got %u:%u: %s", cases[i].json, why.line, why.column,
				 why.text);
	}
}

static void
foreign_shapes_are_ignored(void **state)
{
	static const char json[] = HEAD
		"\"enrichments\":[7,{\"data\":{}},{\"type\":\"process\",\"data\":{\"pod\":\"a\"}}],"
		"\"actor\":{\"process\":[],\"user\":7},\"color\":\"red\",\"dst_endpoint\":\"x\"}";
	struct buf store cleanup(buf_fini) = {0};
	struct error why = {0};

	(void)state;
	assert_int_equal(event_read(&event, &store, json, strlen(json), &why), 0);
	assert_string_equal(event.process.pod, "a");
	assert_null(event.process.name);
	assert_int_equal(event.wall_ms, ABSENT);
}

static void
pseudonyms_stay_pseudonyms(void **state)
{
	static const char json[] =
		HEAD "\"actor\":{\"process\":{\"user\":{\"name\":\"p-0011\",\"uid\":\"p-0011\"}}}}";
	struct buf store cleanup(buf_fini) = {0};
	struct error why = {0};

	(void)state;
	assert_int_equal(event_read(&event, &store, json, strlen(json), &why), 0);
	assert_string_equal(event.process.user, "p-0011");
	assert_int_equal(event.process.uid, ABSENT);
}

static void
many_short_tags_fit(void **state)
{
	struct buf json cleanup(buf_fini) = {0}, store cleanup(buf_fini) = {0};
	struct error why = {0};
	size_t count = 0;

	(void)state;
	buf_adds(&json, HEAD "\"enrichments\":[{\"type\":\"judgement\",\"data\":{\"tags\":[\"\"");
	for (int i = 0; i < 20000; i++)
		buf_adds(&json, ",\"\"");
	buf_adds(&json, "]}}]}");
	assert_int_equal(event_read(&event, &store, json.data, json.length, &why), 0);
	while (event.judgement.tags[count])
		count++;
	assert_int_equal(count, 20001);
	assert_true(store.length <= store.room);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_have_a_place),
		cmocka_unit_test(foreign_shapes_are_ignored),
		cmocka_unit_test(pseudonyms_stay_pseudonyms),
		cmocka_unit_test(many_short_tags_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
