/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* line.c - a message as kcat -J prints it. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/jsonc.h"
#include "consumer.h"

#define EXACT_MAX 9007199254740991.0 /* 2^53 - 1 */

struct reader {
	const struct jsonc *doc;
	struct error *why;
};

static int
read_integer(const struct reader *reader, const char *name, double least, double most, int64_t *out)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(reader->doc->root, name);
	double value;

	if (!item)
		return 0;
	value = item->valuedouble;
	if (!cJSON_IsNumber(item) || !(value >= least && value <= most) || value != trunc(value))
		return jsonc_error(reader->doc, item, reader->why, "%s must be an integer", name);
	*out = (int64_t)value;
	return 0;
}

/* null stands for bytes that are not there. */
static int
read_bytes(const struct reader *reader, const char *name, const char **out, size_t *length)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(reader->doc->root, name);

	*out = NULL;
	*length = 0;
	if (!item || cJSON_IsNull(item))
		return 0;
	if (!cJSON_IsString(item))
		return jsonc_error(reader->doc, item, reader->why, "%s must be a string", name);
	*out = item->valuestring;
	*length = strlen(item->valuestring);
	return 0;
}

static int
add_header(struct consumer_message *out, const cJSON *name, const cJSON *value)
{
	struct consumer_header *header;

	if (!cJSON_IsString(name) || !(cJSON_IsString(value) || cJSON_IsNull(value)))
		return -EINVAL;
	if (out->header_count == CONSUMER_HEADERS) {
		out->has_more_headers = true;
		return 0;
	}
	header = &out->headers[out->header_count++];
	header->name = name->valuestring;
	header->value = cJSON_IsString(value) ? value->valuestring : "";
	header->length = strlen(header->value);
	return 0;
}

/* A list in which names and values take turns. */
static int
read_headers(const struct reader *reader, struct consumer_message *out)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(reader->doc->root, "headers");
	const cJSON *name;

	if (!list || cJSON_IsNull(list))
		return 0;
	if (!cJSON_IsArray(list))
		return jsonc_error(reader->doc, list, reader->why, "headers must be a list");
	for (name = list->child; name; name = name->next->next)
		if (!name->next || add_header(out, name, name->next) < 0)
			return jsonc_error(reader->doc, name, reader->why,
					   "headers must be names and values in turn");
	return 0;
}

static int
read_message(const struct reader *reader, struct consumer_message *out)
{
	int64_t partition = 0, offset = -1;
	size_t length;
	int error;

	if (!cJSON_IsObject(reader->doc->root))
		return error_set(reader->why, -EINVAL, "a message must be an object");
	error = read_bytes(reader, "topic", &out->topic, &length);
	if (!error && !out->topic)
		error = error_set(reader->why, -EINVAL, "a message must have a topic");
	if (!error)
		error = read_integer(reader, "partition", 0, INT32_MAX, &partition);
	if (!error)
		error = read_integer(reader, "offset", 0, EXACT_MAX, &offset);
	if (!error)
		error = read_bytes(reader, "key", &out->key, &out->key_length);
	if (!error)
		error = read_bytes(reader, "payload", &out->value, &out->length);
	out->partition = (int32_t)partition;
	out->offset = offset;
	return error ? error : read_headers(reader, out);
}

int
consumer_line_read(struct consumer_line *line, struct consumer_message *out, const char *text,
		   size_t length, struct error *why)
{
	struct jsonc *doc = calloc(1, sizeof(*doc));
	struct reader reader = {doc, why};
	int error;

	if (!doc)
		return -ENOMEM;
	error = jsonc_parse(doc, text, length, why);
	if (error) {
		free(doc);
		return error;
	}
	*out = (struct consumer_message){0};
	line->document = doc;
	error = read_message(&reader, out);
	if (error)
		consumer_line_fini(line);
	return error;
}

void
consumer_line_fini(struct consumer_line *line)
{
	if (line->document)
		jsonc_fini(line->document);
	free(take(line->document));
}

const struct consumer_header *
consumer_header(const struct consumer_message *message, const char *name)
{
	size_t i;

	for (i = 0; i < message->header_count; i++)
		if (strcmp(message->headers[i].name, name) == 0)
			return &message->headers[i];
	return NULL;
}

int
consumer_from(const char *text, int64_t *out)
{
	char *end;

	if (strcmp(text, "beginning") == 0) {
		*out = CONSUMER_BEGINNING;
		return 0;
	}
	if (strcmp(text, "end") == 0) {
		*out = CONSUMER_END;
		return 0;
	}
	errno = 0;
	*out = strtoll(text, &end, 10);
	return *text && !*end && !errno ? 0 : -EINVAL;
}
