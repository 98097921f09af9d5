/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* parse_common - members of an object with their types, and what is wrong with them. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rule/ruleset.h"

void *
parser_keep(struct parser *parser, size_t count, size_t size)
{
	void *memory = ruleset_keep(parser->rules, count, size);

	if (!memory)
		error_set(parser->why, -ENOMEM, "out of memory");
	return memory;
}

static size_t
count_names(const char *const *names)
{
	size_t count = 0;

	while (names[count])
		count++;
	return count;
}

static bool
is_one_of(const char *word, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(word, *names) == 0)
			return true;
	return false;
}

int
parser_keys(struct parser *parser, const cJSON *object, const char *what, const char *const *names)
{
	const cJSON *member;
	const char *near;

	if (!cJSON_IsObject(object))
		return parser_error(parser, object, "%s must be an object", what);
	cJSON_ArrayForEach(member, object)
	{
		if (is_one_of(member->string, names))
			continue;
		near = nearest_word(member->string, names, count_names(names));
		if (near)
			return parser_error(parser, member,
					    "no key '%.60s' in %s; did you mean '%s'?",
					    member->string, what, near);
		return parser_error(parser, member, "no key '%.60s' in %s", member->string, what);
	}
	return 0;
}

int
parser_string(struct parser *parser, const cJSON *object, const char *key, bool needed,
	      const char **out)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	if (!item && needed)
		return parser_error(parser, object, "'%s' is missing", key);
	if (!item)
		return 0;
	if (!cJSON_IsString(item))
		return parser_error(parser, item, "'%s' must be a string", key);
	if (!item->valuestring[0])
		return parser_error(parser, item, "'%s' is empty", key);
	*out = item->valuestring;
	return 0;
}

/* "low, medium, high" */
static void
join(const char *const *words, char *out, size_t room)
{
	size_t used = 0;

	for (out[0] = '\0'; *words && used < room; words++)
		used += (size_t)snprintf(out + used, room - used, "%s%s", used ? ", " : "", *words);
}

int
parser_word(struct parser *parser, const cJSON *object, const char *key, const char *const *words,
	    int *out)
{
	const char *word = NULL, *near;
	const cJSON *item;
	char list[128];
	int rc, i;

	rc = parser_string(parser, object, key, false, &word);
	if (rc < 0 || !word)
		return rc;
	for (i = 0; words[i]; i++) {
		if (strcmp(word, words[i]))
			continue;
		*out = i;
		return 0;
	}
	near = nearest_word(word, words, count_names(words));
	item = cJSON_GetObjectItemCaseSensitive(object, key);
	if (near)
		return parser_error(parser, item, "'%.60s' is no %s; did you mean '%s'?", word, key,
				    near);
	join(words, list, sizeof(list));
	return parser_error(parser, item, "'%.60s' is no %s; there are %s", word, key, list);
}

int
parser_strings(struct parser *parser, const cJSON *array, const char *name, const char *const **out)
{
	const char **strings;
	const cJSON *item;
	size_t count = 0;

	if (array && !cJSON_IsArray(array))
		return parser_error(parser, array, "'%s' must be an array of strings", name);
	strings = parser_keep(parser, array ? (size_t)cJSON_GetArraySize(array) + 1 : 1,
			      sizeof(*strings));
	if (!strings)
		return -ENOMEM;
	cJSON_ArrayForEach(item, array)
	{
		if (!cJSON_IsString(item) || !item->valuestring[0])
			return parser_error(parser, item, "'%s' takes strings that are not empty",
					    name);
		strings[count++] = item->valuestring;
	}
	*out = strings;
	return 0;
}

int
parser_moment(struct parser *parser, const cJSON *item, int64_t *out_ms)
{
	if (cJSON_IsString(item) && moment_parse(item->valuestring, out_ms) == 0)
		return 0;
	return parser_error(parser, item,
			    "must be a date like \"2027-01-31\" or \"2027-01-31T12:00:00Z\"");
}

bool
is_identifier(const char *text)
{
	size_t length = strlen(text);

	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("._-", *text))
			return false;
	return length > 0 && length <= 100;
}

bool
is_whole(const cJSON *item, int64_t *out)
{
	double number = item->valuedouble;

	if (!cJSON_IsNumber(item) || !(number >= -9007199254740991.0) ||
	    !(number <= 9007199254740991.0) || (double)(int64_t)number != number)
		return false;
	*out = (int64_t)number;
	return true;
}
