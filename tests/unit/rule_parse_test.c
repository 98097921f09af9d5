/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rule_parse - what a rule file may say, and where it is told that it may not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "rule.h"

#define META "\"metadata\":{\"id\":\"t\",\"version\":\"1\",\"jurisdiction\":\"EU\"}"
#define HEAD \
	"\"id\":\"r\",\"title\":\"T\",\"level\":\"low\",\"event\":\"flow\",\"action\":\"alert\""
#define LISTS "\"lists\":{\"ports\":[80,443],\"eea\":[\"DE\",\"FR\"],\"nets\":[\"10.0.0.0/8\"]}"

/* A file with these lists and one rule with these further members. */
#define RULE(members) "{" META "," LISTS ",\"rules\":[\n{" HEAD members "}]}"

static const struct {
	const char *text;
	unsigned int line; /* 0: it parses */
	const char *why;   /* part of the message */
} cases[] = {
	{RULE(""), 0, NULL},
	{RULE(",\"match\":{}"), 0, NULL},
	{RULE(",\"match\":{\"dst.port\":443}"), 0, NULL},
	{RULE(",\"match\":{\"dst.port\":{\"in\":\"@ports\",\"gt\":1,\"lt\":9}}"), 0, NULL},
	{RULE(",\"match\":{\"dst.ip\":{\"cidr\":\"@nets\",\"not_cidr\":\"10.1.0.0/16\"}}"), 0,
	 NULL},
	{RULE(",\"match\":{\"dst.ip\":{\"cidr\":[\"10.0.0.1\",\"2001:db8::/32\"]}}"), 0, NULL},
	{RULE(",\"match\":{\"dst.location_law\":{\"not_in\":\"@eea\"}}"), 0, NULL},
	{RULE(",\"match\":{\"process.exe\":{\"glob\":\"/usr/[a-z]*\"}}"), 0, NULL},
	{RULE(",/* a */\"match\":{} // b\n"), 0, NULL},
	{RULE(",\"tests\":[{\"name\":\"n\",\"event\":{\"dst.ip\":\"10.0.0.1\",\"time\":"
	      "\"2026-01-01T00:00:00Z\",\"dst.location_law\":[\"eu\"]},\"expect\":\"alert\"}]"),
	 0, NULL},

	{"", 1, NULL},
	{"[]", 1, "a rule file must be an object"},
	{"{\"rules\":[]}", 1, "'metadata' is missing"},
	{"{\n" META "}", 1, "'rules' is missing"},
	{"{" META ",\n\"rule\":[]}", 2, "no key 'rule' in a rule file; did you mean 'rules'?"},
	{"{\n\"metadata\":{\"id\":\"t\",\n\"version\":1,\"jurisdiction\":\"EU\"},\"rules\":[]}", 3,
	 "'version' must be a string"},
	{"{" META ",\"lists\":{\n\"a\":[]},\"rules\":[]}", 2, "the list 'a' is empty"},
	{"{" META ",\"lists\":{\"a\":[1,\n\"x\"]},\"rules\":[]}", 2, "not both"},
	{"{" META ",\"lists\":{\"a\":[\"@b\"]},\"rules\":[]}", 1, "lists do not hold lists"},
	{"{" META ",\"rules\":[\n{" HEAD "},\n{" HEAD "}]}", 3,
	 "the id 'r' is taken by the rule on line 2"},

	{RULE(",\n\"titel\":\"x\""), 3, "no key 'titel' in a rule; did you mean 'title'?"},
	{RULE(",\n\"window\":{\"count\":3}"), 3, "this version has no thresholds over time"},
	{RULE(",\"match\":{\n\"dst.prot\":1}"), 3,
	 "no field 'dst.prot' in flow; did you mean 'dst.port'?"},
	{RULE(",\"match\":{\"zzzzzzzz\":1}"), 2, "no field 'zzzzzzzz' in flow"},
	{RULE(",\"match\":{\"dst.port\":{\n\"not_on\":[1]}}"), 3,
	 "no operator 'not_on'; did you mean 'not_in'?"},
	{RULE(",\"match\":{\"dst.port\":{\"between\":1}}"), 2, "no operator 'between'"},
	{RULE(",\"match\":{\"dst.port\":{}}"), 2, "has no operator"},
	{RULE(",\"match\":{\"dst.port\":\"443\"}"), 2,
	 "'dst.port' is a whole number, so 'eq' takes a whole number"},
	{RULE(",\"match\":{\"dst.port\":[80,443]}"), 2, "use in for several"},
	{RULE(",\"match\":{\"dst.port\":1.5}"), 2, "a whole number"},
	{RULE(",\"match\":{\"dst.port\":{\"in\":[]}}"), 2, "the list is empty"},
	{RULE(",\"match\":{\"dst.port\":{\"in\":80}}"), 2, "takes an array or"},
	{RULE(",\"match\":{\"dst.port\":{\"in\":[80,\n\"x\"]}}"), 3, "must be a whole number"},
	{RULE(",\"match\":{\"dst.port\":{\"in\":\"@prots\"}}"), 2,
	 "no list '@prots'; did you mean '@ports'?"},
	{RULE(",\"match\":{\"dst.port\":{\"in\":\"@eea\"}}"), 1, "must be a whole number"},
	{RULE(",\"match\":{\"dst.port\":{\"glob\":\"4*\"}}"), 2, "does not take 'glob'"},
	{RULE(",\"match\":{\"process.exe\":{\"gt\":1}}"), 2, "does not take 'gt'"},
	{RULE(",\"match\":{\"process.exe\":{\"cidr\":\"10.0.0.0/8\"}}"), 2, "does not take 'cidr'"},
	{RULE(",\"match\":{\"process.exe\":{\"glob\":\"/[a\"}}"), 2, "bad glob"},
	{RULE(",\"match\":{\"process.exe\":{\"glob\":\"/a\\\\\"}}"), 2, "bad glob"},
	{RULE(",\"match\":{\"process.exe\":{\"prefix\":\"\"}}"), 2, "not empty"},
	{RULE(",\"match\":{\"process.exe\":null}"), 2, "takes a string"},
	{RULE(",\"match\":{\"process.exe\":{\"exists\":1}}"), 2, "takes true or false"},
	{RULE(",\"match\":{\"dst.ip\":{\"cidr\":\"10.0.0.1/8\"}}"), 2, "host bits zero"},
	{RULE(",\"match\":{\"dst.ip\":{\"cidr\":[\"10.0.0.0/33\"]}}"), 2, "is not a prefix"},
	{RULE(",\"match\":{\"dst.ip\":\"10.0.0.0/8\"}"), 2, "use cidr for prefixes"},
	{RULE(",\"match\":{\"dst.ip\":{\"in\":\"@nets\"}}"), 1, "use cidr for prefixes"},
	{RULE(",\"match\":{\"dst.ip\":{\"in\":\"@ports\"}}"), 1, "must be an address"},
	{RULE(",\"match\":3"), 2, "must be an object"},
	{RULE(",\"any_of\":[]"), 2, "must be an array of match objects"},
	{RULE(",\"any_of\":[{}]"), 2, "matches everything"},
	{RULE(",\"any_of\":[{\"role\":\"client\"},\n{\"rol\":\"x\"}]"), 3, "did you mean 'role'"},
	{RULE(",\"match\":{\"verdict\":\"allowed\"}"), 2, "is what rules decide"},
	{RULE(",\"verdict\":\"violaton\""), 2, "did you mean 'violation'?"},
	{RULE(",\"status\":\"stabel\""), 2, "did you mean 'stable'?"},
	{RULE(",\"tags\":\"x\""), 2, "'tags' must be an array of strings"},
	{RULE(",\"tags\":[1]"), 2, "'tags' takes strings"},
	{RULE(",\"exceptions\":[{\"match\":{\"dst.port\":1},\"reason\":\"r\",\"owner\":\"o\"}]"), 2,
	 "'expires' is missing"},
	{RULE(",\"exceptions\":[{\"match\":{\"dst.port\":1},\"reason\":\"r\",\"owner\":\"o\","
	      "\n\"expires\":\"2027-02-29\"}]"),
	 3, "must be a date"},
	{RULE(",\"exceptions\":[{\"reason\":\"r\",\"owner\":\"o\",\"expires\":\"2027-01-01\"}]"), 2,
	 "would except everything"},
	{RULE(",\"exceptions\":[{\"match\":{},\"reason\":\"r\",\"owner\":\"o\",\"expires\":"
	      "\"2027-01-01\"}]"),
	 2, "would except everything"},
	{RULE(",\"tests\":[{\"name\":\"n\",\"event\":{\"dst.prot\":1},\"expect\":\"alert\"}]"), 2,
	 "did you mean 'dst.port'"},
	{RULE(",\"tests\":[{\"name\":\"n\",\"event\":{},\"expect\":\"alarm\"}]"), 2,
	 "'alarm' is no expect; there are "},
	{RULE(",\"tests\":[{\"name\":\"n\",\"event\":{\"dst.ip\":\"10.0.0.0/8\"},\"expect\":"
	      "\"alert\"}]"),
	 2, "takes an address"},
	{"{" META ",\"rules\":[{" HEAD "}],\"tests\":[{\"name\":\"n\",\"event\":\"flow\","
	 "\"fields\":{},\n\"expect\":{\"rules\":[\"q\"]}}]}",
	 2, "no rule 'q'"},
	{"{" META ",\"rules\":[{\"id\":\"a b\",\"title\":\"t\"}]}", 1, "an id has letters"},
	{"{" META ",\"rules\":[{\"id\":\"a\",\"title\":\"t\"}]}", 1, "'level' is missing"},
	{"{" META
	 ",\"rules\":[{\"id\":\"a\",\"title\":\"t\",\"level\":\"low\",\"action\":\"record\","
	 "\"event\":\"flwo\"}]}",
	 1, "did you mean 'flow'?"},
	{"{" META ",\"rules\":[7]}", 1, "a rule must be an object"},
};

static void
each_mistake_has_its_place(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ruleset *rules = NULL;
		struct error why = {0};
		int rc = ruleset_parse(&rules, cases[i].text, strlen(cases[i].text), &why);

		if ((rc == 0) != (cases[i].line == 0) || (rc && why.line != cases[i].line) ||
		    (rc && !why.column) || (rc && cases[i].why && !strstr(why.text, cases[i].why)))
			fail_msg("case %zu, %s: %d, %u:%u: %s", i, cases[i].text, rc, why.line,
				 why.column, why.text);
		if (rc) {
			assert_int_equal(rc, -EINVAL);
			assert_null(rules);
		}
		ruleset_free(rules);
	}
}

static struct ruleset *
parse(const char *text)
{
	struct ruleset *rules = NULL;
	struct error why = {0};

	if (ruleset_parse(&rules, text, strlen(text), &why) < 0)
		fail_msg("%u:%u: %s", why.line, why.column, why.text);
	return rules;
}

static void
defaults_and_lines(void **state)
{
	struct ruleset *rules = parse("// rules: {[\n{\"lists\":{\"rules\":[\"x\"]}," META ",\n"
				      "\"rules\":[\n{" HEAD "},\n\n{\"id\":\"s\",\"title\":\"S\","
				      "\"level\":\"critical\",\"event\":\"gap\","
				      "\"action\":\"record\",\"tags\":[\"a\\\"]\"]}]}");
	const struct rule *rule = ruleset_rule(rules, 0);

	(void)state;
	assert_string_equal(rule->status, "stable");
	assert_int_equal(rule->verdict, VERDICT_VIOLATION);
	assert_int_equal(rule->level, LEVEL_LOW);
	assert_int_equal(rule->line, 4);
	assert_null(rule->tags[0]);
	rule = ruleset_rule(rules, 1);
	assert_int_equal(rule->verdict, VERDICT_ALLOWED);
	assert_int_equal(rule->level, 5);
	assert_int_equal(rule->line, 6);
	assert_string_equal(rule->tags[0], "a\"]");
	assert_null(ruleset_rule(rules, 2));
	assert_int_equal(ruleset_info(rules)->rules, 2);
	assert_string_equal(ruleset_info(rules)->jurisdiction, "EU");
	ruleset_free(rules);
}

/* printf '{"metadata":{"id":"t\xc3\xa4\\"\\n","jurisdiction":"EU","version":"1"},"rules":[]}' |
 * sha256sum */
#define CANONICAL_SHA256 "6b596d4b61029559a80911b39cc126ffb0fb28519dc56ffcfcfc851e37c1d845"

static void
digest_is_of_the_canonical_text(void **state)
{
	struct ruleset *rules = parse("{ \"rules\": [ ],\n\"metadata\": {\"version\":\"\\u0031\","
				      "\"jurisdiction\":\"EU\",\"id\":\"t\\u00e4\\\"\\n\"}}");

	(void)state;
	assert_string_equal(ruleset_info(rules)->digest, CANONICAL_SHA256);
	ruleset_free(rules);
}

static void
digest_ignores_layout_only(void **state)
{
	struct ruleset *a = parse(RULE(",\"match\":{\"dst.port\":443,\"role\":\"client\"}"));
	struct ruleset *b =
		parse("{\"rules\":[{\"match\":{\"role\":\"client\", \"dst.port\":443.0},"
		      "/* c */" HEAD "}]," LISTS "," META "}");
	struct ruleset *c = parse(RULE(",\"match\":{\"dst.port\":444,\"role\":\"client\"}"));

	(void)state;
	assert_int_equal(strlen(ruleset_info(a)->digest), 64);
	assert_string_equal(ruleset_info(a)->digest, ruleset_info(b)->digest);
	assert_string_not_equal(ruleset_info(a)->digest, ruleset_info(c)->digest);
	ruleset_free(a);
	ruleset_free(b);
	ruleset_free(c);
}

static void
at_most_ten_thousand(void **state)
{
	struct buf text cleanup(buf_fini) = {0};
	struct ruleset *rules = NULL;
	struct error why = {0};
	size_t count, i;

	(void)state;
	for (count = 10000; count <= 10001; count++) {
		buf_clear(&text);
		buf_adds(&text, "{" META ",\"rules\":[");
		for (i = 0; i < count; i++)
			buf_addf(&text,
				 "%s\n{\"id\":\"r%zu\",\"title\":\"T\",\"level\":\"low\","
				 "\"event\":\"flow\",\"action\":\"alert\"}",
				 i ? "," : "", i);
		buf_adds(&text, "]}");
		if (count == 10000) {
			assert_int_equal(ruleset_parse(&rules, text.data, text.length, &why), 0);
			assert_int_equal(ruleset_rule(rules, 9999)->line, 10001);
			ruleset_free(rules);
		}
	}
	assert_int_equal(ruleset_parse(&rules, text.data, text.length, &why), -EINVAL);
	assert_non_null(strstr(why.text, "at most 10000"));
}

static void
missing_file_is_named(void **state)
{
	struct ruleset *rules = NULL;
	struct error why = {0};

	(void)state;
	assert_int_equal(ruleset_load(&rules, "/nonexistent/x.json", &why), -ENOENT);
	assert_string_equal(why.file, "/nonexistent/x.json");
	assert_null(rules);
	ruleset_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_mistake_has_its_place),
		cmocka_unit_test(defaults_and_lines),
		cmocka_unit_test(digest_is_of_the_canonical_text),
		cmocka_unit_test(digest_ignores_layout_only),
		cmocka_unit_test(at_most_ten_thousand),
		cmocka_unit_test(missing_file_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
