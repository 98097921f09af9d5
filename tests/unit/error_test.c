/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* error_test.c - the nearest word, and an error in print. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/error.h"

static const char *const words[] = {"dst.port", "src.port", "dst.ip", "protocol", "a", "flows"};

static const struct {
	const char *word;
	const char *nearest;
} slips[] = {
	{"dst.prot", "dst.port"}, /* two neighbours swapped: one slip, not two */
	{"dst.port", "dst.port"},
	{"dst.por", "dst.port"},
	{"dstt.port", "dst.port"},
	{"sst.port", "dst.port"}, /* as near to src.port: the first wins */
	{"protcol", "protocol"},
	{"prtcl", NULL},
	{"fows", "flows"},
	{"folws", "flows"},
	{"flwo", NULL},
	{"b", "a"},
	{"", NULL},
	{"something.else", NULL},
	{"protocolprotocolprotocolprotocolprotocolprotocolprotocolprotocolprotocol", NULL},
};

static void
nearest_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(slips) / sizeof(slips[0]); i++) {
		const char *got = nearest_word(slips[i].word, words, 6);

		if (slips[i].nearest) {
			assert_non_null(got);
			assert_string_equal(got, slips[i].nearest);
		} else {
			assert_null(got);
		}
	}
	assert_null(nearest_word("a", words, 0));
}

static const struct {
	struct error why;
	const char *text;
} prints[] = {
	{{.text = "no"}, "no"},
	{{.file = "f", .text = "no"}, "f: no"},
	{{.file = "f", .line = 3, .text = "no"}, "f:3: no"},
	{{.file = "f", .line = 3, .column = 4, .text = "no"}, "f:3:4: no"},
	{{.line = 3, .column = 4, .text = "no"}, "3:4: no"},
	{{.file = "\033[31m\303\244\377", .text = "a\302\233b\177\342\202\254"},
	 "?[31m\303\244?: a??b?\342\202\254"},
	{{.column = 4, .text = "no"}, "no"},
};

static void
prints_what_is_known(void **state)
{
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(prints) / sizeof(prints[0]); i++)
		assert_string_equal(error_format(&prints[i].why, out, sizeof(out)), prints[i].text);
	assert_string_equal(error_format(&prints[3].why, out, 6), "f:3:4");
}

static void
set_keeps_the_place(void **state)
{
	struct error why = {.file = "f", .line = 1, .column = 2};
	char big[400];

	(void)state;
	assert_int_equal(error_set(&why, -EINVAL, "no %s", "word"), -EINVAL);
	assert_string_equal(why.text, "no word");
	assert_string_equal(why.file, "f");
	assert_int_equal(why.line, 1);
	assert_int_equal(why.column, 2);

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(error_set(&why, -1, "%s", big), -1);
	assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
	error_set(&why, -1, "%s", "a\x1b[31m\nb\x7f\xc3\xbc");
	assert_string_equal(why.text, "a?[31m?b?\xc3\xbc");
	assert_int_equal(error_set(NULL, -2, "nobody listens"), -2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nearest_is_found),
		cmocka_unit_test(prints_what_is_known),
		cmocka_unit_test(set_keeps_the_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
