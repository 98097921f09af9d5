/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * setting.c - a value from text or JSON into struct config. Whatever its type, it
 * becomes words first (one, or the elements of a list), so that every source is
 * checked and stored in the same way.
 */
#include "config/setting.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/secret.h"
#include "config/limits.h"

const struct setting settings[SETTINGS] = {
#define SETTING(type, member, name, fallback, meaning) \
	{name, SETTING_##type, offsetof(struct config, member), fallback, meaning},
#include "config.def"
#undef SETTING
};

#define NUMBER_BYTES 32

struct block {
	struct block *next;
	char bytes[];
};

struct words {
	const char *const *text;
	size_t count;
};

size_t
setting_find(const char *name)
{
	size_t index = 0;

	while (index < SETTINGS && strcmp(settings[index].name, name) != 0)
		index++;
	return index;
}

/* Memory that lives as long as the configuration. */
static void *
keep(struct owned *owned, const void *bytes, size_t length)
{
	struct block *block = malloc(sizeof(*block) + length);

	if (!block)
		return NULL;
	block->next = owned->blocks;
	owned->blocks = block;
	if (bytes)
		memcpy(block->bytes, bytes, length);
	return block->bytes;
}

static char *
keep_text(struct owned *owned, const char *text)
{
	return keep(owned, text, strlen(text) + 1);
}

void
config_fini(struct config *config)
{
	struct owned *owned;

	if (!config)
		return;
	owned = config->owned;
	while (owned && owned->blocks) {
		struct block *block = owned->blocks;

		owned->blocks = block->next;
		free(block);
	}
	free(owned);
	*config = (struct config){0};
}

static const char **
keep_list(struct owned *owned, const struct words *words)
{
	const char **list = keep(owned, NULL, (words->count + 1) * sizeof(*list));

	if (!list)
		return NULL;
	for (size_t i = 0; i < words->count; i++) {
		list[i] = keep_text(owned, words->text[i]);
		if (!list[i])
			return NULL;
	}
	list[words->count] = NULL;
	return list;
}

/* "name=value", or the name and a mask. */
static void
add_pair(struct buf *out, const char *pair)
{
	size_t length = strcspn(pair, "=");
	struct buf name cleanup(buf_fini) = {0};

	buf_add(&name, pair, length);
	if (!secret_is_named(buf_text(&name)))
		buf_adds(out, pair);
	else
		buf_addf(out, "%s=%s", buf_text(&name), SECRET_MASK);
}

static bool
is_listed(const struct setting *setting)
{
	return setting->type == SETTING_LIST || setting->type == SETTING_PAIRS;
}

static const char *
keep_joined(struct owned *owned, const struct words *words, enum setting_type type)
{
	struct buf joined cleanup(buf_fini) = {0};

	for (size_t i = 0; i < words->count; i++) {
		if (i)
			buf_addc(&joined, ',');
		if (type == SETTING_PAIRS)
			add_pair(&joined, words->text[i]);
		else
			buf_adds(&joined, words->text[i]);
	}
	return joined.failed ? NULL : keep_text(owned, buf_text(&joined));
}

/* Words that passed their checks. */
static int
store(struct config *config, size_t index, const struct words *words, const char *origin)
{
	const struct setting *setting = &settings[index];
	struct owned *owned = config->owned;
	void *member = (char *)config + setting->offset;
	const char *value = keep_joined(owned, words, setting->type);
	const char **list = NULL;

	origin = keep_text(owned, origin);
	if (is_listed(setting))
		list = keep_list(owned, words);
	if (!value || !origin || (is_listed(setting) && !list))
		return -ENOMEM;

	if (is_listed(setting))
		*(setting_LIST *)member = list;
	else if (setting->type == SETTING_UINT)
		*(setting_UINT *)member = strtoull(value, NULL, 10);
	else if (setting->type == SETTING_BOOL)
		*(setting_BOOL *)member = value[0] == 't';
	else
		*(setting_STRING *)member = value;
	owned->values[index] = value;
	owned->origins[index] = origin;
	return 0;
}

/* bad gets the index of the word that was refused. */
static int
put(struct config *config, size_t index, const struct words *words, const char *origin, size_t *bad,
    struct error *why)
{
	int err;

	for (*bad = 0; *bad < words->count; ++*bad) {
		err = limits_check(&settings[index], words->text[*bad], why);
		if (err)
			return err;
	}
	err = store(config, index, words, origin);
	return err ? error_set(why, err, "out of memory") : 0;
}

static char *
trim(char *text)
{
	size_t length;

	text += strspn(text, " \t");
	length = strlen(text);
	while (length && (text[length - 1] == ' ' || text[length - 1] == '\t'))
		length--;
	text[length] = '\0';
	return text;
}

/* A piece without "=" goes on with the value before it: "bootstrap.servers=a:1,b:2". */
static void
join_pairs(struct words *words, const char **list)
{
	size_t kept = 0;

	for (size_t i = 0; i < words->count; i++) {
		char *behind = kept ? (char *)(uintptr_t)list[kept - 1] : NULL;

		if (!behind || strchr(list[i], '='))
			list[kept++] = list[i];
		else
			snprintf(behind + strlen(behind), strlen(list[i]) + 2, ",%s", list[i]);
	}
	words->count = kept;
}

static int
put_split(struct config *config, size_t index, const char *text, const char *origin,
	  struct error *why)
{
	char *copy cleanup(free_drop) = strdup(text);
	const char **list cleanup(free_drop) = calloc(strlen(text) + 1, sizeof(*list));
	struct words words = {.text = list};
	char *rest = copy;
	size_t bad;

	if (!copy || !list)
		return error_set(why, -ENOMEM, "out of memory");
	if (text[strspn(text, " \t")]) /* nothing at all is an empty list */
		while (rest)
			list[words.count++] = trim(strsep(&rest, ","));
	if (settings[index].type == SETTING_PAIRS)
		join_pairs(&words, list);
	return put(config, index, &words, origin, &bad, why);
}

int
setting_put_text(struct config *config, size_t index, const char *text, const char *origin,
		 struct error *why)
{
	struct words words = {.text = &text, .count = 1};
	size_t bad;

	if (is_listed(&settings[index]))
		return put_split(config, index, text, origin, why);
	return put(config, index, &words, origin, &bad, why);
}

static int
fail_type(const struct setting *setting, const struct jsonc *doc, const cJSON *item,
	  struct error *why)
{
	static const char *const types[] = {
		[SETTING_STRING] = "a string",
		[SETTING_UINT] = "a whole number",
		[SETTING_BOOL] = "true or false",
		[SETTING_LIST] = "a list of strings",
		[SETTING_PAIRS] = "an object of plain values, or a list of name=value",
	};

	return jsonc_error(doc, item, why, "%s must be %s", setting->name, types[setting->type]);
}

static bool
is_of_type(enum setting_type type, const cJSON *item)
{
	const cJSON *element;

	if (type == SETTING_STRING)
		return cJSON_IsString(item);
	if (type == SETTING_BOOL)
		return cJSON_IsBool(item);
	if (type == SETTING_UINT)
		return cJSON_IsNumber(item) && item->valuedouble == floor(item->valuedouble) &&
		       fabs(item->valuedouble) <= 9007199254740992.0;
	if (type == SETTING_PAIRS && cJSON_IsObject(item)) {
		cJSON_ArrayForEach(element, item)
		{
			if (cJSON_IsObject(element) || cJSON_IsArray(element) ||
			    cJSON_IsNull(element))
				return false;
		}
		return true;
	}
	cJSON_ArrayForEach(element, item)
	{
		if (!cJSON_IsString(element))
			return false;
	}
	return cJSON_IsArray(item);
}

/* The members of an object as a list of pairs. */
static cJSON *
list_pairs(const cJSON *object)
{
	cJSON *list = cJSON_CreateArray();
	const cJSON *member;

	cJSON_ArrayForEach(member, object)
	{
		struct buf pair cleanup(buf_fini) = {0};

		buf_addf(&pair, "%s=", member->string);
		if (cJSON_IsString(member))
			buf_adds(&pair, member->valuestring);
		else if (cJSON_IsBool(member))
			buf_adds(&pair, cJSON_IsTrue(member) ? "true" : "false");
		else
			buf_addf(&pair, "%.17g", member->valuedouble);
		cJSON_AddItemToArray(list, cJSON_CreateString(buf_text(&pair)));
	}
	return list;
}

/* The item is of its type. number holds what a number becomes. */
static void
take_words(struct words *words, const char **list, const cJSON *item, char number[NUMBER_BYTES])
{
	const cJSON *element;

	words->text = list;
	if (cJSON_IsNumber(item))
		snprintf(number, NUMBER_BYTES, "%.0f", item->valuedouble);
	if (cJSON_IsNumber(item))
		list[words->count++] = number;
	else if (cJSON_IsBool(item))
		list[words->count++] = cJSON_IsTrue(item) ? "true" : "false";
	else if (cJSON_IsString(item))
		list[words->count++] = item->valuestring;
	else
		cJSON_ArrayForEach(element, item) list[words->count++] = element->valuestring;
}

static int
put_item(struct config *config, size_t index, const struct jsonc *doc, const cJSON *item,
	 const char *path, struct error *why)
{
	size_t count = cJSON_IsArray(item) ? (size_t)cJSON_GetArraySize(item) : 1, bad;
	const char **list cleanup(free_drop) = calloc(count + 1, sizeof(*list));
	struct buf origin cleanup(buf_fini) = {0};
	struct words words = {0};
	char number[NUMBER_BYTES];
	unsigned int line, column;
	int err;

	if (!list)
		return error_set(why, -ENOMEM, "out of memory");
	take_words(&words, list, item, number);
	jsonc_locate(doc, item, &line, &column);
	buf_addf(&origin, "%s:%u", path, line);
	err = put(config, index, &words, buf_text(&origin), &bad, why);
	if (err == -EINVAL && cJSON_IsArray(item))
		item = cJSON_GetArrayItem(item, (int)bad);
	if (err == -EINVAL && why)
		jsonc_locate(doc, item, &why->line, &why->column);
	return err;
}

/* As the list of pairs that it stands for. */
static int
put_object(struct config *config, size_t index, const struct jsonc *doc, const cJSON *object,
	   const char *path, struct error *why)
{
	cJSON *pairs = list_pairs(object);
	const char **list cleanup(free_drop) =
		calloc((size_t)cJSON_GetArraySize(pairs) + 1, sizeof(*list));
	struct buf origin cleanup(buf_fini) = {0};
	struct words words = {0};
	unsigned int line, column;
	size_t bad;
	int err;

	jsonc_locate(doc, object, &line, &column);
	buf_addf(&origin, "%s:%u", path, line);
	if (list) {
		take_words(&words, list, pairs, NULL);
		err = put(config, index, &words, buf_text(&origin), &bad, why);
	} else {
		err = error_set(why, -ENOMEM, "out of memory");
	}
	cJSON_Delete(pairs);
	if (err == -EINVAL && why)
		jsonc_locate(doc, object, &why->line, &why->column);
	return err;
}

int
setting_put_json(struct config *config, size_t index, const struct jsonc *doc, const cJSON *item,
		 const char *path, struct error *why)
{
	if (!is_of_type(settings[index].type, item))
		return fail_type(&settings[index], doc, item, why);
	if (cJSON_IsObject(item))
		return put_object(config, index, doc, item, path, why);
	return put_item(config, index, doc, item, path, why);
}

int
setting_add_pair(struct config *config, size_t index, const char *pair, const char *origin,
		 struct error *why)
{
	const struct owned *owned = config->owned;
	const setting_PAIRS *member = (void *)((char *)config + settings[index].offset);
	struct buf origins cleanup(buf_fini) = {0};
	const char **list cleanup(free_drop) = NULL;
	struct words words = {0};
	size_t bad;

	while ((*member)[words.count])
		words.count++;
	list = calloc(words.count + 1, sizeof(*list));
	if (!list)
		return error_set(why, -ENOMEM, "out of memory");
	memcpy(list, *member, words.count * sizeof(*list));
	list[words.count++] = pair;
	words.text = list;
	if (words.count > 1 && !strstr(owned->origins[index], origin))
		buf_addf(&origins, "%s, ", owned->origins[index]);
	buf_adds(&origins, words.count > 1 && !origins.length ? owned->origins[index] : origin);
	return put(config, index, &words, buf_text(&origins), &bad, why);
}
