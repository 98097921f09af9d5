/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* parse_match - `match` and `any_of`: fields, operators and their operands. */
#include <errno.h>
#include <string.h>

#include "rule/ruleset.h"

#define BIT(type) (1u << FIELD_##type)

enum operand { OPERAND_ONE, OPERAND_MANY, OPERAND_TEXT, OPERAND_NUMBER, OPERAND_FLAG };

static const struct operator_row {
	const char *name;
	enum rule_op op;
	unsigned int types; /* of fields that take it */
	enum operand operand;
	bool networks;
} operators[] = {
	{"eq", RULE_OP_IN, BIT(STRING) | BIT(INT) | BIT(BOOL) | BIT(IP) | BIT(SET), OPERAND_ONE,
	 false},
	{"ne", RULE_OP_NOT_IN, BIT(STRING) | BIT(INT) | BIT(BOOL) | BIT(IP) | BIT(SET), OPERAND_ONE,
	 false},
	{"in", RULE_OP_IN, BIT(STRING) | BIT(INT) | BIT(IP) | BIT(SET), OPERAND_MANY, false},
	{"not_in", RULE_OP_NOT_IN, BIT(STRING) | BIT(INT) | BIT(IP) | BIT(SET), OPERAND_MANY,
	 false},
	{"cidr", RULE_OP_IN, BIT(IP), OPERAND_MANY, true},
	{"not_cidr", RULE_OP_NOT_IN, BIT(IP), OPERAND_MANY, true},
	{"prefix", RULE_OP_PREFIX, BIT(STRING), OPERAND_TEXT, false},
	{"suffix", RULE_OP_SUFFIX, BIT(STRING), OPERAND_TEXT, false},
	{"glob", RULE_OP_GLOB, BIT(STRING), OPERAND_TEXT, false},
	{"gt", RULE_OP_GT, BIT(INT), OPERAND_NUMBER, false},
	{"lt", RULE_OP_LT, BIT(INT), OPERAND_NUMBER, false},
	{"exists", RULE_OP_EXISTS, BIT(STRING) | BIT(INT) | BIT(IP) | BIT(SET), OPERAND_FLAG,
	 false},
};

#define OPERATORS (sizeof(operators) / sizeof(operators[0]))

static const char *const type_names[] = {
	[FIELD_STRING] = "a string",      [FIELD_INT] = "a whole number",
	[FIELD_BOOL] = "true or false",   [FIELD_IP] = "an address",
	[FIELD_SET] = "a set of strings",
};

/* Rules decide it, so no rule can look at it. */
static bool
is_judgement(const struct field *field)
{
	return field->offset >= offsetof(struct event, judgement) &&
	       field->offset < offsetof(struct event, scratch_used);
}

/* "no field 'dst.prot' in flow; did you mean 'dst.port'?" */
static int
refuse_field(struct parser *parser, const cJSON *item, const struct event_type *type)
{
	const char *names[256], *near;
	const struct field *field;
	size_t count = 0;

	for (field = type->fields; field->name || field->ocsf; field++)
		if (field->name && !is_judgement(field) && count < sizeof(names) / sizeof(names[0]))
			names[count++] = field->name;
	near = nearest_word(item->string, names, count);
	if (near)
		return parser_error(parser, item, "no field '%.60s' in %s; did you mean '%s'?",
				    item->string, type->name, near);
	return parser_error(parser, item, "no field '%.60s' in %s; see: demarc fields",
			    item->string, type->name);
}

int
parse_field(struct parser *parser, const cJSON *item, const struct event_type *type,
	    const struct field **out)
{
	const struct field *field = event_field(type, item->string);

	if (!field || field->constant)
		return refuse_field(parser, item, type);
	if (is_judgement(field))
		return parser_error(parser, item, "'%s' is what rules decide, not what they match",
				    field->name);
	*out = field;
	return 0;
}

static int
find_operator(struct parser *parser, const cJSON *item, const struct operator_row **out)
{
	const char *names[OPERATORS], *near;
	size_t i;

	for (i = 0; i < OPERATORS; i++) {
		names[i] = operators[i].name;
		if (strcmp(item->string, names[i]) == 0) {
			*out = &operators[i];
			return 0;
		}
	}
	near = nearest_word(item->string, names, OPERATORS);
	if (near)
		return parser_error(parser, item, "no operator '%.60s'; did you mean '%s'?",
				    item->string, near);
	return parser_error(parser, item,
			    "no operator '%.60s'; there are eq ne in not_in cidr not_cidr prefix "
			    "suffix glob gt lt exists",
			    item->string);
}

static enum values_kind
values_kind(const struct field *field, const struct operator_row *row)
{
	switch (field->type) {
	case FIELD_INT:
	case FIELD_BOOL:
		return VALUES_NUMBERS;
	case FIELD_IP:
		return row->networks ? VALUES_NETWORKS : VALUES_ADDRESSES;
	case FIELD_STRING:
	case FIELD_SET:
		break;
	}
	return VALUES_TEXTS;
}

static int
find_list(struct parser *parser, const cJSON *item, struct list **out)
{
	struct ruleset *rules = parser->rules;
	const char *name = item->valuestring + 1, *near = NULL;
	const char **names;
	size_t i;

	names = parser_keep(parser, rules->list_count, sizeof(*names));
	if (!names)
		return -ENOMEM;
	for (i = 0; i < rules->list_count; i++) {
		names[i] = rules->lists[i].name;
		if (strcmp(name, names[i]) == 0) {
			*out = &rules->lists[i];
			return 0;
		}
	}
	near = nearest_word(name, names, rules->list_count);
	if (near)
		return parser_error(parser, item, "no list '@%.60s'; did you mean '@%s'?", name,
				    near);
	return parser_error(parser, item, "no list '@%.60s'", name);
}

/* A list is compiled once for each use that its members are put to. */
static int
use_list(struct parser *parser, const cJSON *item, enum values_kind kind, const struct values **out)
{
	struct list *list = NULL;
	int rc;

	rc = find_list(parser, item, &list);
	if (rc < 0)
		return rc;
	list->used = true;
	if (!list->compiled[kind]) {
		rc = values_compile(parser, list->item, kind, &list->compiled[kind]);
		if (rc < 0)
			return rc;
	}
	*out = list->compiled[kind];
	return 0;
}

static int
parse_many(struct parser *parser, const cJSON *item, const struct operator_row *row,
	   struct condition *condition)
{
	enum values_kind kind = values_kind(condition->field, row);

	if (cJSON_IsString(item) && item->valuestring[0] == '@')
		return use_list(parser, item, kind, &condition->values);
	if (!cJSON_IsArray(item) && !(row->networks && cJSON_IsString(item)))
		return parser_error(parser, item, "'%s' takes an array or \"@list\"", row->name);
	return values_compile(parser, item, kind, &condition->values);
}

static int
parse_one(struct parser *parser, const cJSON *item, const struct operator_row *row,
	  struct condition *condition)
{
	const struct field *field = condition->field;
	bool fits = cJSON_IsString(item);
	int64_t number;

	if (field->type == FIELD_BOOL)
		fits = cJSON_IsBool(item);
	else if (field->type == FIELD_INT)
		fits = is_whole(item, &number);
	if (!fits && cJSON_IsArray(item))
		return parser_error(parser, item, "'%s' takes one value; use %s for several",
				    row->name, row->op == RULE_OP_IN ? "in" : "not_in");
	if (!fits)
		return parser_error(parser, item, "'%s' is %s, so '%s' takes %s", field->name,
				    type_names[field->type], row->name,
				    field->type == FIELD_SET ? "a string"
							     : type_names[field->type]);
	return values_compile(parser, item, values_kind(field, row), &condition->values);
}

static int
parse_text(struct parser *parser, const cJSON *item, const struct operator_row *row,
	   struct condition *condition)
{
	if (!cJSON_IsString(item) || !item->valuestring[0])
		return parser_error(parser, item, "'%s' takes a string that is not empty",
				    row->name);
	if (row->op == RULE_OP_GLOB && !glob_is_valid(item->valuestring))
		return parser_error(parser, item,
				    "bad glob '%.60s': a [ without ], or a \\ at its end",
				    item->valuestring);
	condition->text = item->valuestring;
	condition->length = strlen(item->valuestring);
	return 0;
}

static int
parse_operand(struct parser *parser, const cJSON *item, const struct operator_row *row,
	      struct condition *condition)
{
	switch (row->operand) {
	case OPERAND_ONE:
		return parse_one(parser, item, row, condition);
	case OPERAND_MANY:
		return parse_many(parser, item, row, condition);
	case OPERAND_TEXT:
		return parse_text(parser, item, row, condition);
	case OPERAND_NUMBER:
		if (!is_whole(item, &condition->number))
			return parser_error(parser, item, "'%s' takes a whole number", row->name);
		return 0;
	case OPERAND_FLAG:
		if (!cJSON_IsBool(item))
			return parser_error(parser, item, "'exists' takes true or false");
		condition->number = cJSON_IsTrue(item);
		return 0;
	}
	return -EINVAL;
}

static int
parse_condition(struct parser *parser, const cJSON *item, const struct operator_row *row,
		const struct field *field, struct condition *condition)
{
	if (!(row->types & (1u << field->type)))
		return parser_error(parser, item, "'%s' is %s and does not take '%s'", field->name,
				    type_names[field->type], row->name);
	condition->field = field;
	condition->op = row->op;
	condition->item = item;
	return parse_operand(parser, item, row, condition);
}

/* All conditions on one field. */
static int
parse_member(struct parser *parser, const cJSON *member, const struct event_type *type,
	     struct condition *conditions, size_t *count)
{
	const struct operator_row *row = &operators[0];
	const struct field *field = NULL;
	const cJSON *item;
	int rc;

	rc = parse_field(parser, member, type, &field);
	if (rc < 0)
		return rc;
	if (!cJSON_IsObject(member))
		return parse_condition(parser, member, row, field, &conditions[(*count)++]);
	if (!member->child)
		return parser_error(parser, member, "'%s' has no operator", field->name);
	cJSON_ArrayForEach(item, member)
	{
		rc = find_operator(parser, item, &row);
		if (rc < 0)
			return rc;
		rc = parse_condition(parser, item, row, field, &conditions[(*count)++]);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Steps that a look takes, about. */
static size_t
cost(const struct condition *condition)
{
	size_t steps = 0, count;

	if (condition->op == RULE_OP_GLOB)
		return 16;
	if (condition->values)
		for (count = condition->values->count; count; count /= 2)
			steps++;
	return steps;
}

/* Cheap conditions first: most events fail one of them. Equals stay in the order of the file. */
static void
sort_by_cost(struct condition *conditions, size_t count)
{
	struct condition moved;
	size_t i, at;

	for (i = 1; i < count; i++) {
		moved = conditions[i];
		for (at = i; at && cost(&conditions[at - 1]) > cost(&moved); at--)
			conditions[at] = conditions[at - 1];
		conditions[at] = moved;
	}
}

static int
parse_object(struct parser *parser, const cJSON *object, const struct event_type *type,
	     struct match *match)
{
	struct condition *conditions;
	const cJSON *member;
	size_t count = 0;
	int rc;

	if (!cJSON_IsObject(object))
		return parser_error(parser, object, "must be an object of fields");
	cJSON_ArrayForEach(member, object) count +=
		cJSON_IsObject(member) ? (size_t)cJSON_GetArraySize(member) : 1;
	conditions = parser_keep(parser, count, sizeof(*conditions));
	if (!conditions)
		return -ENOMEM;
	match->item = object;
	match->conditions = conditions;
	cJSON_ArrayForEach(member, object)
	{
		rc = parse_member(parser, member, type, conditions, &match->count);
		if (rc < 0)
			return rc;
	}
	sort_by_cost(conditions, match->count);
	return 0;
}

int
parse_clause(struct parser *parser, const cJSON *object, const struct event_type *type,
	     struct clause *clause)
{
	const cJSON *all = cJSON_GetObjectItemCaseSensitive(object, "match");
	const cJSON *array = cJSON_GetObjectItemCaseSensitive(object, "any_of");
	const cJSON *item;
	struct match *any;
	int rc;

	rc = all ? parse_object(parser, all, type, &clause->all) : 0;
	if (rc < 0 || !array)
		return rc;
	if (!cJSON_IsArray(array) || !array->child)
		return parser_error(parser, array, "'any_of' must be an array of match objects");
	any = parser_keep(parser, (size_t)cJSON_GetArraySize(array), sizeof(*any));
	if (!any)
		return -ENOMEM;
	clause->any = any;
	cJSON_ArrayForEach(item, array)
	{
		if (cJSON_IsObject(item) && !item->child)
			return parser_error(parser, item,
					    "an empty alternative matches everything");
		rc = parse_object(parser, item, type, &any[clause->any_count++]);
		if (rc < 0)
			return rc;
	}
	return 0;
}
