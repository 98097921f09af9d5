/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rule_pack - the shipped pack says exactly one thing about every flow there can be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "rule.h"

#define PACK "rules/eu-residency.json"

static int
load(void **state)
{
	struct ruleset *rules = NULL;
	struct error why = {0};

	if (ruleset_load(&rules, PACK, &why) < 0) {
		print_error("%s:%u:%u: %s\n", why.file, why.line, why.column, why.text);
		return -1;
	}
	*state = rules;
	return 0;
}

static int
unload(void **state)
{
	ruleset_free(*state);
	return 0;
}

static void
print_failure(const struct rule_test *test, void *arg)
{
	(void)arg;
	if (!test->passed)
		print_error("%s: %s: %s\n", test->rule, test->name, test->detail);
}

static void
print_warning(const struct error *warning, void *arg)
{
	(void)arg;
	print_error("%u: %s\n", warning->line, warning->text);
}

static void
its_own_tests_pass(void **state)
{
	size_t run = 0;

	assert_int_equal(ruleset_test(*state, print_failure, NULL, &run), 0);
	assert_true(run > ruleset_info(*state)->rules);
	assert_int_equal(ruleset_warn(*state, 0, print_warning, NULL), 0);
}

static const char *const scopes[] = {
	"public", "private",       "loopback",  "link-local", "metadata",    "cgnat",
	"own",    "documentation", "multicast", "broadcast",  "unspecified", "reserved",
};
static const char *const roles[] = {"client", "server", "unknown"};
static const char *const witnesses[] = {"gate", "nic", "forwarded"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const eu[] = {"eu", "eea", NULL};
static const char *const eea[] = {"eea", NULL};
static const char *const bridged[] = {"bridged", NULL};
static const char *const adequate[] = {"adequate", NULL};
static const char *const some[] = {"adequate_conditional", NULL};
static const char *const both[] = {"adequate", "adequate_conditional", NULL};
static const char *const joined[] = {"adequate", "eu", "eea", NULL};
static const char *const other[] = {"mercosur", NULL};
static const char *const empty[] = {NULL};

enum class { INSIDE, ADEQUATE, SOME, NOT_ACCEPTED, OUTSIDE, NOWHERE };

static const struct {
	const char *country;
	const char *const *law;
	enum class class;
} locations[] = {
	{"DE", eu, INSIDE},     {"NO", eea, INSIDE},        {"GB", bridged, INSIDE},
	{"HU", joined, INSIDE}, {"CH", adequate, ADEQUATE}, {"US", some, SOME},
	{"CA", both, SOME},     {"XK", some, NOT_ACCEPTED}, {"CN", NULL, OUTSIDE},
	{"RU", empty, OUTSIDE}, {"PY", other, OUTSIDE},     {NULL, NULL, NOWHERE},
};

static const char *
expected(const char *scope, bool serves, enum class class, bool *alert)
{
	*alert = false;
	if (strcmp(scope, "public"))
		return "allowed";
	if (class == INSIDE || class == ADEQUATE)
		return "allowed";
	if (class == NOWHERE) {
		*alert = !serves;
		return "unknown";
	}
	if (serves || class == SOME)
		return "conditional";
	*alert = true;
	return "violation";
}

static void
check(const struct ruleset *rules, struct event *event, enum class class)
{
	const struct rule *hits[RULE_HITS] = {NULL};
	const char *scope = event->dst_place.scope, *want;
	bool serves =
		event->role && !strcmp(event->role, "server") && strcmp(event->witness, "nic");
	size_t count = ruleset_match(rules, event, hits, RULE_HITS);
	bool alert;

	want = expected(scope, serves, class, &alert);
	if (count != 1 || strcmp(rule_verdict_name(hits[0]->verdict), want) ||
	    (hits[0]->action != ACTION_RECORD) != alert)
		fail_msg("%s %s %s %s: %zu hits, first %s, expected %s", scope, event->role,
			 event->witness,
			 event->dst_place.location ? event->dst_place.location : "nowhere", count,
			 count ? hits[0]->id : "none", want);
	if (!strcmp(scope, "metadata"))
		assert_string_equal(hits[0]->id, "local.metadata-service");
	if (serves && !strcmp(scope, "public"))
		assert_memory_equal(hits[0]->id, "answer.", 7);
}

static void
every_flow_has_one_verdict(void **state)
{
	struct event event;
	size_t scope, role, witness, at;

	for (scope = 0; scope < COUNT(scopes); scope++)
		for (role = 0; role < COUNT(roles); role++)
			for (witness = 0; witness < COUNT(witnesses); witness++)
				for (at = 0; at < COUNT(locations); at++) {
					event_init(&event, &event_flow);
					event.role = roles[role];
					event.witness = witnesses[witness];
					event.dst_place.scope = scopes[scope];
					event.dst_place.location = locations[at].country;
					event.dst_place.location_law = locations[at].law;
					check(*state, &event, locations[at].class);
				}
}

static void
every_attempt_has_one_verdict(void **state)
{
	const struct rule *hits[RULE_HITS];
	struct event event;
	size_t scope, at;

	for (scope = 0; scope < COUNT(scopes); scope++)
		for (at = 0; at < COUNT(locations); at++) {
			event_init(&event, &event_connect);
			event.dst_place.scope = scopes[scope];
			event.dst_place.location = locations[at].country;
			event.dst_place.location_law = locations[at].law;
			if (ruleset_match(*state, &event, hits, RULE_HITS) != 1)
				fail_msg("%s %s", scopes[scope], locations[at].country);
			assert_int_equal(hits[0]->action, ACTION_RECORD);
		}
}

/* What no table knows is not allowed by accident. */
static void
a_new_scope_is_unknown(void **state)
{
	const struct rule *hits[RULE_HITS];
	struct event event;

	event_init(&event, &event_flow);
	event.role = "client";
	event.witness = "gate";
	event.dst_place.scope = "lunar";
	assert_int_equal(hits_verdict(hits, ruleset_match(*state, &event, hits, RULE_HITS)),
			 VERDICT_UNKNOWN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_own_tests_pass),
		cmocka_unit_test(every_flow_has_one_verdict),
		cmocka_unit_test(every_attempt_has_one_verdict),
		cmocka_unit_test(a_new_scope_is_unknown),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
