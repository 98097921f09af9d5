/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_fields - `demarc fields`: what each kind of event can say, as rules and OCSF name it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "commands.h"
#include "event.h"
#include "event/text.h"
#include "options.h"

#define FIELDS_MAX 256

static const char help[] =
	"usage: demarc fields [--json] [KIND]\n\n"
	"List the kinds of event, or of one KIND, with their fields: the name that rules\n"
	"use, its type, whose privacy mode applies, where it stands in the OCSF entry,\n"
	"and what it means.\n\n"
	"  -j, --json              one array for programs\n"
	"  -h, --help              this text\n";

static const char *
type_name(enum field_type type)
{
	switch (type) {
	case FIELD_STRING:
		return "string";
	case FIELD_INT:
		return "int";
	case FIELD_BOOL:
		return "bool";
	case FIELD_IP:
		return "ip";
	case FIELD_SET:
		return "set";
	}
	return "?";
}

static const char *
privacy_name(enum field_privacy privacy)
{
	switch (privacy) {
	case PRIVACY_NONE:
		return "none";
	case PRIVACY_USER:
		return "user";
	case PRIVACY_ARGV:
		return "argv";
	case PRIVACY_ORIGIN:
		return "origin";
	case PRIVACY_PEER:
		return "peer";
	case PRIVACY_PATH:
		return "path";
	case PRIVACY_CLASSES:
		break;
	}
	return "?";
}

static int
by_name(const void *a, const void *b)
{
	return strcmp((*(const struct field *const *)a)->name,
		      (*(const struct field *const *)b)->name);
}

/* The named rows of a kind, by name; their number. */
static size_t
sort(const struct event_type *type, const struct field *rows[FIELDS_MAX])
{
	size_t count = 0;

	for (const struct field *row = type->fields; row->name || row->ocsf; row++)
		if (row->name && count < FIELDS_MAX)
			rows[count++] = row;
	qsort(rows, count, sizeof(rows[0]), by_name);
	return count;
}

static int
longer(const char *text, int width)
{
	int length = text ? (int)strlen(text) : 0;

	return length > width ? length : width;
}

static void
print_kind(const struct event_type *type)
{
	const struct field *rows[FIELDS_MAX];
	size_t count = sort(type, rows);
	int name_width = 0, ocsf_width = 1;

	for (size_t i = 0; i < count; i++) {
		name_width = longer(rows[i]->name, name_width);
		ocsf_width = longer(rows[i]->ocsf, ocsf_width);
	}
	printf("%s - %s (OCSF class %d)\n", type->name, type->sentence, type->class_uid);
	for (size_t i = 0; i < count; i++)
		printf("  %-*s  %-6s  %-6s  %-*s  %s\n", name_width, rows[i]->name,
		       type_name(rows[i]->type), privacy_name(rows[i]->privacy), ocsf_width,
		       rows[i]->ocsf ? rows[i]->ocsf : "-", rows[i]->doc);
}

static void
add_member(struct buf *out, const char *key, const char *text)
{
	buf_addf(out, ",\"%s\":", key);
	if (text)
		text_string(out, text, strlen(text));
	else
		buf_adds(out, "null");
}

static void
add_field(struct buf *out, const struct field *row)
{
	buf_adds(out, "{\"name\":");
	text_string(out, row->name, strlen(row->name));
	add_member(out, "type", type_name(row->type));
	add_member(out, "privacy", privacy_name(row->privacy));
	add_member(out, "ocsf", row->ocsf);
	add_member(out, "doc", row->doc);
	buf_adds(out, "}");
}

static void
add_kind(struct buf *out, const struct event_type *type)
{
	const struct field *rows[FIELDS_MAX];
	size_t count = sort(type, rows);

	buf_addf(out, "%s{\"kind\":\"%s\",\"class_uid\":%d", out->length > 1 ? ",\n" : "",
		 type->name, type->class_uid);
	add_member(out, "sentence", type->sentence);
	buf_adds(out, ",\"fields\":[");
	for (size_t i = 0; i < count; i++) {
		buf_adds(out, i ? ",\n" : "\n");
		add_field(out, rows[i]);
	}
	buf_adds(out, "]}");
}

/* type NULL: all kinds. */
static int
show(const struct event_type *type, bool json)
{
	struct buf out cleanup(buf_fini) = {0};
	size_t count;
	const struct event_type *const *types = event_types(&count);

	buf_addc(&out, '[');
	for (size_t i = 0; i < count; i++) {
		if (type && types[i] != type)
			continue;
		if (json)
			add_kind(&out, types[i]);
		else
			print_kind(types[i]);
	}
	if (json)
		printf("%s]\n", buf_text(&out));
	return out.failed ? EXIT_IO : EXIT_OK;
}

static int
refuse_kind(const char *word)
{
	const char *names[WIRE_KIND_MAX];
	size_t count;
	const struct event_type *const *types = event_types(&count);

	for (size_t i = 0; i < count; i++)
		names[i] = types[i]->name;
	return refuse_name("fields", "kind", word, names, count);
}

int
cmd_fields(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
	static const struct usage usage = {"fields", help, ":jh", options};
	const struct event_type *type = NULL;
	struct error why = {0};
	bool json = false;
	int letter;

	while ((letter = usage_next(&usage, argc, argv, &why)) >= 0) {
		if (letter != 'j')
			return usage_end(&usage, letter, &why);
		json = true;
	}
	if (argc - optind > 1)
		return usage_refuse(&usage, "'%s' is one argument too many", argv[optind + 1]);
	if (optind < argc && !(type = event_type_by_name(argv[optind])))
		return refuse_kind(argv[optind]);
	return show(type, json);
}
