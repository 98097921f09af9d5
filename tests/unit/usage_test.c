/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* usage_test - slips at the command line are named, with what was meant. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/usage.h"

static const struct option options[] = {{"json", no_argument, NULL, 'j'},
					{"set", required_argument, NULL, 's'},
					{"seconds", required_argument, NULL, 't'},
					{"help", no_argument, NULL, 'h'},
					{0}};
static const struct usage usage = {"run", "", ":s:h", options};

static const struct {
	const char *words[4];
	const char *letters; /* in order */
	const char *text;    /* of the refusal, if any */
} cases[] = {
	{{NULL}, "", NULL},
	{{"--json", "-s", "a=b"}, "js", NULL},
	{{"word", "--js"}, "j", NULL},
	{{"--", "--jsn"}, "", NULL},
	{{"--jsn"}, "?", "no option '--jsn'; did you mean '--json'?"},
	{{"--jsn=3"}, "?", "no option '--jsn'; did you mean '--json'?"},
	{{"--frobnicate"}, "?", "no option '--frobnicate'"},
	{{"--se=1"}, "?", "no option '--se'; did you mean '--set'?"},
	{{"--json=3"}, "?", "option '--json' takes no value"},
	{{"word", "--set"}, "?", "option '--set' needs a value"},
	{{"-s"}, "?", "option '-s' needs a value"},
	{{"-h", "-x"}, "h?", "no option '-x'"},
	{{"-j"}, "?", "no option '-j'"},
	{{"--\033[31m"}, "?", "no option '--?[31m'"},
};

static void
test_options(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *argv[6] = {(char[]){"run"}};
		struct error why = {0};
		char letters[8] = "";
		int argc = 1, letter;

		for (; argc < 5 && cases[i].words[argc - 1]; argc++)
			argv[argc] = strdup(cases[i].words[argc - 1]);
		optind = 0;
		while ((letter = usage_next(&usage, argc, argv, &why)) >= 0) {
			letters[strlen(letters)] = (char)letter;
			if (letter == '?')
				break;
		}
		assert_string_equal(letters, cases[i].letters);
		assert_string_equal(why.text, cases[i].text ? cases[i].text : "");
		for (int j = 1; j < argc; j++)
			free(argv[j]);
	}
}

static void
test_numbers(void **state)
{
	static const char *const bad[] = {
		"", "abc", "-1", "+1", " 1", "1s", "0", "11", "99999999999999999999"};
	struct error why = {0};
	uint64_t out = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(usage_number("seconds", bad[i], 1, 10, &out, &why) < 0);
	assert_int_equal(out, 7);
	assert_string_equal(why.text, "--seconds must be a whole number from 1 to 10, not "
				      "'99999999999999999999'");
	assert_int_equal(usage_number("seconds", "10", 1, 10, &out, &why), 0);
	assert_int_equal(out, 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
