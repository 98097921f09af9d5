/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rule_warn - what parses but is not meant, and the tests that rules carry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "rule.h"

#define META  "\"metadata\":{\"id\":\"t\",\"version\":\"1\",\"jurisdiction\":\"EU\"}"
#define LISTS "\"lists\":{\"ports\":[80,443]}"
#define HEAD  "\"title\":\"T\",\"level\":\"low\",\"event\":\"flow\",\"action\":\"alert\","
#define NOW   INT64_C(1795000000000) /* 2026-11-18 */

static struct ruleset *
parse(const char *text)
{
	struct ruleset *rules = NULL;
	struct error why = {0};

	if (ruleset_parse(&rules, text, strlen(text), &why) < 0)
		fail_msg("%s\n%u:%u: %s", text, why.line, why.column, why.text);
	return rules;
}

#define RULE(members)                                                     \
	"{" META ",\"rules\":[\n{\"id\":\"a\"," HEAD "\"match\":" members \
	"},\n{\"id\":\"z\"," HEAD "\"match\":{\"role\":\"z\"}}]}"

static const struct {
	const char *text;
	unsigned int line; /* 0: nothing to warn of */
	const char *why;
} cases[] = {
	{RULE("{\"dst.port\":{\"in\":[1,2],\"ne\":2}}"), 0, NULL},
	{RULE("{\"dst.port\":{\"gt\":1,\"lt\":3}}"), 0, NULL},
	{RULE("{\"dst.location_law\":{\"eq\":\"eu\",\"not_in\":[\"x\"]}}"), 0, NULL},
	{RULE("{\"dst.port\":{\"exists\":false}}"), 0, NULL},
	{RULE("{\"dst.port\":{\"exists\":true,\"eq\":2}}"), 0, NULL},
	{RULE("{\"dst.port\":{\"eq\":2,\"ne\":2}}"), 2, "rule 'a' can never match: no 'dst.port'"},
	{RULE("{\"dst.port\":{\"in\":[1,2],\"not_in\":[2,1]}}"), 2, "can never match"},
	{RULE("{\"dst.port\":{\"in\":[1,2],\"gt\":2}}"), 2, "can never match"},
	{RULE("{\"dst.port\":{\"gt\":2,\"lt\":3}}"), 2, "can never match"},
	{RULE("{\"role\":{\"eq\":\"client\",\"prefix\":\"s\"}}"), 2, "can never match"},
	{RULE("{\"role\":{\"exists\":false,\"ne\":\"x\"}}"), 2, "can never match"},
	{RULE("{\"role\":\"a\"},\"any_of\":[{\"role\":\"b\"},{\"dst.port\":1}]"), 2,
	 "this alternative"},
	{RULE("{ \"role\" : {\"eq\":\"x\"}},\"status\":\"deprecated\""), 2, "is deprecated"},
	{RULE("{\"role\":\"z\"}"), 3, "rule 'z' matches exactly what rule 'a' on line 2 matches"},
	{RULE("{},\"exceptions\":[\n{\"match\":{\"role\":\"x\"},\"reason\":\"r\",\"owner\":\"o\","
	      "\"expires\":\"2026-11-18\"}]"),
	 3, "has expired"},
	{RULE("{},\"exceptions\":[\n{\"match\":{\"role\":\"x\"},\"reason\":\"r\",\"owner\":\"o\","
	      "\"expires\":\"2026-11-19\"}]"),
	 0, NULL},
	{"{" META "," LISTS ",\"rules\":[]}", 1, "no rule uses the list '@ports'"},
	{"{" META "," LISTS ",\"rules\":[{\"id\":\"a\"," HEAD
	 "\"match\":{\"dst.port\":{\"in\":\"@ports\"}}}]}",
	 0, NULL},
	{"{" META ",\"rules\":[{\"id\":\"a\",\"title\":\"T\",\"level\":\"low\",\"event\":\"flow\","
	 "\"action\":\"deny\"}]}",
	 1, "blocks nothing"},
};

static void
keep(const struct error *warning, void *arg)
{
	*(struct error *)arg = *warning;
}

static void
each_warning_has_its_place(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ruleset *rules = parse(cases[i].text);
		struct error last = {0};
		size_t count = ruleset_warn(rules, NOW, keep, &last);

		if (count != (cases[i].line != 0) || last.line != cases[i].line ||
		    (count && !strstr(last.text, cases[i].why)))
			fail_msg("%s: %zu warnings, %u:%u: %s", cases[i].text, count, last.line,
				 last.column, last.text);
		assert_int_equal(ruleset_warn(rules, NOW, NULL, NULL), count);
		ruleset_free(rules);
	}
}

static const char tested[] =
	"{" META ",\"rules\":[{\"id\":\"a\"," HEAD
	"\"match\":{\"dst.ip\":{\"cidr\":\"10.0.0.0/8\"}},"
	"\"exceptions\":[{\"match\":{\"dst.location_law\":\"eu\"},\"reason\":\"r\","
	"\"owner\":\"o\",\"expires\":\"2027-01-01T00:00:00+01:00\"}],"
	"\"tests\":["
	"{\"name\":\"1\",\"event\":{\"dst.ip\":\"10.9.9.9\"},\"expect\":\"alert\"},"
	"{\"name\":\"2\",\"event\":{\"dst.ip\":\"10.9.9.9\"},\"expect\":\"violation\"},"
	"{\"name\":\"3\",\"event\":{\"dst.ip\":\"11.9.9.9\"},\"expect\":\"no match\"},"
	"{\"name\":\"4\",\"event\":{\"dst.ip\":\"10.9.9.9\",\"dst.location_law\":[\"x\",\"eu\"],"
	"\"time\":\"2026-12-31T22:59:59.999Z\"},\"expect\":\"no match\"},"
	"{\"name\":\"5\",\"event\":{\"dst.ip\":\"10.9.9.9\",\"dst.location_law\":[\"x\",\"eu\"],"
	"\"time\":\"2026-12-31T23:00:00Z\"},\"expect\":\"alert\"},"
	"{\"name\":\"wrong\",\"event\":{\"dst.ip\":\"10.9.9.9\"},\"expect\":\"record\"},"
	"{\"name\":\"wrong\",\"event\":{},\"expect\":\"alert\"}]}],"
	"\"tests\":["
	"{\"name\":\"6\",\"event\":\"flow\",\"fields\":{\"dst.ip\":\"10.0.0.1\"},"
	"\"expect\":{\"verdict\":\"violation\",\"rules\":[\"a\"]}},"
	"{\"name\":\"7\",\"event\":\"flow\",\"fields\":{},"
	"\"expect\":{\"verdict\":\"unknown\",\"rules\":[]}},"
	"{\"name\":\"8\",\"event\":\"exec\",\"fields\":{\"process.exe\":\"/x\"},"
	"\"expect\":{\"rules\":[]}},"
	"{\"name\":\"wrong\",\"event\":\"flow\",\"fields\":{\"dst.ip\":\"10.0.0.1\"},"
	"\"expect\":{\"rules\":[]}},"
	"{\"name\":\"wrong\",\"event\":\"flow\",\"fields\":{\"dst.ip\":\"10.0.0.1\"},"
	"\"expect\":{\"verdict\":\"allowed\"}}]}";

static void
see(const struct rule_test *test, void *arg)
{
	const char *rule = test->name[0] >= '6' && test->name[0] <= '8' ? "t" : "a";

	(void)arg;
	if (test->passed != (strcmp(test->name, "wrong") != 0))
		fail_msg("%s: %s", test->name, test->detail);
	if (test->passed)
		assert_string_equal(test->rule, rule);
	else
		assert_memory_equal(test->detail, "expected ", 9);
}

static void
tests_fail_when_they_should(void **state)
{
	struct ruleset *rules = parse(tested);
	size_t run = 0;

	(void)state;
	assert_int_equal(ruleset_test(rules, see, NULL, &run), 4);
	assert_int_equal(run, 12);
	ruleset_free(rules);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_warning_has_its_place),
		cmocka_unit_test(tests_fail_when_they_should),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
