/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * json.c - an event as one canonical object (RFC 8785), straight from its rows.
 *
 * Rows come in the order of their paths, so writing is one pass: for each row
 * with a value, close the objects it is not in, open those it is in, write it.
 * An object that only weak rows have written to is taken back when it closes.
 */
#include <string.h>

#include "event/facts.h"
#include "event/text.h"

#define DEPTH_MAX   12
#define USUAL_BYTES 8192 /* room that spares most entries a second look */

struct level {
	size_t path_length; /* of the open path that this level ends */
	size_t start;       /* where its text begins in out: comma, key and bracket */
	bool is_array;
	bool has_value; /* a row that is not weak wrote here or below */
	bool is_first;  /* nothing is written in it: what comes next has no comma */
	bool was_first; /* the level above, before this one opened */
};

struct writer {
	struct buf *out;
	const struct event *event;
	const struct facts *facts;
	const char *path; /* of the last row; its first levels[depth].path_length bytes are open */
	const char *parent; /* of the last row: all of it is open; NULL: nothing is */
	size_t depth;
	struct level levels[DEPTH_MAX];
};

static void
separate(struct writer *writer)
{
	const struct buf *out = writer->out;
	char last = out->length ? out->data[out->length - 1] : '{';

	if (last != '{' && last != '[')
		text_byte(writer->out, ',');
}

/* Names are of a-z, _ and digits, and so above what parts them: . [ ] and the end. */
static size_t
name_length(const char *path)
{
	size_t length = 0;

	while (path[length] >= '_' || (path[length] >= '0' && path[length] <= '9'))
		length++;
	return length;
}

static void
close_level(struct writer *writer)
{
	struct level *level = &writer->levels[writer->depth--];

	if (!level->has_value) {
		writer->out->length = level->start;
		writer->levels[writer->depth].is_first = level->was_first;
		return;
	}
	text_byte(writer->out, level->is_array ? ']' : '}');
	writer->levels[writer->depth].has_value = true;
}

/* key NULL: an element of an array. */
static void
open_level(struct writer *writer, const char *key, size_t length, size_t path_length, bool is_array)
{
	struct level *above = &writer->levels[writer->depth++];
	struct buf *out = writer->out;
	char *at = text_room(out, length + sizeof(",\"\":{"));

	above[1] = (struct level){.path_length = path_length,
				  .start = out->length,
				  .is_array = is_array,
				  .is_first = true,
				  .was_first = above->is_first};
	if (!at)
		return;
	if (!above->is_first)
		*at++ = ',';
	above->is_first = false;
	if (key) {
		*at++ = '"';
		at = mempcpy(at, key, length);
		*at++ = '"';
		*at++ = ':';
	}
	*at++ = is_array ? '[' : '{';
	out->length = (size_t)(at - out->data);
}

static bool
is_inside(const struct writer *writer, const struct field *row)
{
	size_t length = writer->levels[writer->depth].path_length;

	if (length == 0)
		return true;
	if (length > row->parent_length || memcmp(row->ocsf, writer->path, length) != 0)
		return false;
	return row->ocsf[length] == '.' || row->ocsf[length] == '[';
}

/* Close and open levels until exactly the row's parent is open. Apart from place(), which is
 * quicker without it: most rows have the parent of the row before. */
static __attribute__((noinline)) void
enter(struct writer *writer, const struct field *row)
{
	size_t at;

	while (!is_inside(writer, row))
		close_level(writer);
	at = writer->levels[writer->depth].path_length;
	writer->path = row->ocsf;
	writer->parent = row->parent;
	while (at < row->parent_length) {
		const char *key = row->ocsf + at + (row->ocsf[at] == '.');
		size_t length = name_length(key);

		if (row->ocsf[at] == '[') {
			at = (size_t)(strchr(key, ']') + 1 - row->ocsf);
			open_level(writer, NULL, 0, at, false);
		} else {
			at = (size_t)(key + length - row->ocsf);
			open_level(writer, key, length, at, key[length] == '[');
		}
	}
}

/* The row's place, ready for its value. */
static struct buf *
place(struct writer *writer, const struct field *row)
{
	struct buf *out = writer->out;
	struct level *level;
	size_t skip;
	char *at;

	if (row->parent != writer->parent) /* equal texts are mostly one; else enter() compares */
		enter(writer, row);
	level = &writer->levels[writer->depth];
	level->has_value |= !row->weak;
	skip = level->is_first;
	level->is_first = false;
	at = text_room(out, FIELD_KEY_BYTES);
	if (at) {
		memcpy(at, row->key + skip, FIELD_KEY_BYTES - 1);
		out->length += row->key_length - skip;
	}
	return out;
}

static void
write_text(struct writer *writer, const struct field *row, const char *text)
{
	if (text)
		text_string(place(writer, row), text, strlen(text));
}

static void
write_int(struct writer *writer, const struct field *row, int64_t value)
{
	if (value != ABSENT)
		text_int(place(writer, row), value);
}

static void
write_bool(struct writer *writer, const struct field *row, bool value)
{
	buf_adds(place(writer, row), value ? "true" : "false");
}

static void
write_ip(struct writer *writer, const struct field *row)
{
	const struct ip *ip = event_ip(writer->event, row);
	char text[IP_TEXT];
	size_t length;

	if (event_has(writer->event, row)) {
		length = text_ip(text, ip);
		text_string(place(writer, row), text, length);
	}
}

static void
write_set(struct writer *writer, const struct field *row)
{
	const char *const *each = event_set(writer->event, row);
	struct buf *out;

	if (!each)
		return;
	out = place(writer, row);
	text_byte(out, '[');
	for (; *each; each++) {
		separate(writer);
		text_string(out, *each, strlen(*each));
	}
	text_byte(out, ']');
}

static void
write_plain(struct writer *writer, const struct field *row)
{
	switch (row->type) {
	case FIELD_STRING:
		write_text(writer, row, event_string(writer->event, row));
		break;
	case FIELD_INT:
		write_int(writer, row, event_int(writer->event, row));
		break;
	case FIELD_BOOL:
		if (event_int(writer->event, row))
			write_bool(writer, row, true);
		break;
	case FIELD_IP:
		write_ip(writer, row);
		break;
	case FIELD_SET:
		write_set(writer, row);
		break;
	}
}

static void
write_as_text(struct writer *writer, const struct field *row)
{
	int64_t value = event_int(writer->event, row);
	char text[INT_TEXT];

	if (value == ABSENT)
		return;
	text_digits(text, value);
	write_text(writer, row, text);
}

static void
write_hex(struct writer *writer, const struct field *row, const char *text)
{
	size_t length = text ? strlen(text) : 0;

	if (length && !text_is_utf8(text, length))
		text_hex(place(writer, row), text, length);
}

/* "attack.t1567.002", "T1041", "TA0010": where the id begins, or NULL. */
static const char *
technique_id(const char *tag)
{
	const char *id = strncasecmp(tag, "attack.", 7) == 0 ? tag + 7 : tag;
	size_t prefix = strncasecmp(id, "TA", 2) == 0 ? 2 : strncasecmp(id, "T", 1) == 0 ? 1 : 0;
	size_t digits = strspn(id + prefix, "0123456789");

	if (!prefix || digits != 4)
		return NULL;
	if (!id[prefix + 4])
		return id;
	if (prefix == 2 || id[5] != '.' || strspn(id + 6, "0123456789") != 3 || id[9])
		return NULL;
	return id;
}

static void
write_attack(struct buf *out, const char *id)
{
	bool is_tactic = id[1] == 'A' || id[1] == 'a';
	const char *digits = id + 1 + is_tactic;

	buf_adds(out, "{");
	if (digits[4]) {
		buf_adds(out, "\"sub_technique\":{\"uid\":\"T");
		buf_adds(out, digits);
		buf_adds(out, "\"},");
	}
	buf_adds(out, is_tactic ? "\"tactic\":{\"uid\":\"TA" : "\"technique\":{\"uid\":\"T");
	buf_add(out, digits, 4);
	buf_adds(out, "\"}}");
}

static void
write_techniques(struct writer *writer, const struct field *row)
{
	const char *const *each = event_set(writer->event, row);
	struct buf *out = NULL;
	const char *id;

	for (; each && *each; each++) {
		id = technique_id(*each);
		if (!id)
			continue;
		if (!out) {
			out = place(writer, row);
			text_byte(out, '[');
		}
		separate(writer);
		write_attack(out, id);
	}
	if (out)
		text_byte(out, ']');
}

static void
write_row(struct writer *writer, const struct field *row)
{
	const void *fact = (const char *)writer->facts + row->fact;

	if (row->constant) {
		buf_add(place(writer, row), row->constant, row->constant_length);
		return;
	}
	switch (row->form) {
	case FORM_PLAIN:
		write_plain(writer, row);
		break;
	case FORM_TEXT:
		write_as_text(writer, row);
		break;
	case FORM_FACT_TEXT:
		write_text(writer, row, *(const char *const *)fact);
		break;
	case FORM_FACT_INT:
		write_int(writer, row, *(const int64_t *)fact);
		break;
	case FORM_FACT_BOOL:
		write_bool(writer, row, *(const bool *)fact);
		break;
	case FORM_HEX:
		write_hex(writer, row, *(const char *const *)fact);
		break;
	case FORM_TECHNIQUES:
		write_techniques(writer, row);
		break;
	}
}

void
event_write(struct buf *out, const struct event *event, const struct event_stamp *stamp,
	    const struct privacy *privacy)
{
	struct facts facts;
	struct writer writer; /* levels are filled as they open */

	facts_fill(&facts, event, stamp, privacy);
	buf_reserve(out, USUAL_BYTES);
	writer.out = out;
	writer.event = event;
	writer.facts = &facts;
	writer.path = "";
	writer.parent = NULL;
	writer.depth = 0;
	writer.levels[0] = (struct level){.has_value = true, .is_first = true};
	text_byte(out, '{');
	for (const struct field *row = event->type->fields; row->name || row->ocsf; row++)
		if (row->ocsf)
			write_row(&writer, row);
	while (writer.depth)
		close_level(&writer);
	text_byte(out, '}');
}
