/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rule_recall - hits that are remembered are the hits that the rules give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rule.h"

#define HEAD                  "\"title\":\"T\",\"level\":\"low\",\"action\":\"record\","
#define RULE(id, event, rest) "{\"id\":\"" id "\"," HEAD "\"event\":\"" event "\"," rest "}"

/* clang-format off */
static const char text[] =
	"{\"metadata\":{\"id\":\"t\",\"version\":\"1\",\"jurisdiction\":\"EU\"},\"rules\":["
	RULE("scope", "flow", "\"match\":{\"dst.scope\":\"public\"}") ","
	RULE("law", "flow", "\"match\":{\"dst.location_law\":{\"in\":[\"eu\",\"eea\"]}}") ","
	RULE("lawless", "flow", "\"match\":{\"dst.location_law\":{\"exists\":false}}") ","
	RULE("not", "flow", "\"match\":{\"dst.location_law\":{\"not_in\":[\"eu\"]}}") ","
	RULE("exe", "flow", "\"match\":{\"process.exe\":{\"suffix\":\"curl\"}}") ","
	RULE("port", "flow", "\"match\":{\"dst.port\":{\"gt\":400}}") ","
	RULE("net", "flow", "\"match\":{\"dst.ip\":{\"cidr\":\"192.0.2.0/25\"}}") ","
	RULE("until", "flow", "\"match\":{\"dst.port\":{\"lt\":500}},\"exceptions\":["
		"{\"reason\":\"r\",\"owner\":\"o\",\"expires\":\"2026-11-18\",\"match\":{\"role\":\"client\"}},"
		"{\"reason\":\"r\",\"owner\":\"o\",\"expires\":\"2026-11-20\",\"match\":{\"role\":\"server\"}}]") ","
	RULE("other", "connect", "\"match\":{\"dst.port\":443}") "]}";
/* clang-format on */

static void
set_up(struct ruleset **rules, struct recall **recall)
{
	struct error why = {0};

	if (ruleset_parse(rules, text, strlen(text), &why) < 0)
		fail_msg("%u:%u: %s", why.line, why.column, why.text);
	assert_int_equal(recall_new(recall, *rules), 0);
}

#define PICK(list) (list)[(size_t)rand() % (sizeof(list) / sizeof((list)[0]))]

/* One of few values for each field that a rule names, and anything for those that none names. */
static void
fill(struct event *event)
{
	static const char *const both[] = {"eu", "eea", NULL}, *const one[] = {"eea", NULL};
	static const char *const none[] = {NULL}, *const joined[] = {"eueea", NULL};
	static const char *const *const laws[] = {NULL, both, one, none, joined};
	static const char *const scopes[] = {NULL, "public", "private", ""};
	static const char *const roles[] = {NULL, "client", "server"};
	static const int64_t ports[] = {ABSENT, 22, 443, 8443};
	static const int64_t days[] = {20773, 20775, 20777}; /* 2026-11-17, -19, -21 */
	static char deep[400];
	const char *const exes[] = {NULL, "/usr/bin/curl", "/bin/sh", deep};

	memset(deep, 'x', sizeof(deep) - 6);
	strcpy(deep + sizeof(deep) - 6, "/curl");
	event_init(event, rand() % 8 ? &event_flow : &event_connect);
	event->wall_ms = PICK(days) * 86400000;
	event->dst = ip_from_v4(0xc0000200u + (uint32_t)(rand() % 2) * 128);
	event->dst_port = PICK(ports);
	event->role = PICK(roles);
	event->process.exe = PICK(exes);
	event->process.pid = rand();
	event->dst_place.scope = PICK(scopes);
	event->dst_place.location_law = PICK(laws);
}

static void
test_same_as_asked(void **state)
{
	const struct rule *asked[RULE_HITS], *recalled[RULE_HITS];
	struct ruleset *rules;
	struct recall *recall;
	size_t seen[RULE_HITS] = {0};

	(void)state;
	set_up(&rules, &recall);
	for (int i = 0; i < 200000; i++) {
		struct event event;
		size_t count;

		fill(&event);
		count = ruleset_match(rules, &event, asked, RULE_HITS);
		assert_int_equal(recall_match(recall, &event, recalled, RULE_HITS), count);
		assert_memory_equal(asked, recalled, count * sizeof(asked[0]));
		seen[count]++;
	}
	for (size_t i = 0; i <= 6; i++)
		assert_true(seen[i] > 0); /* more than a slot holds, too */
	recall_free(recall);
	ruleset_free(rules);
}

static void
test_little_room(void **state)
{
	const struct rule *hits[2] = {NULL, NULL};
	struct ruleset *rules;
	struct recall *recall;
	struct event event;

	(void)state;
	set_up(&rules, &recall);
	event_init(&event, &event_flow);
	event.dst_port = 443;
	event.dst_place.scope = "public";
	for (int i = 0; i < 3; i++) {
		assert_true(recall_match(recall, &event, hits, 1) > 1);
		assert_string_equal(hits[0]->id, "scope");
		assert_null(hits[1]);
	}
	recall_free(recall);
	ruleset_free(rules);
}

static void
test_free_takes_null(void **state)
{
	(void)state;
	recall_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_as_asked),
		cmocka_unit_test(test_little_room),
		cmocka_unit_test(test_free_takes_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
