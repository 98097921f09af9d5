/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* parse - a document becomes a rule set. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "rule/ruleset.h"

DEFINE_DROP(struct ruleset *, ruleset, ruleset_free)

static int
parse_metadata(struct parser *parser, const cJSON *root)
{
	static const char *const keys[] = {"id", "version", "jurisdiction", "title", NULL};
	const cJSON *object = cJSON_GetObjectItemCaseSensitive(root, "metadata");
	struct ruleset_info *info = &parser->rules->info;
	const char *title = NULL;
	int rc;

	if (!object)
		return parser_error(parser, root, "'metadata' is missing");
	rc = parser_keys(parser, object, "'metadata'", keys);
	if (!rc)
		rc = parser_string(parser, object, "id", true, &info->id);
	if (!rc)
		rc = parser_string(parser, object, "version", true, &info->version);
	if (!rc)
		rc = parser_string(parser, object, "jurisdiction", true, &info->jurisdiction);
	if (!rc)
		rc = parser_string(parser, object, "title", false, &title);
	return rc;
}

static int
check_list(struct parser *parser, const cJSON *array)
{
	const cJSON *item;
	int64_t number;

	if (!is_identifier(array->string))
		return parser_error(parser, array,
				    "a list's name has letters, digits, '.', '_' and '-'");
	if (!cJSON_IsArray(array))
		return parser_error(parser, array, "a list must be an array");
	if (!array->child)
		return parser_error(parser, array, "the list '%s' is empty", array->string);
	cJSON_ArrayForEach(item, array)
	{
		if (!cJSON_IsString(item) && !is_whole(item, &number))
			return parser_error(parser, item, "a list holds strings or whole numbers");
		if (cJSON_IsString(item) && item->valuestring[0] == '@')
			return parser_error(parser, item, "lists do not hold lists");
		if (cJSON_IsString(item) != cJSON_IsString(array->child))
			return parser_error(parser, item,
					    "a list holds strings or numbers, not both");
	}
	return 0;
}

int
parse_lists(struct parser *parser, const cJSON *object)
{
	struct ruleset *rules = parser->rules;
	const cJSON *array;
	int rc;

	if (!object)
		return 0;
	if (!cJSON_IsObject(object))
		return parser_error(parser, object, "'lists' must be an object of arrays");
	rules->lists =
		parser_keep(parser, (size_t)cJSON_GetArraySize(object), sizeof(*rules->lists));
	if (!rules->lists)
		return -ENOMEM;
	cJSON_ArrayForEach(array, object)
	{
		rc = check_list(parser, array);
		if (rc < 0)
			return rc;
		rules->lists[rules->list_count++] =
			(struct list){.name = array->string, .item = array};
	}
	return 0;
}

static int
by_id(const void *a, const void *b)
{
	const struct entry *x = *(const struct entry *const *)a;
	const struct entry *y = *(const struct entry *const *)b;
	int order = strcmp(x->rule.id, y->rule.id);

	return order ? order : (x > y) - (x < y);
}

static int
refuse_repeats(struct parser *parser)
{
	const struct ruleset *rules = parser->rules;
	size_t i, count = rules->info.rules;
	const struct entry **sorted;
	unsigned int line, column;

	sorted = parser_keep(parser, count, sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		sorted[i] = &rules->entries[i];
	qsort(sorted, count, sizeof(*sorted), by_id);
	for (i = 1; i < count; i++) {
		if (strcmp(sorted[i]->rule.id, sorted[i - 1]->rule.id))
			continue;
		jsonc_locate(&rules->doc, sorted[i - 1]->item, &line, &column);
		return parser_error(parser, cJSON_GetObjectItemCaseSensitive(sorted[i]->item, "id"),
				    "the id '%s' is taken by the rule on line %u",
				    sorted[i]->rule.id, line);
	}
	return 0;
}

static int
parse_rules(struct parser *parser, const cJSON *root)
{
	const cJSON *array = cJSON_GetObjectItemCaseSensitive(root, "rules"), *item;
	struct ruleset *rules = parser->rules;
	size_t count;
	int rc;

	if (!array)
		return parser_error(parser, root, "'rules' is missing");
	if (!cJSON_IsArray(array))
		return parser_error(parser, array, "'rules' must be an array");
	count = (size_t)cJSON_GetArraySize(array);
	if (count > RULES_MAX)
		return parser_error(parser, array, "%zu rules; at most %d fit", count, RULES_MAX);
	rules->entries = parser_keep(parser, count, sizeof(*rules->entries));
	if (!rules->entries)
		return -ENOMEM;
	cJSON_ArrayForEach(item, array)
	{
		rc = parse_rule(parser, item, &rules->entries[rules->info.rules]);
		if (rc < 0)
			return rc;
		rules->info.rules++;
	}
	return refuse_repeats(parser);
}

static int
index_by_kind(struct parser *parser)
{
	struct ruleset *rules = parser->rules;
	size_t i, kind;

	for (i = 0; i < rules->info.rules; i++)
		rules->by_kind_count[rules->entries[i].rule.event->kind]++;
	for (kind = 0; kind < WIRE_KIND_MAX; kind++) {
		rules->by_kind[kind] = parser_keep(parser, rules->by_kind_count[kind],
						   sizeof(*rules->by_kind[kind]));
		if (!rules->by_kind[kind])
			return -ENOMEM;
		rules->by_kind_count[kind] = 0;
	}
	for (i = 0; i < rules->info.rules; i++) {
		kind = rules->entries[i].rule.event->kind;
		rules->by_kind[kind][rules->by_kind_count[kind]++] = &rules->entries[i];
	}
	return 0;
}

static int
parse_document(struct parser *parser)
{
	static const char *const keys[] = {"$schema", "metadata", "lists", "rules", "tests", NULL};
	struct ruleset *rules = parser->rules;
	const cJSON *root = rules->doc.root;
	const char *schema = NULL;
	int rc;

	rc = parser_keys(parser, root, "a rule file", keys);
	if (!rc)
		rc = parser_string(parser, root, "$schema", false, &schema);
	if (!rc)
		rc = parse_metadata(parser, root);
	if (!rc)
		rc = parse_lists(parser, cJSON_GetObjectItemCaseSensitive(root, "lists"));
	if (!rc)
		rc = parse_rules(parser, root);
	if (!rc)
		rc = parse_set_tests(parser, cJSON_GetObjectItemCaseSensitive(root, "tests"));
	if (!rc)
		rc = index_by_kind(parser);
	return rc;
}

/*
 * The line of every rule in one walk over the text: asking jsonc_locate() for
 * each would cost the square of their number.
 */
static void
note_lines(struct ruleset *rules)
{
	const char *at = rules->doc.text, *end = at + rules->doc.length, *string = at;
	size_t depth = 0, index = 0;
	bool inside = false; /* the array "rules" */
	unsigned int line = 1;

	for (; at < end && index < rules->info.rules; at++) {
		if (*at == '\n') {
			line++;
		} else if (*at == '"') {
			string = at;
			while (++at < end && *at != '"')
				at += *at == '\\';
		} else if (*at == '{' || *at == '[') {
			if (depth == 2 && inside)
				rules->entries[index++].rule.line = line;
			if (depth++ == 1)
				inside = strncmp(string, "\"rules\"", 7) == 0;
		} else if (*at == '}' || *at == ']') {
			depth--;
		}
	}
}

int
ruleset_parse(struct ruleset **out, const char *text, size_t length, struct error *why)
{
	struct ruleset *rules cleanup(ruleset_drop) = calloc(1, sizeof(*rules));
	struct parser parser = {rules, why};
	int rc;

	if (!rules)
		return error_set(why, -ENOMEM, "out of memory");
	rc = jsonc_parse(&rules->doc, text, length, why);
	if (!rc)
		rc = parse_document(&parser);
	if (rc < 0)
		return rc;
	rc = canonical_digest(rules->doc.root, rules->info.digest);
	if (rc < 0)
		return error_set(why, rc, "cannot compute the digest");
	note_lines(rules);
	*out = take(rules);
	return 0;
}
