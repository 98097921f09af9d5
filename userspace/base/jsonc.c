/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* jsonc.c - blank the comments, check, let cJSON parse, refuse keys that occur twice. */
#include "base/jsonc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/jsonc_walk.h"

#define FILE_BYTES_MAX ((size_t)64 << 20)
#define NO_END         SIZE_MAX

/* Line and column of an offset. */
static void
place(const char *text, size_t offset, unsigned int *line, unsigned int *column)
{
	*line = *column = 1;
	for (size_t i = 0; i < offset; i++) {
		if (text[i] == '\n') {
			++*line;
			*column = 1;
		} else {
			++*column;
		}
	}
}

static int
fail_at(const char *text, size_t offset, struct error *why, const char *problem)
{
	if (why)
		place(text, offset, &why->line, &why->column);
	return error_set(why, -EINVAL, "%s", problem);
}

static size_t
string_end(const char *text, size_t at, size_t length)
{
	for (at++; at < length && text[at] != '"' && text[at] != '\n'; at++)
		if (text[at] == '\\' && at + 1 < length)
			at++;
	return at < length ? at + 1 : length;
}

/* The offset after the comment that starts here; at itself when none does; NO_END. */
static size_t
comment_end(const char *text, size_t at, size_t length)
{
	const char *end;

	if (text[at] != '/' || at + 1 == length)
		return at;
	if (text[at + 1] == '/') {
		end = memchr(text + at, '\n', length - at);
		return end ? (size_t)(end - text) : length;
	}
	if (text[at + 1] != '*')
		return at;
	end = memmem(text + at + 2, length - at - 2, "*/", 2);
	return end ? (size_t)(end - text) + 2 : NO_END;
}

/* Every byte keeps its place: newlines stay, the rest of a comment turns to spaces. */
static int
blank_comments(char *text, size_t length, struct error *why)
{
	size_t at = 0, end;

	if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		memset(text, ' ', 3);
	while (at < length) {
		if (text[at] == '"') {
			at = string_end(text, at, length);
			continue;
		}
		end = comment_end(text, at, length);
		if (end == NO_END)
			return fail_at(text, at, why, "the comment has no end");
		if (end == at)
			at++;
		for (; at < end; at++)
			if (text[at] != '\n')
				text[at] = ' ';
	}
	return 0;
}

struct key {
	const cJSON *item;
	size_t index;
};

static int
compare_keys(const void *left, const void *right)
{
	const struct key *a = left, *b = right;
	int order = strcmp(a->item->string, b->item->string);

	return order ? order : (a->index > b->index) - (a->index < b->index);
}

/* The second member with the name of an earlier one, the first such in the text; or NULL. */
static int
find_repeated(const cJSON *object, const cJSON **out)
{
	size_t count = (size_t)cJSON_GetArraySize(object), first = SIZE_MAX;
	struct key *keys cleanup(free_drop) = calloc(count + 1, sizeof(*keys));
	const cJSON *child = object->child;

	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++, child = child->next)
		keys[i] = (struct key){.item = child, .index = i};
	qsort(keys, count, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(keys[i - 1].item->string, keys[i].item->string) == 0 &&
		    keys[i].index < first) {
			first = keys[i].index;
			*out = keys[i].item;
		}
	}
	return 0;
}

static int
refuse_repeated(const struct jsonc *doc, const cJSON *item, struct error *why)
{
	const cJSON *repeated = NULL, *child;
	int err = cJSON_IsObject(item) ? find_repeated(item, &repeated) : 0;

	if (err)
		return error_set(why, err, "out of memory");
	if (repeated)
		return jsonc_error(doc, repeated, why, "'%s' is given twice", repeated->string);
	cJSON_ArrayForEach(child, item)
	{
		err = refuse_repeated(doc, child, why);
		if (err)
			return err;
	}
	return 0;
}

static int
parse(struct jsonc *doc, struct error *why)
{
	struct jsonc_walk walk = {.text = doc->text, .length = doc->length};
	int err = blank_comments(doc->text, doc->length, why);

	if (err)
		return err;
	jsonc_walk(&walk, NULL);
	if (walk.problem)
		return fail_at(doc->text, walk.at, why, walk.problem);
	doc->root = cJSON_ParseWithLengthOpts(doc->text, doc->length + 1, NULL, 1);
	if (!doc->root)
		return error_set(why, -ENOMEM, "out of memory");
	return refuse_repeated(doc, doc->root, why);
}

int
jsonc_parse(struct jsonc *doc, const char *text, size_t length, struct error *why)
{
	struct jsonc copy cleanup(jsonc_fini) = {.length = length};
	int err;

	copy.text = malloc(length + 1);
	if (!copy.text)
		return error_set(why, -ENOMEM, "out of memory");
	if (length)
		memcpy(copy.text, text, length);
	copy.text[length] = '\0';
	err = parse(&copy, why);
	if (err)
		return err;
	doc->root = take(copy.root);
	doc->text = take(copy.text);
	doc->length = length;
	return 0;
}

int
jsonc_parse_file(struct jsonc *doc, const char *path, struct error *why)
{
	struct buf text cleanup(buf_fini) = {0};
	int err;

	if (why) {
		*why = (struct error){0};
		snprintf(why->file, sizeof(why->file), "%s", path);
	}
	err = buf_read_file(&text, path, FILE_BYTES_MAX);
	if (err)
		return error_set(why, err, "cannot read it: %s", strerror(-err));
	return jsonc_parse(doc, text.data, text.length, why);
}

void
jsonc_fini(struct jsonc *doc)
{
	if (!doc)
		return;
	cJSON_Delete(doc->root);
	free(doc->text);
	*doc = (struct jsonc){0};
}

void
jsonc_locate(const struct jsonc *doc, const cJSON *item, unsigned int *line, unsigned int *column)
{
	struct jsonc_walk walk = {.text = doc->text, .length = doc->length, .wanted = item};

	*line = *column = 0;
	if (!item || !doc->root)
		return;
	jsonc_walk(&walk, doc->root);
	if (walk.is_found)
		place(doc->text, walk.found, line, column);
}

int
jsonc_error(const struct jsonc *doc, const cJSON *item, struct error *why, const char *format, ...)
{
	char text[sizeof(why->text)];
	va_list args;

	if (!why)
		return -EINVAL;
	jsonc_locate(doc, item, &why->line, &why->column);
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return error_set(why, -EINVAL, "%s", text);
}
