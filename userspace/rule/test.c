/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test - run the tests that rules carry. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "rule/ruleset.h"

struct runner {
	const struct ruleset *rules;
	void (*report)(const struct rule_test *test, void *arg);
	void *arg;
	const struct rule **hits; /* room for every rule */
	size_t run;
	int failures;
};

static void
assign(struct event *event, const struct assignment *assignment)
{
	const struct value *value = &assignment->value;
	void *member = (char *)event + assignment->field->offset;

	switch (value->type) {
	case FIELD_STRING:
		*(const char **)member = value->text;
		break;
	case FIELD_INT:
		*(int64_t *)member = value->number;
		break;
	case FIELD_BOOL:
		*(bool *)member = value->number != 0;
		break;
	case FIELD_IP:
		*(struct ip *)member = value->ip;
		break;
	case FIELD_SET:
		*(const char *const **)member = value->set;
		break;
	}
}

static void
build(struct event *event, const struct test *test)
{
	size_t i;

	event_init(event, test->type);
	event->wall_ms = test->wall_ms;
	for (i = 0; i < test->count; i++)
		assign(event, &test->assignments[i]);
}

static void
finish(struct runner *runner, struct rule_test *outcome)
{
	runner->run++;
	runner->failures += !outcome->passed;
	if (runner->report)
		runner->report(outcome, runner->arg);
}

static void
run_rule_test(struct runner *runner, const struct entry *entry, const struct test *test)
{
	struct rule_test outcome = {.rule = entry->rule.id, .name = test->name};
	const char *action = rule_action_name(entry->rule.action);
	const char *verdict = rule_verdict_name(entry->rule.verdict);
	struct event event;
	bool matched;

	build(&event, test);
	matched = entry_matches(entry, &event);
	if (matched)
		outcome.passed = !strcmp(test->expect, action) || !strcmp(test->expect, verdict);
	else
		outcome.passed = !strcmp(test->expect, "no match");
	if (matched)
		snprintf(outcome.detail, sizeof(outcome.detail), "expected %s, got %s (%s)",
			 test->expect, action, verdict);
	else
		snprintf(outcome.detail, sizeof(outcome.detail), "expected %s, got no match",
			 test->expect);
	finish(runner, &outcome);
}

static bool
is_hit(const struct runner *runner, size_t count, const char *id)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(runner->hits[i]->id, id) == 0)
			return true;
	return false;
}

static bool
are_expected(const struct runner *runner, size_t count, const struct test *test)
{
	size_t i;

	if (!test->matches)
		return true;
	for (i = 0; i < test->matches_count; i++)
		if (!is_hit(runner, count, test->matches[i]))
			return false;
	return count == test->matches_count;
}

static void
describe(const struct runner *runner, size_t count, const struct test *test, const char *verdict,
	 char *out, size_t room)
{
	struct buf text cleanup(buf_fini) = {0};
	size_t i;

	buf_addf(&text, "expected %s", test->verdict ? test->verdict : "rules");
	for (i = 0; i < test->matches_count; i++)
		buf_addf(&text, " %s", test->matches[i]);
	buf_addf(&text, "; got %s", verdict);
	for (i = 0; i < count; i++)
		buf_addf(&text, " %s", runner->hits[i]->id);
	snprintf(out, room, "%s", buf_text(&text));
}

static void
run_set_test(struct runner *runner, const struct test *test)
{
	struct rule_test outcome = {.rule = runner->rules->info.id, .name = test->name};
	const char *verdict;
	struct event event;
	size_t count;

	build(&event, test);
	count = ruleset_match(runner->rules, &event, runner->hits, runner->rules->info.rules);
	verdict = rule_verdict_name(hits_verdict(runner->hits, count));
	outcome.passed = are_expected(runner, count, test) &&
			 (!test->verdict || !strcmp(test->verdict, verdict));
	describe(runner, count, test, verdict, outcome.detail, sizeof(outcome.detail));
	finish(runner, &outcome);
}

int
ruleset_test(const struct ruleset *rules, void (*report)(const struct rule_test *test, void *arg),
	     void *arg, size_t *run)
{
	const struct rule **hits cleanup(free_drop) = NULL;
	struct runner runner = {.rules = rules, .report = report, .arg = arg};
	size_t i, j;

	hits = calloc(rules->info.rules + 1, sizeof(*hits));
	if (!hits)
		return -ENOMEM;
	runner.hits = hits;
	for (i = 0; i < rules->info.rules; i++)
		for (j = 0; j < rules->entries[i].test_count; j++)
			run_rule_test(&runner, &rules->entries[i], &rules->entries[i].tests[j]);
	for (i = 0; i < rules->test_count; i++)
		run_set_test(&runner, &rules->tests[i]);
	if (run)
		*run = runner.run;
	return runner.failures;
}
