/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* warn - what a rule set may say but probably does not mean. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "rule/ruleset.h"

struct warner {
	const struct ruleset *rules;
	void (*warn)(const struct error *warning, void *arg);
	void *arg;
	size_t count;
};

__attribute__((format(printf, 3, 4))) static void
say(struct warner *warner, const cJSON *item, const char *format, ...)
{
	struct error warning = {0};
	va_list arguments;

	memcpy(warning.file, warner->rules->file, sizeof(warning.file));
	jsonc_locate(&warner->rules->doc, item, &warning.line, &warning.column);
	va_start(arguments, format);
	vsnprintf(warning.text, sizeof(warning.text), format, arguments);
	va_end(arguments);
	warner->count++;
	if (warner->warn)
		warner->warn(&warning, warner->arg);
}

/* Two matches whose conditions must hold together; the second may be empty. */
struct pair {
	const struct match *matches[2];
};

static const struct condition *
pair_at(const struct pair *pair, size_t index)
{
	if (index < pair->matches[0]->count)
		return &pair->matches[0]->conditions[index];
	return &pair->matches[1]->conditions[index - pair->matches[0]->count];
}

static size_t
pair_count(const struct pair *pair)
{
	return pair->matches[0]->count + pair->matches[1]->count;
}

static bool
takes(const struct pair *pair, const struct field *field, const struct value *value)
{
	size_t i;

	for (i = 0; i < pair_count(pair); i++)
		if (pair_at(pair, i)->field == field && !condition_holds(pair_at(pair, i), value))
			return false;
	return true;
}

/*
 * Is there a value that meets every condition on this condition's field? Only
 * answered where the values can be counted (a list of texts or numbers) or the
 * contradiction is plain (exists: false beside anything else); else true.
 */
static bool
can_hold(const struct pair *pair, const struct condition *condition)
{
	const struct field *field = condition->field;
	struct value value = {.type = field->type};
	size_t i;

	if (condition->op == RULE_OP_EXISTS && !condition->number)
		return takes(pair, field, &value);
	if (condition->op != RULE_OP_IN || field->type == FIELD_SET || field->type == FIELD_IP)
		return true;
	for (i = 0; i < condition->values->count; i++) {
		values_at(condition->values, i, &value);
		if (takes(pair, field, &value))
			return true;
	}
	return false;
}

/* gt 10 and lt 11 leave nothing between them. */
static bool
is_empty_range(const struct pair *pair, const struct condition *low)
{
	size_t i;

	if (low->op != RULE_OP_GT)
		return false;
	for (i = 0; i < pair_count(pair); i++) {
		const struct condition *high = pair_at(pair, i);

		if (high->field == low->field && high->op == RULE_OP_LT &&
		    high->number <= low->number + 1)
			return true;
	}
	return false;
}

/* The first condition that cannot be met beside the others, or NULL. */
static const struct condition *
contradiction(const struct pair *pair)
{
	size_t i;

	for (i = 0; i < pair_count(pair); i++)
		if (!can_hold(pair, pair_at(pair, i)) || is_empty_range(pair, pair_at(pair, i)))
			return pair_at(pair, i);
	return NULL;
}

static void
warn_contradictions(struct warner *warner, const char *what, const char *id,
		    const struct clause *clause)
{
	static const struct match nothing;
	struct pair pair = {{&clause->all, &nothing}};
	const struct condition *condition = contradiction(&pair);
	size_t i;

	if (condition) {
		say(warner, condition->item,
		    "%s '%s' can never match: no '%s' meets all its conditions", what, id,
		    condition->field->name);
		return;
	}
	for (i = 0; i < clause->any_count; i++) {
		pair.matches[1] = &clause->any[i];
		condition = contradiction(&pair);
		if (condition)
			say(warner, clause->any[i].item,
			    "this alternative of %s '%s' can never match: no '%s' meets all "
			    "its conditions",
			    what, id, condition->field->name);
	}
}

static void
warn_rule(struct warner *warner, const struct entry *entry, int64_t now_ms)
{
	const struct exception *exception;
	const char *id = entry->rule.id;
	size_t i;

	if (strcmp(entry->rule.status, "deprecated") == 0)
		say(warner, entry->item, "rule '%s' is deprecated", id);
	if (entry->rule.action == ACTION_DENY)
		say(warner, entry->item,
		    "rule '%s' denies: this version reports and blocks nothing", id);
	warn_contradictions(warner, "rule", id, &entry->clause);
	for (i = 0; i < entry->exception_count; i++) {
		exception = &entry->exceptions[i];
		if (exception->expires_ms <= now_ms)
			say(warner, exception->item,
			    "an exception of rule '%s' has expired and excepts nothing", id);
		warn_contradictions(warner, "an exception of rule", id, &exception->clause);
	}
}

/* What a rule looks at, in one spelling. */
struct spelling {
	char *text;
	const struct entry *entry;
};

static int
by_spelling(const void *a, const void *b)
{
	const struct spelling *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order ? order : (x->entry > y->entry) - (x->entry < y->entry);
}

static void
spell(struct buf *out, const struct entry *entry)
{
	static const char *const keys[] = {"match", "any_of", "exceptions"};
	const cJSON *item;
	size_t i;

	buf_adds(out, entry->rule.event->name);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		item = cJSON_GetObjectItemCaseSensitive(entry->item, keys[i]);
		buf_addc(out, ' ');
		if (item && item->child)
			canonical_write(out, item);
	}
}

static void
warn_same(struct warner *warner, struct spelling *spellings, size_t count)
{
	const struct entry *first, *second;
	size_t i;

	qsort(spellings, count, sizeof(*spellings), by_spelling);
	for (i = 1; i < count; i++) {
		if (strcmp(spellings[i].text, spellings[i - 1].text))
			continue;
		first = spellings[i - 1].entry;
		second = spellings[i].entry;
		say(warner, second->item,
		    "rule '%s' matches exactly what rule '%s' on line %u matches", second->rule.id,
		    first->rule.id, first->rule.line);
	}
}

/* Without memory for the spellings this one warning is left out: the set works as it is. */
static void
warn_repeats(struct warner *warner)
{
	const struct ruleset *rules = warner->rules;
	struct spelling *spellings cleanup(free_drop) = NULL;
	size_t i, count = 0;

	spellings = calloc(rules->info.rules + 1, sizeof(*spellings));
	if (!spellings)
		return;
	for (i = 0; i < rules->info.rules; i++) {
		struct buf text cleanup(buf_fini) = {0};

		spell(&text, &rules->entries[i]);
		spellings[count].entry = &rules->entries[i];
		spellings[count].text = strdup(buf_text(&text));
		if (!text.failed && spellings[count].text)
			count++;
	}
	warn_same(warner, spellings, count);
	for (i = 0; i <= rules->info.rules; i++)
		free(spellings[i].text);
}

size_t
ruleset_warn(const struct ruleset *rules, int64_t now_ms,
	     void (*warn)(const struct error *warning, void *arg), void *arg)
{
	struct warner warner = {.rules = rules, .warn = warn, .arg = arg};
	size_t i;

	for (i = 0; i < rules->list_count; i++)
		if (!rules->lists[i].used)
			say(&warner, rules->lists[i].item, "no rule uses the list '@%s'",
			    rules->lists[i].name);
	for (i = 0; i < rules->info.rules; i++)
		warn_rule(&warner, &rules->entries[i], now_ms);
	warn_repeats(&warner);
	return warner.count;
}
