/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* values - lists of texts, numbers or prefixes, sorted once so that a look takes a few steps. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rule/ruleset.h"

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Wider first where they begin alike, so that what is inside follows what holds it. */
static int
by_prefix(const void *a, const void *b)
{
	const struct prefix *x = a, *y = b;
	int order = memcmp(x->ip.bytes, y->ip.bytes, sizeof(x->ip.bytes));

	return order ? order : x->bits - y->bits;
}

static bool
is_repeat(const struct values *values, size_t kept, size_t candidate)
{
	switch (values->kind) {
	case VALUES_TEXTS:
		return strcmp(values->texts[kept], values->texts[candidate]) == 0;
	case VALUES_NUMBERS:
		return values->numbers[kept] == values->numbers[candidate];
	case VALUES_ADDRESSES:
	case VALUES_NETWORKS:
		return prefix_contains(&values->prefixes[kept], &values->prefixes[candidate].ip);
	case VALUES_KINDS:
		break;
	}
	return false;
}

static void
move(struct values *values, size_t to, size_t from)
{
	if (values->kind == VALUES_TEXTS)
		values->texts[to] = values->texts[from];
	else if (values->kind == VALUES_NUMBERS)
		values->numbers[to] = values->numbers[from];
	else
		values->prefixes[to] = values->prefixes[from];
}

static void
sort(struct values *values)
{
	size_t i, kept = 0;

	if (values->kind == VALUES_TEXTS)
		qsort(values->texts, values->count, sizeof(*values->texts), by_text);
	else if (values->kind == VALUES_NUMBERS)
		qsort(values->numbers, values->count, sizeof(*values->numbers), by_number);
	else
		qsort(values->prefixes, values->count, sizeof(*values->prefixes), by_prefix);

	for (i = 1; i < values->count; i++)
		if (!is_repeat(values, kept, i))
			move(values, ++kept, i);
	values->count = kept + 1;
}

static int
read_prefix(struct parser *parser, const cJSON *item, enum values_kind kind, struct prefix *out)
{
	if (kind == VALUES_NETWORKS && cJSON_IsString(item) &&
	    prefix_parse(out, item->valuestring) == 0)
		return 0;
	if (kind == VALUES_ADDRESSES && cJSON_IsString(item) &&
	    ip_parse(&out->ip, item->valuestring) == 0) {
		out->bits = 128;
		return 0;
	}
	if (!cJSON_IsString(item))
		return parser_error(parser, item, "must be an address as a string");
	if (kind == VALUES_ADDRESSES && strchr(item->valuestring, '/'))
		return parser_error(parser, item,
				    "'%.60s' is not an address; use cidr for prefixes",
				    item->valuestring);
	if (kind == VALUES_ADDRESSES)
		return parser_error(parser, item, "'%.60s' is not an address", item->valuestring);
	return parser_error(parser, item,
			    "'%.60s' is not a prefix like 10.0.0.0/8 with its host bits zero",
			    item->valuestring);
}

static int
read_one(struct parser *parser, const cJSON *item, struct values *values, size_t index)
{
	int64_t number;

	switch (values->kind) {
	case VALUES_TEXTS:
		if (!cJSON_IsString(item))
			return parser_error(parser, item, "must be a string");
		values->texts[index] = item->valuestring;
		return 0;
	case VALUES_NUMBERS:
		number = cJSON_IsTrue(item);
		if (!cJSON_IsBool(item) && !is_whole(item, &number))
			return parser_error(parser, item, "must be a whole number");
		values->numbers[index] = number;
		return 0;
	case VALUES_ADDRESSES:
	case VALUES_NETWORKS:
		return read_prefix(parser, item, values->kind, &values->prefixes[index]);
	case VALUES_KINDS:
		break;
	}
	return -EINVAL;
}

static int
make_room(struct parser *parser, struct values *values)
{
	static const size_t sizes[VALUES_KINDS] = {
		[VALUES_TEXTS] = sizeof(const char *),
		[VALUES_NUMBERS] = sizeof(int64_t),
		[VALUES_ADDRESSES] = sizeof(struct prefix),
		[VALUES_NETWORKS] = sizeof(struct prefix),
	};
	void *room = parser_keep(parser, values->count, sizes[values->kind]);

	if (!room)
		return -ENOMEM;
	if (values->kind == VALUES_TEXTS)
		values->texts = room;
	else if (values->kind == VALUES_NUMBERS)
		values->numbers = room;
	else
		values->prefixes = room;
	return 0;
}

int
values_compile(struct parser *parser, const cJSON *item, enum values_kind kind,
	       const struct values **out)
{
	struct values *values = parser_keep(parser, 1, sizeof(*values));
	const cJSON *member;
	size_t index = 0;
	int rc;

	if (!values)
		return -ENOMEM;
	values->kind = kind;
	values->count = cJSON_IsArray(item) ? (size_t)cJSON_GetArraySize(item) : 1;
	if (!values->count)
		return parser_error(parser, item, "the list is empty");
	rc = make_room(parser, values);
	if (rc < 0)
		return rc;
	if (!cJSON_IsArray(item)) {
		rc = read_one(parser, item, values, 0);
		if (rc < 0)
			return rc;
	} else {
		cJSON_ArrayForEach(member, item)
		{
			rc = read_one(parser, member, values, index++);
			if (rc < 0)
				return rc;
		}
	}
	sort(values);
	*out = values;
	return 0;
}

static bool
has_text(const struct values *values, const char *text)
{
	size_t low = 0, high = values->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(values->texts[middle], text);

		if (!order)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static bool
has_number(const struct values *values, int64_t number)
{
	return bsearch(&number, values->numbers, values->count, sizeof(number), by_number);
}

/* The prefix that holds ip, if any, is the last that begins at or before it. */
static bool
has_ip(const struct values *values, const struct ip *ip)
{
	size_t low = 0, high = values->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(values->prefixes[middle].ip.bytes, ip->bytes, sizeof(ip->bytes)) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low && prefix_contains(&values->prefixes[low - 1], ip);
}

bool
values_has(const struct values *values, const struct value *value)
{
	const char *const *member;

	switch (value->type) {
	case FIELD_STRING:
		return has_text(values, value->text);
	case FIELD_INT:
	case FIELD_BOOL:
		return has_number(values, value->number);
	case FIELD_IP:
		return has_ip(values, &value->ip);
	case FIELD_SET:
		for (member = value->set; *member; member++)
			if (has_text(values, *member))
				return true;
		return false;
	}
	return false;
}

void
values_at(const struct values *values, size_t index, struct value *out)
{
	*out = (struct value){.present = true};
	if (values->kind == VALUES_TEXTS) {
		out->type = FIELD_STRING;
		out->text = values->texts[index];
	} else if (values->kind == VALUES_NUMBERS) {
		out->type = FIELD_INT;
		out->number = values->numbers[index];
	} else {
		out->type = FIELD_IP;
		out->ip = values->prefixes[index].ip;
	}
}
