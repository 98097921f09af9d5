/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* parse_rule - one rule and its exceptions. */
#include <errno.h>
#include <string.h>

#include "rule/ruleset.h"

int
parse_event_type(struct parser *parser, const cJSON *object, const struct event_type **out)
{
	const struct event_type *const *types;
	const char *names[WIRE_KIND_MAX], *name = NULL, *near;
	size_t i, count = 0;
	int rc;

	rc = parser_string(parser, object, "event", true, &name);
	if (rc < 0)
		return rc;
	*out = event_type_by_name(name);
	if (*out)
		return 0;
	types = event_types(&count);
	for (i = 0; i < count && i < WIRE_KIND_MAX; i++)
		names[i] = types[i]->name;
	near = nearest_word(name, names, i);
	return parser_error(parser, cJSON_GetObjectItemCaseSensitive(object, "event"),
			    near ? "no event '%.60s'; did you mean '%s'?" : "no event '%.60s'",
			    name, near);
}

static int
parse_exception(struct parser *parser, const cJSON *object, const struct event_type *type,
		struct exception *exception)
{
	static const char *const keys[] = {"id",    "match",   "any_of", "reason",
					   "owner", "expires", NULL};
	const char *unused = NULL;
	const cJSON *expires;
	int rc;

	rc = parser_keys(parser, object, "an exception", keys);
	if (!rc)
		rc = parser_string(parser, object, "id", false, &exception->id);
	if (!rc)
		rc = parser_string(parser, object, "reason", true, &unused);
	if (!rc)
		rc = parser_string(parser, object, "owner", true, &unused);
	if (rc < 0)
		return rc;
	exception->item = object;
	expires = cJSON_GetObjectItemCaseSensitive(object, "expires");
	if (!expires)
		return parser_error(parser, object, "'expires' is missing");
	rc = parser_moment(parser, expires, &exception->expires_ms);
	if (!rc)
		rc = parse_clause(parser, object, type, &exception->clause);
	if (!rc && !exception->clause.all.count && !exception->clause.any_count)
		return parser_error(parser, object,
				    "an exception without 'match' would except everything");
	return rc;
}

static int
parse_exceptions(struct parser *parser, const cJSON *object, struct entry *entry)
{
	const cJSON *array = cJSON_GetObjectItemCaseSensitive(object, "exceptions"), *item;
	struct exception *exceptions;
	int rc;

	if (!array)
		return 0;
	if (!cJSON_IsArray(array))
		return parser_error(parser, array, "'exceptions' must be an array");
	exceptions = parser_keep(parser, (size_t)cJSON_GetArraySize(array), sizeof(*exceptions));
	if (!exceptions)
		return -ENOMEM;
	entry->exceptions = exceptions;
	cJSON_ArrayForEach(item, array)
	{
		rc = parse_exception(parser, item, entry->rule.event,
				     &exceptions[entry->exception_count++]);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* level, action, verdict and status. */
static int
parse_words(struct parser *parser, const cJSON *object, struct rule *rule)
{
	static const char *const levels[] = {"informational", "low",      "medium",
					     "high",          "critical", NULL};
	static const char *const actions[] = {"record", "alert", "deny", NULL};
	static const char *const verdicts[] = {"allowed", "conditional", "unknown", "violation",
					       NULL};
	static const char *const states[] = {"stable", "test", "experimental", "deprecated", NULL};
	int level = -1, action = -1, verdict = -1, state = 0, rc;

	rc = parser_word(parser, object, "level", levels, &level);
	if (!rc)
		rc = parser_word(parser, object, "action", actions, &action);
	if (!rc)
		rc = parser_word(parser, object, "verdict", verdicts, &verdict);
	if (!rc)
		rc = parser_word(parser, object, "status", states, &state);
	if (rc < 0)
		return rc;
	if (level < 0 || action < 0)
		return parser_error(parser, object, "'%s' is missing",
				    level < 0 ? "level" : "action");
	rule->level = (enum rule_level)(level + 1);
	rule->action = (enum rule_action)action;
	rule->status = states[state];
	if (verdict >= 0)
		rule->verdict = (enum rule_verdict)verdict;
	else
		rule->verdict = action == ACTION_RECORD ? VERDICT_ALLOWED : VERDICT_VIOLATION;
	return 0;
}

static int
parse_texts(struct parser *parser, const cJSON *object, struct rule *rule)
{
	int rc;

	rc = parser_string(parser, object, "id", true, &rule->id);
	if (rc < 0)
		return rc;
	if (!is_identifier(rule->id))
		return parser_error(parser, cJSON_GetObjectItemCaseSensitive(object, "id"),
				    "an id has letters, digits, '.', '_' and '-', at most 100");
	rc = parser_string(parser, object, "title", true, &rule->title);
	if (!rc)
		rc = parser_strings(parser, cJSON_GetObjectItemCaseSensitive(object, "tags"),
				    "tags", &rule->tags);
	if (!rc)
		rc = parser_strings(parser, cJSON_GetObjectItemCaseSensitive(object, "references"),
				    "references", &rule->references);
	return rc;
}

int
parse_rule(struct parser *parser, const cJSON *object, struct entry *entry)
{
	static const char *const keys[] = {"id",    "title",      "status",     "level",  "event",
					   "match", "any_of",     "exceptions", "action", "verdict",
					   "tags",  "references", "tests",      "window", NULL};
	const cJSON *window;
	int rc;

	rc = parser_keys(parser, object, "a rule", keys);
	if (rc < 0)
		return rc;
	window = cJSON_GetObjectItemCaseSensitive(object, "window");
	if (window)
		return parser_error(
			parser, window,
			"'window' is reserved: this version has no thresholds over time");
	entry->item = object;
	rc = parse_texts(parser, object, &entry->rule);
	if (!rc)
		rc = parse_words(parser, object, &entry->rule);
	if (!rc)
		rc = parse_event_type(parser, object, &entry->rule.event);
	if (!rc)
		rc = parse_clause(parser, object, entry->rule.event, &entry->clause);
	if (!rc)
		rc = parse_exceptions(parser, object, entry);
	if (!rc)
		rc = parse_rule_tests(parser, cJSON_GetObjectItemCaseSensitive(object, "tests"),
				      entry);
	return rc;
}
