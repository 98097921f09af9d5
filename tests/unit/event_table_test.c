/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* event_table_test - the field tables keep their promises: order, names, privacy. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "event_samples.h"

/* What probes send, and what is written besides. */
static const struct event_type *const *
all_types(size_t *count)
{
	static const struct event_type *all[WIRE_KIND_MAX + 1];
	const struct event_type *const *types = event_types(count);

	memcpy(all, types, *count * sizeof(all[0]));
	all[(*count)++] = &event_finding;
	return all;
}

/* The next component of a path: its length, and past it in *path. */
static size_t
component(const char **path, const char **start)
{
	size_t length;

	*start = *path += **path == '.' || **path == '[';
	length = strcspn(*path, ".[]");
	*path += length + ((*path)[length] == ']');
	return length;
}

/* Below 0 when a's path is written before b's; elements of an array keep the table's order. */
static int
compare(const char *a, const char *b)
{
	while (*a && *b) {
		bool is_element = *a == '[';
		const char *left, *right;
		size_t left_length = component(&a, &left);
		size_t right_length = component(&b, &right);
		size_t least = left_length < right_length ? left_length : right_length;
		int order = memcmp(left, right, least);

		if (!order && left_length != right_length)
			order = left_length < right_length ? -1 : 1;
		if (order)
			return is_element ? -1 : order;
	}
	return *a ? 1 : *b ? -1 : 0;
}

static void
rows_stand_in_canonical_order(void **state)
{
	size_t count;
	const struct event_type *const *types = all_types(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		const struct field *last = types[i]->fields;

		for (const struct field *row = last + 1; row->name || row->ocsf; row++) {
			if (!row->ocsf)
				continue;
			if (compare(last->ocsf, row->ocsf) >= 0)
				fail_msg("%s: %s stands before %s", types[i]->name, last->ocsf,
					 row->ocsf);
			last = row;
		}
	}
}

/* It copies keys whole, and looks for no more than what parts the names of a path. */
static void
paths_suit_the_writer(void **state)
{
	size_t count;
	const struct event_type *const *types = all_types(&count);

	(void)state;
	for (size_t i = 0; i < count; i++)
		for (const struct field *row = types[i]->fields; row->name || row->ocsf; row++) {
			if (!row->ocsf)
				continue;
			assert_in_range(row->key_length, 1, FIELD_KEY_BYTES - 1);
			assert_int_equal(row->key_length, strlen(row->key));
			assert_int_equal(strspn(row->ocsf, "abcdefghijklmnopqrstuvwxyz_"
							   "0123456789.[]"),
					 strlen(row->ocsf));
			assert_int_equal(row->constant_length,
					 row->constant ? strlen(row->constant) : 0);
			assert_int_equal(row->parent_length, row->parent ? strlen(row->parent) : 0);
			if (row->parent)
				assert_memory_equal(row->ocsf, row->parent, row->parent_length);
		}
}

static void
elements_are_written_once(void **state)
{
	size_t count;
	const struct event_type *const *types = all_types(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		char seen[512] = " ", type[64], last[64] = "";

		for (const struct field *row = types[i]->fields; row->name || row->ocsf; row++) {
			if (!row->ocsf || sscanf(row->ocsf, "enrichments[%60[a-z]]", type) != 1 ||
			    strcmp(type, last) == 0)
				continue;
			assert_null(strstr(seen, type));
			strcat(strcat(seen, type), " ");
			strcpy(last, type);
		}
	}
}

static void
names_are_unique_and_documented(void **state)
{
	size_t count;
	const struct event_type *const *types = all_types(&count);

	(void)state;
	for (size_t i = 0; i < count; i++)
		for (const struct field *row = types[i]->fields; row->name || row->ocsf; row++) {
			if (!row->name)
				continue;
			assert_ptr_equal(event_field(types[i], row->name), row);
			assert_non_null(row->doc);
			assert_non_null(row->ocsf);
			assert_null(row->constant);
		}
}

static void
personal_rows_are_written_as_facts(void **state)
{
	static const size_t personal[] = {
		offsetof(struct event, process.uid),
		offsetof(struct event, process.gid),
		offsetof(struct event, process.user),
		offsetof(struct event, process.argv),
		offsetof(struct event, process.exe),
		offsetof(struct event, process.name),
		offsetof(struct event, process.loginuid),
		offsetof(struct event, process.unit),
		offsetof(struct event, process.login_user),
		offsetof(struct event, process.parent_name),
		offsetof(struct event, process.cgroup_path),
	};
	size_t count;
	const struct event_type *const *types = all_types(&count);

	(void)state;
	for (size_t i = 0; i < count; i++)
		for (const struct field *row = types[i]->fields; row->name || row->ocsf; row++) {
			bool is_personal = row->privacy != PRIVACY_NONE;

			for (size_t j = 0; j < sizeof(personal) / sizeof(personal[0]); j++)
				is_personal |= row->offset == personal[j];
			if (is_personal && row->form != FORM_FACT_TEXT && row->form != FORM_HEX)
				fail_msg("%s: %s is written raw", types[i]->name, row->ocsf);
		}
}

static void
registry_follows_the_wire(void **state)
{
	static const struct {
		unsigned int kind;
		const char *name, *sentence;
	} kinds[] = {
#define X(number, KIND, name, sentence) {number, #name, sentence},
		WIRE_KINDS(X)
#undef X
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct event_type *type = event_type_by_kind(kinds[i].kind);

		assert_non_null(type);
		assert_int_equal(type->kind, kinds[i].kind);
		assert_string_equal(type->name, kinds[i].name);
		assert_string_equal(type->sentence, kinds[i].sentence);
		assert_ptr_equal(event_type_by_name(kinds[i].name), type);
	}
	assert_null(event_type_by_kind(0));
	assert_null(event_type_by_kind(WIRE_KIND_MAX));
	assert_null(event_type_by_kind(65535));
	assert_null(event_type_by_name("flo"));
	assert_null(event_type_by_name("finding")); /* rules do not speak of them */
	assert_null(event_field(&event_flow, "dst.prot"));
}

static void
an_empty_event_has_nothing(void **state)
{
	static struct event event;
	size_t count;
	const struct event_type *const *types = all_types(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		event_init(&event, types[i]);
		for (const struct field *row = types[i]->fields; row->name || row->ocsf; row++)
			if (row->name && row->type != FIELD_BOOL && event_has(&event, row))
				fail_msg("%s has %s", types[i]->name, row->name);
	}
}

static void
fields_read_their_members(void **state)
{
	static struct event event;

	(void)state;
	sample_make(&event, &samples[0]);
#define F(name) event_field(event.type, name)
	assert_int_equal(event_int(&event, F("dst.port")), 443);
	assert_string_equal(event_string(&event, F("process.user")), "alice");
	assert_true(ip_equal(event_ip(&event, F("dst.ip")), &event.dst));
	assert_string_equal(event_set(&event, F("dst.location_law"))[1], "eea");
	assert_int_equal(event_int(&event, F("alert")), 1);
	assert_int_equal(event_int(&event, F("dst.ip")), ABSENT);
	assert_null(event_string(&event, F("dst.ip")));
	assert_null(event_set(&event, F("dst.ip")));
	assert_null(event_ip(&event, F("dst.port")));
	assert_true(event_has(&event, F("dst.operator_law")));
	assert_false(event_has(&event, F("count")));
#undef F
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_stand_in_canonical_order),
		cmocka_unit_test(paths_suit_the_writer),
		cmocka_unit_test(elements_are_written_once),
		cmocka_unit_test(names_are_unique_and_documented),
		cmocka_unit_test(personal_rows_are_written_as_facts),
		cmocka_unit_test(registry_follows_the_wire),
		cmocka_unit_test(an_empty_event_has_nothing),
		cmocka_unit_test(fields_read_their_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
