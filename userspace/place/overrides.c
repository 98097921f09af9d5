/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* overrides - read override lists and geofeeds into a table of prefixes. Pure. */
#include "place/overrides.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "place/csv.h"

struct fact_index {
	UT_hash_handle hh;
	struct facts facts;
	uint32_t at;
};

static void
forget_index(struct overrides *overrides)
{
	struct fact_index *item, *next;

	HASH_ITER (hh, overrides->index, item, next) {
		HASH_DEL(overrides->index, item);
		free(item);
	}
}

static int
grow(struct overrides *overrides)
{
	uint32_t room = overrides->room ? overrides->room * 2 : 64;
	struct facts *facts;

	if (overrides->count < overrides->room)
		return 0;
	facts = reallocarray(overrides->facts, room, sizeof(*facts));
	if (!facts)
		return -ENOMEM;
	overrides->facts = facts;
	overrides->room = room;
	return 0;
}

/* The index of these facts; many prefixes share few combinations. */
static int
keep_facts(struct overrides *overrides, const struct facts *facts, uint32_t *at)
{
	struct fact_index *item = NULL;

	HASH_FIND(hh, overrides->index, facts, sizeof(*facts), item);
	if (item) {
		*at = item->at;
		return 0;
	}
	item = calloc(1, sizeof(*item));
	if (!item || grow(overrides) < 0) {
		free(item);
		return -ENOMEM;
	}
	item->facts = *facts;
	item->at = *at = overrides->count;
	HASH_ADD(hh, overrides->index, facts, sizeof(*facts), item);
	if (!item->hh.tbl) {
		free(item);
		return -ENOMEM;
	}
	overrides->facts[overrides->count++] = *facts;
	return 0;
}

static int
keep_text(struct overrides *overrides, const char **out, const char *text)
{
	if (!*text)
		return 0;
	*out = names_keep(&overrides->names, text, strlen(text));
	return *out ? 0 : -ENOMEM;
}

static int
read_country(uint8_t *out, const struct csv_row *row, size_t cell, struct error *why)
{
	const char *text = csv_cell(row, cell);

	if (!*text)
		return 0;
	csv_locate(row, cell, why);
	return country_parse(out, text, why);
}

/* prefix,location,operator_country[,provider[,region]] */
static int
read_list_row(struct overrides *overrides, const struct csv_row *row, struct facts *facts,
	      struct error *why)
{
	if (row->count < 3 || row->count > 5) {
		csv_locate(row, row->count < 3 ? row->count - 1 : 5, why);
		return error_set(why, -EINVAL,
				 "expected prefix,location,operator_country[,provider[,region]], "
				 "got %zu cells",
				 row->count);
	}
	if (read_country(&facts->location, row, 1, why) < 0 ||
	    read_country(&facts->operator_country, row, 2, why) < 0)
		return -EINVAL;
	if (keep_text(overrides, &facts->provider, csv_cell(row, 3)) < 0 ||
	    keep_text(overrides, &facts->region, csv_cell(row, 4)) < 0)
		return error_set(why, -ENOMEM, "no memory");
	return 0;
}

/* prefix,CC,region,city,postal: RFC 8805 lets the case of CC be, and all but the prefix be absent.
 */
static int
read_geofeed_row(const struct csv_row *row, struct facts *facts, struct error *why)
{
	char code[3] = "";

	if (row->count > 5) {
		csv_locate(row, 5, why);
		return error_set(why, -EINVAL, "expected prefix,country,region,city,postal");
	}
	if (row->count > 1 && strlen(row->cells[1]) == 2) {
		code[0] = (char)toupper((unsigned char)row->cells[1][0]);
		code[1] = (char)toupper((unsigned char)row->cells[1][1]);
		memcpy(row->cells[1], code, 2);
	}
	return read_country(&facts->location, row, 1, why);
}

static int
read_row(struct overrides *overrides, enum overrides_format format, const struct csv_row *row,
	 struct error *why)
{
	struct facts facts;
	struct prefix prefix;
	uint32_t at;
	int err;

	memset(&facts, 0, sizeof(facts)); /* pads too: it is a key */
	csv_locate(row, 0, why);
	if (prefix_parse(&prefix, csv_cell(row, 0)) < 0)
		return error_set(why, -EINVAL,
				 "'%.64s' is no prefix (or has bits after its length)",
				 csv_cell(row, 0));
	err = format == OVERRIDES_LIST ? read_list_row(overrides, row, &facts, why)
				       : read_geofeed_row(row, &facts, why);
	if (err < 0)
		return err;
	err = keep_facts(overrides, &facts, &at);
	if (err == 0)
		err = prefixes_add(&overrides->prefixes, &prefix, at, row->line, overrides->files);
	return err < 0 ? error_set(why, err, "%s", strerror(-err)) : 0;
}

int
overrides_read(struct overrides *overrides, enum overrides_format format, char *text, size_t length,
	       uint64_t *entries, struct error *why)
{
	struct csv_row row;
	struct csv csv;
	int more;

	if (overrides->files == UINT8_MAX)
		return error_set(why, -EFBIG, "more than %d files", UINT8_MAX);
	*entries = 0;
	csv_init(&csv, text, length, ',');
	while ((more = csv_next(&csv, &row, why)) > 0) {
		int err = read_row(overrides, format, &row, why);

		if (err < 0)
			return err;
		++*entries;
	}
	overrides->files++;
	return more;
}

int
overrides_finish(struct overrides *overrides, uint8_t *file, struct error *why)
{
	uint32_t clash[2];
	uint8_t group;

	forget_index(overrides);
	if (prefixes_sort(&overrides->prefixes, clash, &group) == 0)
		return 0;
	*file = group;
	why->line = clash[1];
	why->column = 1;
	return error_set(why, -EINVAL, "this prefix contradicts line %u", clash[0]);
}

const struct facts *
overrides_find(const struct overrides *overrides, const struct ip *ip)
{
	uint32_t at = prefixes_find(&overrides->prefixes, ip);

	return at == PREFIX_NONE ? NULL : &overrides->facts[at];
}

void
overrides_fini(struct overrides *overrides)
{
	forget_index(overrides);
	prefixes_fini(&overrides->prefixes);
	names_fini(&overrides->names);
	free(overrides->facts);
	*overrides = (struct overrides){0};
}
