/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* json_read.c - an entry back into an event, by the paths of the same rows. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/jsonc.h"
#include "event.h"

#define EXACT_MAX 9007199254740991.0 /* 2^53 - 1 */

struct reader {
	struct event *event;
	struct buf *store; /* reserved once: what points into it must not move */
	const struct jsonc *doc;
	struct error *why;
};

/*
 * Finding
 * -------
 */

/* The element that [3] or [TYPE] names. */
static const cJSON *
find_element(const cJSON *array, const char *name, size_t length)
{
	const cJSON *element, *type;

	if (name[0] >= '0' && name[0] <= '9')
		return cJSON_GetArrayItem(array, atoi(name));
	cJSON_ArrayForEach(element, array)
	{
		type = cJSON_GetObjectItemCaseSensitive(element, "type");
		if (cJSON_IsString(type) && strncmp(type->valuestring, name, length) == 0 &&
		    !type->valuestring[length])
			return element;
	}
	return NULL;
}

static const cJSON *
find_member(const cJSON *object, const char *name, size_t length)
{
	char key[64];

	if (length >= sizeof(key) || !cJSON_IsObject(object))
		return NULL;
	memcpy(key, name, length);
	key[length] = '\0';
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const cJSON *
find(const cJSON *root, const char *path)
{
	const cJSON *item = root;
	size_t length;

	while (item && *path) {
		bool is_element = *path == '[';

		path += is_element || *path == '.';
		length = strcspn(path, ".[]");
		if (is_element && !cJSON_IsArray(item))
			return NULL;
		item = is_element ? find_element(item, path, length)
				  : find_member(item, path, length);
		path += length + is_element;
	}
	return item;
}

/*
 * Taking over
 * -----------
 */

static void *
carve(struct reader *reader, size_t length)
{
	size_t aligned = (reader->store->length + 7) & ~(size_t)7;

	reader->store->length = aligned + length;
	return reader->store->data + aligned;
}

static const char *
keep(struct reader *reader, const char *text)
{
	size_t bytes = strlen(text) + 1;

	return memcpy(carve(reader, bytes), text, bytes);
}

static int
complain(struct reader *reader, const cJSON *item, const struct field *row, const char *demand)
{
	return jsonc_error(reader->doc, item, reader->why, "%s must be %s", row->ocsf, demand);
}

/* Where a pseudonym is kept that stands for a number. */
static const char **
shown(struct event_process *process, const struct field *row)
{
	switch (row->offset) {
	case offsetof(struct event, process.uid):
		return &process->uid_shown;
	case offsetof(struct event, process.gid):
		return &process->gid_shown;
	case offsetof(struct event, process.loginuid):
		return &process->loginuid_shown;
	}
	return NULL;
}

/* An integer beyond 2^53 - 1, or one that OCSF wants as text. A pseudonym is no integer. */
static int
read_int_text(struct reader *reader, const struct field *row, const cJSON *item, int64_t *out)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(item->valuestring, &end, 10);
	if (item->valuestring[0] && !*end && !errno) {
		*out = value;
		return 0;
	}
	if (row->privacy == PRIVACY_NONE)
		return complain(reader, item, row, "an integer");
	if (shown(&reader->event->process, row))
		*shown(&reader->event->process, row) = keep(reader, item->valuestring);
	return 0;
}

static int
read_int(struct reader *reader, const struct field *row, const cJSON *item, int64_t *out)
{
	double value = item->valuedouble;

	if (cJSON_IsString(item))
		return read_int_text(reader, row, item, out);
	if (!cJSON_IsNumber(item) || !(fabs(value) <= EXACT_MAX) || value != trunc(value))
		return complain(reader, item, row, "an integer");
	*out = (int64_t)value;
	return 0;
}

static int
read_set(struct reader *reader, const struct field *row, const cJSON *item, const char *const **out)
{
	size_t count = (size_t)cJSON_GetArraySize(item), i = 0;
	const char **set;
	const cJSON *element;

	if (!cJSON_IsArray(item))
		return complain(reader, item, row, "a list of strings");
	set = carve(reader, (count + 1) * sizeof(*set));
	cJSON_ArrayForEach(element, item)
	{
		if (!cJSON_IsString(element))
			return complain(reader, element, row, "a list of strings");
		set[i++] = keep(reader, element->valuestring);
	}
	set[i] = NULL;
	*out = set;
	return 0;
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int
read_hex(struct reader *reader, const struct field *row, const cJSON *item, const char **out)
{
	size_t length = cJSON_IsString(item) ? strlen(item->valuestring) : 1;
	char *bytes;

	if (length % 2)
		return complain(reader, item, row, "pairs of hex digits");
	bytes = carve(reader, length / 2 + 1);
	for (size_t i = 0; i < length / 2; i++) {
		int high = digit(item->valuestring[2 * i]);
		int low = digit(item->valuestring[2 * i + 1]);

		if (high < 0 || low < 0)
			return complain(reader, item, row, "pairs of hex digits");
		bytes[i] = (char)(high << 4 | low);
	}
	bytes[length / 2] = '\0';
	*out = bytes;
	return 0;
}

static int
read_value(struct reader *reader, const struct field *row, const cJSON *item)
{
	void *member = (char *)reader->event + row->offset;

	if (row->form == FORM_HEX)
		return read_hex(reader, row, item, member);
	switch (row->type) {
	case FIELD_STRING:
		if (!cJSON_IsString(item))
			return complain(reader, item, row, "a string");
		*(const char **)member = keep(reader, item->valuestring);
		return 0;
	case FIELD_INT:
		return read_int(reader, row, item, member);
	case FIELD_BOOL:
		if (!cJSON_IsBool(item))
			return complain(reader, item, row, "true or false");
		*(bool *)member = cJSON_IsTrue(item);
		return 0;
	case FIELD_IP:
		if (!cJSON_IsString(item) || ip_parse(member, item->valuestring) < 0)
			return complain(reader, item, row, "an address");
		return 0;
	case FIELD_SET:
		return read_set(reader, row, item, member);
	}
	return 0;
}

/* Rows without a member of struct event say what can be worked out again. */
static bool
is_readable(const struct field *row)
{
	return row->ocsf && !row->constant && row->form != FORM_TECHNIQUES &&
	       row->offset != offsetof(struct event, type);
}

/* Raw bytes come last: they win over the text that stands for them. */
static int
read_rows(struct reader *reader, const cJSON *root, bool is_hex)
{
	const struct field *row = reader->event->type->fields;
	const cJSON *item;
	int err;

	for (; row->name || row->ocsf; row++) {
		if (!is_readable(row) || (row->form == FORM_HEX) != is_hex)
			continue;
		item = find(root, row->ocsf);
		err = item ? read_value(reader, row, item) : 0;
		if (err)
			return err;
	}
	return 0;
}

static int
read_type(const struct jsonc *doc, const struct event_type **out, struct error *why)
{
	const cJSON *kind = find(doc->root, "metadata.type");

	if (!cJSON_IsString(kind))
		return jsonc_error(doc, doc->root, why, "no event of demarc: no metadata.type");
	*out = event_type_by_name(kind->valuestring);
	if (strcmp(kind->valuestring, event_finding.name) == 0)
		*out = &event_finding;
	if (!*out)
		return jsonc_error(doc, kind, why, "no event kind '%.40s'", kind->valuestring);
	return 0;
}

int
event_read(struct event *event, struct buf *store, const char *json, size_t length,
	   struct error *why)
{
	struct jsonc doc cleanup(jsonc_fini) = {0};
	struct reader reader = {event, store, &doc, why};
	const struct event_type *type;
	int err = jsonc_parse(&doc, json, length, why);

	if (!err)
		err = read_type(&doc, &type, why);
	if (err)
		return err;
	buf_clear(store);
	/* A string is no longer than its JSON; an element of a set (3 bytes) costs a pointer and
	 * padding. */
	if (!buf_reserve(store, length * 10 + 4096))
		return -ENOMEM;
	event_init(event, type);
	err = read_rows(&reader, doc.root, false);
	return err ? err : read_rows(&reader, doc.root, true);
}
