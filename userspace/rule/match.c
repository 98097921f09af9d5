/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* match - which rules an event meets. Pure, and allocates nothing. */
#include <string.h>

#include "rule/ruleset.h"

void
value_read(struct value *value, const struct event *event, const struct field *field)
{
	static const struct ip none;
	const struct ip *ip;

	value->type = field->type;
	switch (field->type) {
	case FIELD_STRING:
		value->text = event_string(event, field);
		value->present = value->text != NULL;
		break;
	case FIELD_INT:
		value->number = event_int(event, field);
		value->present = value->number != ABSENT;
		break;
	case FIELD_BOOL:
		value->number = event_int(event, field) != 0;
		value->present = true;
		break;
	case FIELD_IP:
		ip = event_ip(event, field);
		value->present = ip && memcmp(ip, &none, sizeof(none)) != 0;
		value->ip = ip ? *ip : none;
		break;
	case FIELD_SET:
		value->set = event_set(event, field);
		value->present = value->set != NULL;
		break;
	}
}

static bool
ends_with(const char *text, const char *end, size_t length)
{
	size_t whole = strlen(text);

	return whole >= length && memcmp(text + whole - length, end, length) == 0;
}

bool
condition_holds(const struct condition *condition, const struct value *value)
{
	if (condition->op == RULE_OP_EXISTS)
		return value->present == (condition->number != 0);
	if (!value->present)
		return false;

	switch (condition->op) {
	case RULE_OP_IN:
		return values_has(condition->values, value);
	case RULE_OP_NOT_IN:
		return !values_has(condition->values, value);
	case RULE_OP_PREFIX:
		return strncmp(value->text, condition->text, condition->length) == 0;
	case RULE_OP_SUFFIX:
		return ends_with(value->text, condition->text, condition->length);
	case RULE_OP_GLOB:
		return glob_match(condition->text, value->text);
	case RULE_OP_GT:
		return value->number > condition->number;
	case RULE_OP_LT:
		return value->number < condition->number;
	case RULE_OP_EXISTS:
		break;
	}
	return false;
}

static bool
holds(const struct match *match, const struct event *event)
{
	struct value value;
	size_t i;

	for (i = 0; i < match->count; i++) {
		value_read(&value, event, match->conditions[i].field);
		if (!condition_holds(&match->conditions[i], &value))
			return false;
	}
	return true;
}

static bool
clause_holds(const struct clause *clause, const struct event *event)
{
	size_t i;

	if (!holds(&clause->all, event))
		return false;
	for (i = 0; i < clause->any_count; i++)
		if (holds(&clause->any[i], event))
			return true;
	return clause->any_count == 0;
}

bool
entry_matches(const struct entry *entry, const struct event *event)
{
	size_t i;

	if (!clause_holds(&entry->clause, event))
		return false;
	for (i = 0; i < entry->exception_count; i++)
		if (event->wall_ms < entry->exceptions[i].expires_ms &&
		    clause_holds(&entry->exceptions[i].clause, event))
			return false;
	return true;
}

size_t
ruleset_match(const struct ruleset *rules, const struct event *event, const struct rule **hits,
	      size_t room)
{
	unsigned int kind = event->type->kind;
	size_t i, count = 0;

	if (kind >= WIRE_KIND_MAX)
		return 0;
	for (i = 0; i < rules->by_kind_count[kind]; i++) {
		if (!entry_matches(rules->by_kind[kind][i], event))
			continue;
		if (count < room)
			hits[count] = &rules->by_kind[kind][i]->rule;
		count++;
	}
	return count;
}
