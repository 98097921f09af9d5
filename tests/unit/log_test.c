/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* log_test.c - a line is one write, and no terminal obeys it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cjson/cJSON.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

#define TIME_BYTES (sizeof("time=") - 1 + CLOCK_TEXT - 1)

/* What one call writes to stderr. */
static size_t
capture(char *out, size_t room, const char *message)
{
	int saved cleanup(fd_drop) = dup(STDERR_FILENO);
	int ends[2];
	ssize_t got;

	/* Packet mode: a read returns one write. */
	assert_int_equal(pipe2(ends, O_DIRECT | O_NONBLOCK), 0);
	dup2(ends[1], STDERR_FILENO);
	log_warn("unit", "%s", message);
	dup2(saved, STDERR_FILENO);
	got = read(ends[0], out, room - 1);
	close(ends[0]);
	close(ends[1]);
	if (got < 0)
		got = 0;
	out[got] = '\0';
	return (size_t)got;
}

static const struct {
	const char *message;
	const char *line;
} lines[] = {
	{"plain", "\"plain\"\n"},
	{"", "\"\"\n"},
	{"a \"b\" \\c", "\"a \\\"b\\\" \\\\c\"\n"},
	{"two\nlines\ttab", "\"two\\nlines\\ttab\"\n"},
	{"\x1b[31mred\x07\x7f", "\"\\x1b[31mred\\x07\\x7f\"\n"},
	{"\xc2\x9b"
	 "31m",
	 "\"\\x9b31m\"\n"},
	{"\x9b \xff", "\"\\x9b \\xff\"\n"},
	{"M\xc3\xbcnchen \xf0\x9f\x98\x80", "\"M\xc3\xbcnchen \xf0\x9f\x98\x80\"\n"},
};

static void
logfmt_is_quoted(void **state)
{
	static const char head[] = " level=warn component=unit msg=";
	char out[2048];

	(void)state;
	log_setup(LOG_LEVEL_INFO, false);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_true(capture(out, sizeof(out), lines[i].message) > TIME_BYTES);
		assert_memory_equal(out, "time=2", 6);
		assert_memory_equal(out + TIME_BYTES, head, sizeof(head) - 1);
		assert_string_equal(out + TIME_BYTES + sizeof(head) - 1, lines[i].line);
	}
}

static void
json_is_json(void **state)
{
	char out[2048];
	cJSON *root;

	(void)state;
	log_setup(LOG_LEVEL_INFO, true);
	assert_true(capture(out, sizeof(out), "a\x1b\"\n\xff z") > 0);
	assert_non_null(strstr(out, "\"msg\":\"a\\u001b\\\"\\n\\u00ff z\"}\n"));
	root = cJSON_Parse(out);
	assert_non_null(root);
	assert_string_equal(cJSON_GetObjectItem(root, "level")->valuestring, "warn");
	assert_string_equal(cJSON_GetObjectItem(root, "component")->valuestring, "unit");
	assert_int_equal(strlen(cJSON_GetObjectItem(root, "time")->valuestring), CLOCK_TEXT - 1);
	cJSON_Delete(root);
}

static void
level_is_kept(void **state)
{
	char out[256];

	(void)state;
	log_setup(LOG_LEVEL_ERROR, false);
	assert_int_equal(capture(out, sizeof(out), "silent"), 0);
}

static void
long_message_is_cut(void **state)
{
	char out[4096], message[3000];

	(void)state;
	memset(message, 'x', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	log_setup(LOG_LEVEL_DEBUG, false);
	assert_in_range(capture(out, sizeof(out), message), 1000, 1200);
	assert_non_null(strstr(out, "xxx...\"\n"));
}

static const struct {
	int64_t wall_ms;
	const char *text;
} times[] = {
	{0, "1970-01-01T00:00:00.000Z"},
	{1795428000123, "2026-11-23T10:00:00.123Z"},
	{951782400001, "2000-02-29T00:00:00.001Z"},
	{-1, "1969-12-31T23:59:59.999Z"},
	{INT64_MAX, "9999-12-31T23:59:59.999Z"},
	{INT64_MIN, "0000-01-01T00:00:00.000Z"},
};

static void
times_are_printed(void **state)
{
	char out[CLOCK_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		assert_string_equal(clock_format(times[i].wall_ms, out), times[i].text);
}

static void
clocks_agree(void **state)
{
	int64_t made = (int64_t)(clock_boot_ns() / 1000000) + clock_offset_ms();

	(void)state;
	assert_true(llabs(clock_wall_ms() - made) < 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logfmt_is_quoted),  cmocka_unit_test(json_is_json),
		cmocka_unit_test(level_is_kept),     cmocka_unit_test(long_message_is_cut),
		cmocka_unit_test(times_are_printed), cmocka_unit_test(clocks_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
