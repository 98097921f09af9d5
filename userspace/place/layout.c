/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* layout - the layouts of MMDB records that are about. Pure. */
#include "place/layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PATH(...) ((const char *const[]){__VA_ARGS__, NULL})

static int
cut(char **text, const char **parts, const char *path)
{
	char *rest;
	size_t count = 0;

	if (!path || !*path)
		return 0;
	*text = strdup(path);
	if (!*text)
		return -ENOMEM;
	rest = *text;
	while (rest) {
		const char *part = strsep(&rest, ".");

		if (!*part || count == LAYOUT_PATH)
			return -EINVAL;
		parts[count++] = part;
	}
	return 0;
}

static bool
is_about_operators(const char *type)
{
	for (; *type; type++) {
		if (!strncasecmp(type, "asn", 3))
			return true;
	}
	return false;
}

int
layout_init(struct layout *layout, const struct database_options *options,
	    const char *database_type)
{
	int err = cut(&layout->texts[0], layout->location, options->location_path);

	layout->subject = options->subject;
	if (layout->subject == DATABASE_DETECT)
		layout->subject = database_type && is_about_operators(database_type)
					  ? DATABASE_OPERATOR
					  : DATABASE_LOCATION;
	if (err == 0)
		err = cut(&layout->texts[1], layout->operator_country, options->operator_path);
	return err;
}

void
layout_fini(struct layout *layout)
{
	free(layout->texts[0]);
	free(layout->texts[1]);
}

/* 1: found; 0: the record has no such member, or one of another shape; -EINVAL: corrupt. */
static int
get(MMDB_entry_s *entry, const char *const *path, MMDB_entry_data_s *data)
{
	int status = MMDB_aget_value(entry, data, path);

	if (status == MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR ||
	    status == MMDB_INVALID_LOOKUP_PATH_ERROR)
		return 0;
	if (status != MMDB_SUCCESS)
		return -EINVAL;
	return data->has_data;
}

/* Leaves *out alone when something is known already. */
static int
get_country(MMDB_entry_s *entry, const char *const *path, uint8_t *out)
{
	MMDB_entry_data_s data;
	int found = *out == COUNTRY_NONE ? get(entry, path, &data) : 0;

	if (found > 0 && data.type == MMDB_DATA_TYPE_UTF8_STRING)
		*out = country_find(data.utf8_string, data.data_size);
	return found < 0 ? found : 0;
}

static int
get_countries(const struct layout *layout, MMDB_entry_s *entry, struct facts *facts)
{
	uint8_t *flat =
		layout->subject == DATABASE_OPERATOR ? &facts->operator_country : &facts->location;
	uint8_t *nested = layout->subject == DATABASE_OPERATOR ? flat : &facts->location;
	bool is_given = layout->location[0] || layout->operator_country[0];
	int err = 0;

	if (layout->location[0])
		err = get_country(entry, layout->location, &facts->location);
	if (err == 0 && layout->operator_country[0])
		err = get_country(entry, layout->operator_country, &facts->operator_country);
	if (is_given || err < 0)
		return err;
	err = get_country(entry, PATH("registered_country", "iso_code"), &facts->operator_country);
	if (err == 0)
		err = get_country(entry, PATH("operator_country"), &facts->operator_country);
	if (err == 0)
		err = get_country(entry, PATH("country", "iso_code"), nested);
	if (err == 0)
		err = get_country(entry, PATH("country_code"), flat);
	if (err == 0)
		err = get_country(entry, PATH("country"), flat);
	return err;
}

/* A number, or text like "AS64500". */
static uint32_t
read_asn(const MMDB_entry_data_s *data)
{
	const char *text = data->utf8_string;
	uint64_t asn = 0;

	if (data->type == MMDB_DATA_TYPE_UINT32)
		return data->uint32;
	if (data->type == MMDB_DATA_TYPE_UINT16)
		return data->uint16;
	if (data->type != MMDB_DATA_TYPE_UTF8_STRING)
		return 0;
	for (uint32_t i = 0; i < data->data_size && i < 16; i++) {
		if (text[i] >= '0' && text[i] <= '9')
			asn = asn * 10 + (uint64_t)(text[i] - '0');
		else if (i > 1)
			return 0;
	}
	return asn > UINT32_MAX ? 0 : (uint32_t)asn;
}

static int
get_asn(MMDB_entry_s *entry, struct facts *facts)
{
	static const char *const keys[] = {"autonomous_system_number", "asn", "as_number"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys) && facts->asn == 0; i++) {
		MMDB_entry_data_s data;
		int found = get(entry, PATH(keys[i]), &data);

		if (found < 0)
			return found;
		if (found > 0)
			facts->asn = read_asn(&data);
	}
	return 0;
}

static int
get_organization(MMDB_entry_s *entry, struct names *names, struct facts *facts)
{
	static const char *const keys[] = {"autonomous_system_organization", "as_organization",
					   "as_name"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys) && !facts->operator_name; i++) {
		MMDB_entry_data_s data;
		int found = get(entry, PATH(keys[i]), &data);

		if (found < 0)
			return found;
		if (found == 0 || data.type != MMDB_DATA_TYPE_UTF8_STRING || data.data_size == 0)
			continue;
		facts->operator_name = names_keep(names, data.utf8_string, data.data_size);
		if (!facts->operator_name)
			return -ENOMEM;
	}
	return 0;
}

int
layout_read(const struct layout *layout, MMDB_entry_s *entry, struct names *names,
	    struct facts *facts)
{
	int err;

	*facts = (struct facts){0};
	err = get_countries(layout, entry, facts);
	if (err == 0)
		err = get_asn(entry, facts);
	if (err == 0)
		err = get_organization(entry, names, facts);
	return err;
}
