/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rule_match - which events a match takes, and what the hits say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "rule.h"

#define META "\"metadata\":{\"id\":\"t\",\"version\":\"1\",\"jurisdiction\":\"EU\"}"
#define HEAD "\"title\":\"T\",\"level\":\"low\",\"event\":\"flow\","
#define LISTS                                                                         \
	"\"lists\":{\"ports\":[80,443],\"eea\":[\"DE\",\"FR\"],\"nets\":[\"10.0.0.0/" \
	"8\",\"10.1.0.0/16\",\"2001:db8::/32\",\"192.0.2.1\"]},"

static struct ruleset *
parse(const char *text)
{
	struct ruleset *rules = NULL;
	struct error why = {0};

	if (ruleset_parse(&rules, text, strlen(text), &why) < 0)
		fail_msg("%s\n%u:%u: %s", text, why.line, why.column, why.text);
	return rules;
}

static struct ip
ip(const char *text)
{
	struct ip out;

	assert_int_equal(ip_parse(&out, text), 0);
	return out;
}

/* A client in a container that talks to port 443 in Germany; bytes is not known. */
static void
fill(struct event *event)
{
	static const char *const law[] = {"eu", "eea", NULL};
	static const char *const none[] = {NULL};

	event_init(event, &event_flow);
	event->wall_ms = INT64_C(1795000000000); /* 2026-11-18 */
	event->dst = ip("10.1.2.3");
	event->dst_port = 443;
	event->protocol = 6;
	event->role = "client";
	event->witness = "gate";
	event->process.exe = "/usr/bin/curl";
	event->dst_place.scope = "public";
	event->dst_place.location = "DE";
	event->dst_place.location_law = law;
	event->dst_place.operator_law = none;
}

static const struct {
	const char *rule; /* its match and so on */
	bool matches;
} cases[] = {
	{"\"match\":{}", true},
	{"\"match\":{\"dst.port\":443}", true},
	{"\"match\":{\"dst.port\":{\"eq\":442}}", false},
	{"\"match\":{\"dst.port\":{\"ne\":442}}", true},
	{"\"match\":{\"dst.port\":{\"ne\":443}}", false},
	{"\"match\":{\"dst.port\":{\"in\":\"@ports\"}}", true},
	{"\"match\":{\"dst.port\":{\"not_in\":\"@ports\"}}", false},
	{"\"match\":{\"dst.port\":{\"in\":[1,2,442,444]}}", false},
	{"\"match\":{\"dst.port\":{\"gt\":442}}", true},
	{"\"match\":{\"dst.port\":{\"gt\":443}}", false},
	{"\"match\":{\"dst.port\":{\"lt\":444}}", true},
	{"\"match\":{\"dst.port\":{\"lt\":443}}", false},
	{"\"match\":{\"dst.port\":{\"gt\":400,\"lt\":500,\"ne\":443}}", false},
	{"\"match\":{\"dst.port\":443,\"role\":\"server\"}", false},

	{"\"match\":{\"process.exe\":\"/usr/bin/curl\"}", true},
	{"\"match\":{\"process.exe\":{\"prefix\":\"/usr/bin/\"}}", true},
	{"\"match\":{\"process.exe\":{\"prefix\":\"/usr/bin/curls\"}}", false},
	{"\"match\":{\"process.exe\":{\"suffix\":\"/curl\"}}", true},
	{"\"match\":{\"process.exe\":{\"suffix\":\"x/usr/bin/curl\"}}", false},
	{"\"match\":{\"process.exe\":{\"glob\":\"/usr/*/c?rl\"}}", true},
	{"\"match\":{\"process.exe\":{\"glob\":\"/usr/*/w*\"}}", false},
	{"\"match\":{\"dst.location_country\":{\"in\":\"@eea\"}}", true},
	{"\"match\":{\"dst.location_country\":{\"not_in\":\"@eea\"}}", false},

	{"\"match\":{\"dst.ip\":\"10.1.2.3\"}", true},
	{"\"match\":{\"dst.ip\":\"::ffff:10.1.2.3\"}", true},
	{"\"match\":{\"dst.ip\":{\"ne\":\"10.1.2.3\"}}", false},
	{"\"match\":{\"dst.ip\":{\"in\":[\"10.1.2.2\",\"10.1.2.4\"]}}", false},
	{"\"match\":{\"dst.ip\":{\"cidr\":\"10.0.0.0/8\"}}", true},
	{"\"match\":{\"dst.ip\":{\"cidr\":\"@nets\"}}", true},
	{"\"match\":{\"dst.ip\":{\"not_cidr\":\"@nets\"}}", false},
	{"\"match\":{\"dst.ip\":{\"cidr\":[\"10.1.2.0/31\",\"10.1.2.4/30\"]}}", false},
	{"\"match\":{\"dst.ip\":{\"cidr\":\"::/0\"}}", true},

	/* sets: any of, none of */
	{"\"match\":{\"dst.location_law\":\"eea\"}", true},
	{"\"match\":{\"dst.location_law\":{\"in\":[\"adequate\",\"eu\"]}}", true},
	{"\"match\":{\"dst.location_law\":{\"not_in\":[\"adequate\",\"eu\"]}}", false},
	{"\"match\":{\"dst.location_law\":{\"not_in\":[\"adequate\"]}}", true},
	{"\"match\":{\"dst.location_law\":{\"ne\":\"eu\"}}", false},
	{"\"match\":{\"dst.operator_law\":{\"in\":[\"eu\"]}}", false},
	{"\"match\":{\"dst.operator_law\":{\"not_in\":[\"eu\"]}}", true},
	{"\"match\":{\"dst.operator_law\":{\"exists\":true}}", true},

	/* absent fields match nothing but exists: false */
	{"\"match\":{\"bytes\":{\"exists\":false}}", true},
	{"\"match\":{\"bytes\":{\"exists\":true}}", false},
	{"\"match\":{\"bytes\":{\"ne\":1}}", false},
	{"\"match\":{\"bytes\":{\"not_in\":[1]}}", false},
	{"\"match\":{\"bytes\":{\"lt\":1}}", false},
	{"\"match\":{\"requested.ip\":{\"exists\":false}}", true},
	{"\"match\":{\"requested.ip\":{\"not_cidr\":\"10.0.0.0/8\"}}", false},
	{"\"match\":{\"requested.ip\":{\"cidr\":\"::/0\"}}", false},
	{"\"match\":{\"process.user\":{\"ne\":\"root\"}}", false},
	{"\"match\":{\"process.user\":{\"glob\":\"*\"}}", false},
	{"\"match\":{\"dst.ip\":{\"exists\":true},\"process.exe\":{\"exists\":true}}", true},

	{"\"any_of\":[{\"dst.port\":1},{\"dst.port\":443}]", true},
	{"\"any_of\":[{\"dst.port\":1},{\"dst.port\":2}]", false},
	{"\"match\":{\"role\":\"server\"},\"any_of\":[{\"dst.port\":443}]", false},

	/* exceptions, at 2026-11-18 */
	{"\"match\":{\"role\":\"client\"},\"exceptions\":[{\"match\":{\"dst.port\":443},"
	 "\"reason\":\"r\",\"owner\":\"o\",\"expires\":\"2026-11-19\"}]",
	 false},
	{"\"match\":{\"role\":\"client\"},\"exceptions\":[{\"match\":{\"dst.port\":443},"
	 "\"reason\":\"r\",\"owner\":\"o\",\"expires\":\"2026-11-18\"}]",
	 true},
	{"\"exceptions\":[{\"match\":{\"dst.port\":22},\"any_of\":[{\"role\":\"client\"}],"
	 "\"reason\":\"r\",\"owner\":\"o\",\"expires\":\"2099-01-01\"}]",
	 true},
};

static void
each_matches_as_told(void **state)
{
	char text[1024];
	struct event event;
	size_t i;

	(void)state;
	fill(&event);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct rule *hit = NULL;
		struct ruleset *rules;
		size_t count;

		snprintf(text, sizeof(text),
			 "{" META "," LISTS "\"rules\":[{\"id\":\"r\"," HEAD
			 "\"action\":\"alert\",%s}]}",
			 cases[i].rule);
		rules = parse(text);
		count = ruleset_match(rules, &event, &hit, 1);
		if (count != cases[i].matches)
			fail_msg("%s: %zu hits", cases[i].rule, count);
		assert_ptr_equal(hit, count ? ruleset_rule(rules, 0) : NULL);
		ruleset_free(rules);
	}
}

#define GLOB(pattern, exe)         \
	{                          \
		pattern, exe, true \
	}
#define NO_GLOB(pattern, exe)       \
	{                           \
		pattern, exe, false \
	}

static void
globs(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} globs[] = {
		GLOB("*", "a"),
		GLOB("a*b*c", "aXbYbZc"),
		NO_GLOB("a*b*c", "aXbYbZ"),
		GLOB("[a-c]x", "bx"),
		NO_GLOB("[a-c]x", "dx"),
		GLOB("[!a-c]x", "dx"),
		GLOB("[]]x", "]x"),
		GLOB("[a-]x", "-x"),
		GLOB("\\\\*", "*"),
		NO_GLOB("\\\\*", "a"),
		NO_GLOB("?", "ab"),
		NO_GLOB("a", "ab"),
		NO_GLOB("ab", "a"),
		/* would take for ever if each star were tried again */
		NO_GLOB("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b",
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
	};
	const struct rule *hit;
	struct event event;
	char text[512];
	size_t i;

	(void)state;
	event_init(&event, &event_flow);
	for (i = 0; i < sizeof(globs) / sizeof(globs[0]); i++) {
		struct ruleset *rules;

		snprintf(text, sizeof(text),
			 "{" META ",\"rules\":[{\"id\":\"r\"," HEAD
			 "\"action\":\"alert\",\"match\":{\"process.exe\":{\"glob\":\"%s\"}}}]}",
			 globs[i].pattern);
		rules = parse(text);
		event.process.exe = globs[i].text;
		if (ruleset_match(rules, &event, &hit, 1) != globs[i].matches)
			fail_msg("%s against %s", globs[i].pattern, globs[i].text);
		ruleset_free(rules);
	}
}

static const char several[] =
	"{" META ",\"rules\":["
	"{\"id\":\"a\"," HEAD "\"action\":\"record\"},"
	"{\"id\":\"g\",\"title\":\"G\",\"level\":\"low\",\"event\":\"gap\",\"action\":\"alert\"},"
	"{\"id\":\"b\"," HEAD "\"action\":\"alert\",\"tags\":[\"x\"]},"
	"{\"id\":\"c\"," HEAD "\"action\":\"record\",\"verdict\":\"unknown\"}]}";

static void
all_hits_in_file_order(void **state)
{
	struct ruleset *rules = parse(several);
	const struct rule *hits[3] = {NULL};
	struct event event;

	(void)state;
	fill(&event);
	assert_int_equal(ruleset_match(rules, &event, hits, 2), 3);
	assert_string_equal(hits[0]->id, "a");
	assert_string_equal(hits[1]->id, "b");
	assert_null(hits[2]);
	assert_int_equal(ruleset_match(rules, &event, hits, 3), 3);
	assert_int_equal(ruleset_match(rules, &event, NULL, 0), 3);
	assert_int_equal(hits_verdict(hits, 3), VERDICT_VIOLATION);
	assert_int_equal(hits_verdict(hits, 1), VERDICT_ALLOWED);
	assert_int_equal(hits_verdict(hits + 2, 1), VERDICT_UNKNOWN);
	assert_int_equal(hits_verdict(hits, 0), VERDICT_UNKNOWN);
	event_init(&event, &event_exec);
	assert_int_equal(ruleset_match(rules, &event, hits, 3), 0);
	ruleset_free(rules);
}

static void
judgement_says_all(void **state)
{
	struct ruleset *rules = parse(several);
	struct event event;

	(void)state;
	fill(&event);
	judgement_fill(&event, rules, ruleset_rule(rules, 2), VERDICT_VIOLATION);
	assert_string_equal(event.judgement.rule, "b");
	assert_string_equal(event.judgement.verdict, "violation");
	assert_string_equal(event.judgement.level, "low");
	assert_int_equal(event.judgement.severity, 2);
	assert_true(event.judgement.alert);
	assert_string_equal(event.judgement.tags[0], "x");
	assert_string_equal(event.judgement.policy, "t");
	assert_string_equal(event.judgement.policy_digest, ruleset_info(rules)->digest);
	assert_true(event.judgement.count == ABSENT);

	judgement_fill(&event, rules, NULL, VERDICT_UNKNOWN);
	assert_null(event.judgement.rule);
	assert_string_equal(event.judgement.verdict, "unknown");
	assert_false(event.judgement.alert);
	ruleset_free(rules);
}

/* Sorted lists of 10,000: every member is found, and nothing between them. */
static void
long_lists(void **state)
{
	struct buf text cleanup(buf_fini) = {0};
	const struct rule *hit;
	struct ruleset *rules;
	struct event event;
	uint32_t i;

	(void)state;
	buf_adds(&text, "{" META ",\"lists\":{\"n\":[");
	for (i = 0; i < 10000; i++)
		buf_addf(&text, "%s\"%u.%u.%u.0/25\"", i ? "," : "", 10 + (i * 7919 % 10000) / 2500,
			 (i * 7919 % 10000) / 250 % 10, (i * 7919 % 10000) % 250);
	buf_adds(&text, "]},\"rules\":[{\"id\":\"r\"," HEAD "\"action\":\"alert\","
			"\"match\":{\"dst.ip\":{\"cidr\":\"@n\"}}}]}");
	rules = parse(buf_text(&text));
	event_init(&event, &event_flow);
	for (i = 0; i < 10000; i++) {
		uint32_t base = (10 + i / 2500) << 24 | (i / 250 % 10) << 16 | (i % 250) << 8;

		event.dst = ip_from_v4(base + 127);
		assert_int_equal(ruleset_match(rules, &event, &hit, 1), 1);
		event.dst = ip_from_v4(base + 128);
		assert_int_equal(ruleset_match(rules, &event, &hit, 1), 0);
	}
	ruleset_free(rules);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_matches_as_told),
		cmocka_unit_test(globs),
		cmocka_unit_test(all_hits_in_file_order),
		cmocka_unit_test(judgement_says_all),
		cmocka_unit_test(long_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
