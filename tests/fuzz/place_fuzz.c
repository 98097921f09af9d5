/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* place_fuzz - override lists, geofeeds, legal groups and import tables. The first byte chooses. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "place/import_build.h"
#include "place/legal.h"
#include "place/overrides.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_overrides(enum overrides_format format, char *text, size_t length)
{
	struct overrides overrides = {0};
	struct ip ip = ip_from_v4(0x08080808);
	struct error why = {0};
	uint64_t entries;
	uint8_t file;

	if (overrides_read(&overrides, format, text, length, &entries, &why) == 0 &&
	    overrides_finish(&overrides, &file, &why) == 0)
		overrides_find(&overrides, &ip);
	overrides_fini(&overrides);
}

static void
try_legal(const char *text, size_t length)
{
	struct legal legal = {0};
	struct error why = {0};
	uint64_t entries;
	int64_t date_ms;

	if (legal_read(&legal, text, length, &entries, &date_ms, &why) == 0 &&
	    legal_finish(&legal) == 0)
		legal_law(&legal, country_find("DE", 2), 1600000000000);
	legal_fini(&legal);
}

static void
try_import(enum place_format format, char *text, size_t length)
{
	struct import import = {0};
	struct import_row row;
	struct csv_row cells;
	struct tree tree = {0};
	struct error why = {0};
	struct csv csv;

	csv_init(&csv, text, length, import_separator(format));
	while (csv_next(&csv, &cells, &why) > 0 &&
	       import_read_row(&row, format, &cells, &import.names, &why) == 0) {
		if (row.is_useful)
			import_add(&import, &row);
	}
	import_build(&import, &tree);
	tree_merge(&tree);
	tree_fini(&tree);
	import_fini(&import);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size == 0 || !(text = malloc(size)))
		return 0;
	memcpy(text, data + 1, size - 1);
	switch (data[0]) {
	case 'l':
		try_legal(text, size - 1);
		break;
	case 'o':
	case 'g':
		try_overrides(data[0] == 'o' ? OVERRIDES_LIST : OVERRIDES_GEOFEED, text, size - 1);
		break;
	default:
		try_import((enum place_format)(data[0] % 3), text, size - 1);
		break;
	}
	free(text);
	return 0;
}
