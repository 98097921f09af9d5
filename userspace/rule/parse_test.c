/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* parse_test - the tests that rules carry: events built by hand, and what must come out. */
#include <errno.h>
#include <string.h>

#include "rule/ruleset.h"

static int
parse_value(struct parser *parser, const cJSON *item, const struct field *field,
	    struct assignment *assignment)
{
	struct value *value = &assignment->value;
	const char *const *set = NULL;
	int rc;

	assignment->field = field;
	value->type = field->type;
	value->present = true;
	switch (field->type) {
	case FIELD_STRING:
		if (!cJSON_IsString(item))
			return parser_error(parser, item, "'%s' takes a string", field->name);
		value->text = item->valuestring;
		return 0;
	case FIELD_INT:
		if (!is_whole(item, &value->number))
			return parser_error(parser, item, "'%s' takes a whole number", field->name);
		return 0;
	case FIELD_BOOL:
		if (!cJSON_IsBool(item))
			return parser_error(parser, item, "'%s' takes true or false", field->name);
		value->number = cJSON_IsTrue(item);
		return 0;
	case FIELD_IP:
		if (!cJSON_IsString(item) || ip_parse(&value->ip, item->valuestring) < 0)
			return parser_error(parser, item, "'%s' takes an address", field->name);
		return 0;
	case FIELD_SET:
		rc = parser_strings(parser, item, field->name, &set);
		value->set = set;
		return rc;
	}
	return -EINVAL;
}

/* An event's fields; "time" is its wall time. */
static int
parse_event(struct parser *parser, const cJSON *object, struct test *test)
{
	struct assignment *assignments;
	const struct field *field = NULL;
	const cJSON *item;
	int rc;

	if (!cJSON_IsObject(object))
		return parser_error(parser, object, "must be an object of fields");
	assignments = parser_keep(parser, (size_t)cJSON_GetArraySize(object), sizeof(*assignments));
	if (!assignments)
		return -ENOMEM;
	test->assignments = assignments;
	cJSON_ArrayForEach(item, object)
	{
		if (strcmp(item->string, "time") == 0) {
			rc = parser_moment(parser, item, &test->wall_ms);
		} else {
			rc = parse_field(parser, item, test->type, &field);
			if (!rc)
				rc = parse_value(parser, item, field, &assignments[test->count++]);
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int
parse_rule_test(struct parser *parser, const cJSON *object, struct test *test)
{
	static const char *const keys[] = {"name", "event", "expect", NULL};
	static const char *const words[] = {"alert",    "record",    "deny",
					    "no match", "allowed",   "conditional",
					    "unknown",  "violation", NULL};
	const cJSON *event;
	int word = -1, rc;

	rc = parser_keys(parser, object, "a test", keys);
	if (!rc)
		rc = parser_string(parser, object, "name", true, &test->name);
	if (!rc)
		rc = parser_word(parser, object, "expect", words, &word);
	if (rc < 0)
		return rc;
	event = cJSON_GetObjectItemCaseSensitive(object, "event");
	if (word < 0 || !event)
		return parser_error(parser, object, "'%s' is missing", event ? "expect" : "event");
	test->expect = words[word];
	return parse_event(parser, event, test);
}

int
parse_rule_tests(struct parser *parser, const cJSON *array, struct entry *entry)
{
	const cJSON *item;
	struct test *tests;
	int rc;

	if (!array)
		return 0;
	if (!cJSON_IsArray(array))
		return parser_error(parser, array, "'tests' must be an array");
	tests = parser_keep(parser, (size_t)cJSON_GetArraySize(array), sizeof(*tests));
	if (!tests)
		return -ENOMEM;
	entry->tests = tests;
	cJSON_ArrayForEach(item, array)
	{
		tests[entry->test_count].type = entry->rule.event;
		rc = parse_rule_test(parser, item, &tests[entry->test_count++]);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int
check_id(struct parser *parser, const cJSON *item)
{
	const struct ruleset *rules = parser->rules;
	const char **ids, *near;
	size_t i;

	ids = parser_keep(parser, rules->info.rules, sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	for (i = 0; i < rules->info.rules; i++) {
		ids[i] = rules->entries[i].rule.id;
		if (strcmp(item->valuestring, ids[i]) == 0)
			return 0;
	}
	near = nearest_word(item->valuestring, ids, rules->info.rules);
	return parser_error(parser, item,
			    near ? "no rule '%.60s'; did you mean '%s'?" : "no rule '%.60s'",
			    item->valuestring, near);
}

static int
parse_expect(struct parser *parser, const cJSON *object, struct test *test)
{
	static const char *const keys[] = {"verdict", "rules", NULL};
	static const char *const words[] = {"allowed", "conditional", "unknown", "violation", NULL};
	const cJSON *ids = cJSON_GetObjectItemCaseSensitive(object, "rules"), *item;
	int word = -1, rc;

	rc = parser_keys(parser, object, "'expect'", keys);
	if (!rc)
		rc = parser_word(parser, object, "verdict", words, &word);
	if (rc < 0)
		return rc;
	if (word < 0 && !ids)
		return parser_error(parser, object, "'expect' needs 'verdict' or 'rules'");
	test->verdict = word < 0 ? NULL : words[word];
	if (!ids)
		return 0;
	rc = parser_strings(parser, ids, "rules", &test->matches);
	cJSON_ArrayForEach(item, ids)
	{
		test->matches_count++;
		if (!rc)
			rc = check_id(parser, item);
	}
	return rc;
}

static int
parse_set_test(struct parser *parser, const cJSON *object, struct test *test)
{
	static const char *const keys[] = {"name", "event", "fields", "expect", NULL};
	const cJSON *fields, *expect;
	int rc;

	rc = parser_keys(parser, object, "a test", keys);
	if (!rc)
		rc = parser_string(parser, object, "name", true, &test->name);
	if (!rc)
		rc = parse_event_type(parser, object, &test->type);
	if (rc < 0)
		return rc;
	fields = cJSON_GetObjectItemCaseSensitive(object, "fields");
	expect = cJSON_GetObjectItemCaseSensitive(object, "expect");
	if (!fields || !expect)
		return parser_error(parser, object, "'%s' is missing",
				    fields ? "expect" : "fields");
	rc = parse_event(parser, fields, test);
	return rc < 0 ? rc : parse_expect(parser, expect, test);
}

int
parse_set_tests(struct parser *parser, const cJSON *array)
{
	struct ruleset *rules = parser->rules;
	const cJSON *item;
	struct test *tests;
	int rc;

	if (!array)
		return 0;
	if (!cJSON_IsArray(array))
		return parser_error(parser, array, "'tests' must be an array");
	tests = parser_keep(parser, (size_t)cJSON_GetArraySize(array), sizeof(*tests));
	if (!tests)
		return -ENOMEM;
	rules->tests = tests;
	cJSON_ArrayForEach(item, array)
	{
		rc = parse_set_test(parser, item, &tests[rules->test_count++]);
		if (rc < 0)
			return rc;
	}
	return 0;
}
