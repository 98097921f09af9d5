/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* jsonc_test.c - what is refused, where and in which words; where an item stands. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/jsonc.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *text;
	const char *printed;
} good[] = {
	{"{}", "{}"},
	{"\xef\xbb\xbf{}", "{}"},
	{" null ", "null"},
	{"[1,-2.5e+1,0,-0.5]", "[1,-25,0,-0.5]"},
	{"{\"a\":[true,false,null,{\"b\":\"c\"}]}", "{\"a\":[true,false,null,{\"b\":\"c\"}]}"},
	{"// head\n[1, /* two */ 2] // tail", "[1,2]"},
	{"[\"// no\", \"/* no */\", \"\\\"// no\"]", "[\"// no\",\"/* no */\",\"\\\"// no\"]"},
	{"/**/[]/***/", "[]"},
	{"\"\\u00e9\\ud83d\\ude00\\n\"", "\"\xc3\xa9\xf0\x9f\x98\x80\\n\""},
	{"{\"a\":1,\"A\":2}", "{\"a\":1,\"A\":2}"},
};

static void
good_text_is_parsed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct jsonc doc cleanup(jsonc_fini) = {0};
		struct error why = {0};
		char *printed cleanup(free_drop) = NULL;

		assert_int_equal(jsonc_parse(&doc, good[i].text, strlen(good[i].text), &why), 0);
		assert_int_equal(strlen(doc.text), strlen(good[i].text));
		printed = cJSON_PrintUnformatted(doc.root);
		assert_string_equal(printed, good[i].printed);
	}
}

static const struct {
	const char *text;
	const char *error; /* "line:column: text" */
} bad[] = {
	{"", "1:1: expected a value, found the end"},
	{"// only\n", "2:1: expected a value, found the end"},
	{"{", "1:2: expected a name in double quotes, found the end"},
	{"{\"a\": 1,\n \"b\" 2}", "2:6: expected ':' after the name, found '2'"},
	{"{\"a\": 1\n \"b\": 2}", "2:2: expected ',' or '}', found '\"'"},
	{"{\"a\": 1,}", "1:8: no comma may follow the last element"},
	{"[1, 2,\n]", "1:6: no comma may follow the last element"},
	{"[1 2]", "1:4: expected ',' or ']', found '2'"},
	{"[1]]", "1:4: expected nothing more, found ']'"},
	{"{} x", "1:4: expected nothing more, found 'x'"},
	{"{a: 1}", "1:2: expected a name in double quotes, found 'a'"},
	{"['a']", "1:2: expected a value, found '''"},
	{"[yes]", "1:2: expected a value, found 'y'"},
	{"[\x01]", "1:2: expected a value, found byte 0x01"},
	{"[01]", "1:2: a number must not begin with 0"},
	{"[-]", "1:3: expected a digit after '-', found ']'"},
	{"[-.5]", "1:3: expected a digit after '-', found '.'"},
	{"[1.]", "1:4: expected a digit after the point, found ']'"},
	{"[1e]", "1:4: expected a digit in the exponent, found ']'"},
	{"[1e999]", "1:2: the number is too large"},
	{"[1111111111111111111111111111111111111111111111111111111111111111]",
	 "1:2: the number has too many digits"},
	{"[+1]", "1:2: expected a value, found '+'"},
	{"[\"a\nb\"]", "1:2: the string has no closing quote"},
	{"[\"a", "1:2: the string has no closing quote"},
	{"[\"a\tb\"]", "1:4: control character in a string"},
	{"[\"a\\x\"]", "1:4: unknown escape; a backslash itself is written \\\\"},
	{"[\"\\u12g4\"]", "1:7: expected four hexadecimal digits after \\u, found 'g'"},
	{"[\"\\u0000\"]", "1:3: \\u0000 is not allowed in a string"},
	{"[\"\\ud800\"]", "1:3: half of a surrogate pair"},
	{"[\"\\udc00\"]", "1:3: half of a surrogate pair"},
	{"[\"\\ud800\\u0041\"]", "1:3: half of a surrogate pair"},
	{"[\"\xff\"]", "1:3: the string is not UTF-8"},
	{"[\"\xc0\x80\"]", "1:3: the string is not UTF-8"},
	{"[\"\xed\xa0\x80\"]", "1:3: the string is not UTF-8"},
	{"[1, /* two\n 2]", "1:5: the comment has no end"},
	{"/", "1:1: expected a value, found '/'"},
	{"/x", "1:1: expected a value, found '/'"},
	{"/*", "1:1: the comment has no end"},
	{"/*/", "1:1: the comment has no end"},
	{"{\"a\": 1, // one\n  /* two */ \"a\": 2, \"a\": 3}", "2:13: 'a' is given twice"},
	{"{\"x\": [{\"b\": 1, \"c\": 2, \"\\u0062\": 3}]}", "1:25: 'b' is given twice"},
};

static void
bad_text_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct jsonc doc = {0};
		struct error why = {0};
		char text[400];

		assert_int_equal(jsonc_parse(&doc, bad[i].text, strlen(bad[i].text), &why),
				 -EINVAL);
		assert_string_equal(error_format(&why, text, sizeof(text)), bad[i].error);
		assert_null(doc.root);
		assert_null(doc.text);
	}
}

static void
nul_is_not_the_end(void **state)
{
	struct jsonc doc = {0};
	struct error why = {0};

	(void)state;
	assert_int_equal(jsonc_parse(&doc, "[1]\0 ", 5, &why), -EINVAL);
	assert_int_equal(why.column, 4);
	assert_int_equal(jsonc_parse(&doc, "[\0]", 3, &why), -EINVAL);
	assert_int_equal(why.column, 2);
	assert_int_equal(jsonc_parse(&doc, NULL, 0, NULL), -EINVAL);
}

static void
depth_is_limited(void **state)
{
	char text[129];

	(void)state;
	for (size_t depth = 64; depth <= 65; depth++) {
		struct jsonc doc cleanup(jsonc_fini) = {0};
		struct error why = {0};
		size_t length = 2 * depth;

		memset(text, '[', depth);
		if (depth == 64)
			memset(text + depth, ']', depth);
		else
			length = depth;
		assert_int_equal(jsonc_parse(&doc, text, length, &why), depth == 64 ? 0 : -EINVAL);
		if (depth == 65)
			assert_string_equal(why.text, "nested too deeply");
	}
}

static const char places[] = "// head\n"
			     "{\n"
			     "  \"a\": 1, /* not \"b\" */ \"b\": [10,\n"
			     "    {\"c\": \"x\"}, \"z\"]\n"
			     "}\n";

static void
assert_at(const struct jsonc *doc, const cJSON *item, unsigned int line, unsigned int column)
{
	unsigned int got_line, got_column;

	jsonc_locate(doc, item, &got_line, &got_column);
	assert_int_equal(got_line, line);
	assert_int_equal(got_column, column);
}

static void
items_are_located(void **state)
{
	struct jsonc doc cleanup(jsonc_fini) = {0};
	struct error why = {0};
	cJSON stranger = {0};
	const cJSON *list;

	(void)state;
	assert_int_equal(jsonc_parse(&doc, places, strlen(places), &why), 0);
	list = cJSON_GetObjectItemCaseSensitive(doc.root, "b");
	assert_at(&doc, doc.root, 2, 1);
	assert_at(&doc, cJSON_GetObjectItemCaseSensitive(doc.root, "a"), 3, 3);
	assert_at(&doc, list, 3, 25);
	assert_at(&doc, cJSON_GetArrayItem(list, 0), 3, 31);
	assert_at(&doc, cJSON_GetArrayItem(list, 1), 4, 5);
	assert_at(&doc, cJSON_GetArrayItem(list, 1)->child, 4, 6);
	assert_at(&doc, cJSON_GetArrayItem(list, 2), 4, 17);
	assert_at(&doc, &stranger, 0, 0);
	assert_at(&doc, NULL, 0, 0);

	assert_int_equal(jsonc_error(&doc, cJSON_GetArrayItem(list, 2), &why, "no %d", 7), -EINVAL);
	assert_int_equal(why.line, 4);
	assert_int_equal(why.column, 17);
	assert_string_equal(why.text, "no 7");
}

static void
files_are_named(void **state)
{
	struct jsonc doc cleanup(jsonc_fini) = {0};
	struct error why = {.line = 9};
	char path[] = "/tmp/demarc-jsonc-XXXXXX";
	int fd cleanup(fd_drop) = mkstemp(path);
	char text[600];

	(void)state;
	assert_int_equal(write(fd, "[\n1,]", 5), 5);
	assert_int_equal(jsonc_parse_file(&doc, path, &why), -EINVAL);
	assert_string_equal(why.file, path);
	assert_int_equal(why.line, 2);

	assert_int_equal(pwrite(fd, "[\n1 ]", 5, 0), 5);
	assert_int_equal(jsonc_parse_file(&doc, path, &why), 0);
	jsonc_error(&doc, doc.root->child, &why, "odd");
	assert_string_equal(why.file, path);
	unlink(path);

	jsonc_fini(&doc);
	assert_int_equal(jsonc_parse_file(&doc, "/nonexistent", &why), -ENOENT);
	assert_string_equal(error_format(&why, text, sizeof(text)),
			    "/nonexistent: cannot read it: No such file or directory");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_text_is_parsed), cmocka_unit_test(bad_text_is_refused),
		cmocka_unit_test(nul_is_not_the_end),  cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(items_are_located),   cmocka_unit_test(files_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
