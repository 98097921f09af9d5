/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* import_read - lines of CSV ranges, RIR statistics and ASN tables. Pure. */
#include "place/import_read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

char
import_separator(enum place_format format)
{
	switch (format) {
	case PLACE_CSV_RANGES:
		return ',';
	case PLACE_RIR_DELEGATED:
		return '|';
	case PLACE_ASN_TABLE:
		return '\t';
	}
	return ',';
}

static int
complain(const struct csv_row *row, size_t cell, struct error *why, const char *text)
{
	csv_locate(row, cell, why);
	return error_set(why, -EINVAL, "%s, not '%.64s'", text, csv_cell(row, cell));
}

/* Digits alone, at most limit. */
static int
parse_number(uint64_t *out, const char *text, uint64_t limit)
{
	uint64_t number = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		number = number * 10 + (uint64_t)(*text - '0');
		if (number > limit)
			return -EINVAL;
	}
	*out = number;
	return 0;
}

static void
fill_range(struct import_row *out, const struct prefix *prefix)
{
	out->first = out->last = prefix->ip;
	for (unsigned int bit = prefix->bits; bit < 128; bit++)
		out->last.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
}

static int
read_ends(struct import_row *out, const struct csv_row *row, struct error *why)
{
	if (ip_parse(&out->first, csv_cell(row, 0)) < 0)
		return complain(row, 0, why, "expected the first address of a range");
	if (ip_parse(&out->last, csv_cell(row, 1)) < 0)
		return complain(row, 1, why, "expected the last address of a range");
	if (ip_is_v4(&out->first) != ip_is_v4(&out->last) ||
	    memcmp(&out->first, &out->last, sizeof(out->first)) > 0)
		return complain(row, 1, why, "the range ends before it begins");
	return 0;
}

/* What data sets write where there is no country. */
static bool
is_no_country(const char *text)
{
	static const char *const words[] = {"", "-", "ZZ", "EU", "AP", "None", "none"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!strcmp(text, words[i]))
			return true;
	}
	return false;
}

static int
read_country(uint8_t *country, uint8_t *rank, const struct csv_row *row, size_t cell,
	     struct error *why)
{
	if (is_no_country(csv_cell(row, cell)))
		return 0;
	csv_locate(row, cell, why);
	*rank = IMPORT_RANK_STATEMENT;
	return country_parse(country, csv_cell(row, cell), why);
}

/* first,last,CC[,operator_country] or prefix,CC[,operator_country] */
static int
read_csv(struct import_row *out, const struct csv_row *row, struct error *why)
{
	struct import_facts *facts = &out->facts;
	struct prefix prefix;
	struct ip ip;
	size_t cell = 1;
	int err;

	if (row->count > 1 && ip_parse(&ip, csv_cell(row, 1)) == 0) {
		if (read_ends(out, row, why) < 0)
			return -EINVAL;
		cell = 2;
	} else if (prefix_parse(&prefix, csv_cell(row, 0)) == 0) {
		fill_range(out, &prefix);
	} else {
		return complain(row, 0, why, "expected a prefix, or the first address of a range");
	}
	if (row->count <= cell || row->count > cell + 2)
		return complain(row, row->count - 1, why,
				"expected first,last,CC[,operator] or prefix,CC[,operator]");
	err = read_country(&facts->facts.location, &facts->location_rank, row, cell, why);
	if (err == 0)
		err = read_country(&facts->facts.operator_country, &facts->operator_rank, row,
				   cell + 1, why);
	out->is_useful = facts->location_rank || facts->operator_rank;
	return err;
}

static int
read_count(struct import_row *out, const struct csv_row *row, struct error *why)
{
	uint32_t first = (uint32_t)out->first.bytes[12] << 24 | out->first.bytes[13] << 16 |
			 out->first.bytes[14] << 8 | out->first.bytes[15];
	uint64_t count;

	if (parse_number(&count, csv_cell(row, 4), UINT32_MAX) < 0 || count == 0 ||
	    first + (count - 1) > UINT32_MAX)
		return complain(row, 4, why, "expected how many addresses there are");
	out->last = ip_from_v4(first + (uint32_t)(count - 1));
	return 0;
}

static int
read_length(struct import_row *out, const struct csv_row *row, struct error *why)
{
	struct prefix prefix;
	uint64_t bits;
	char text[PREFIX_TEXT + 8];

	if (parse_number(&bits, csv_cell(row, 4), 128) < 0)
		return complain(row, 4, why, "expected the length of a prefix");
	snprintf(text, sizeof(text), "%.45s/%u", csv_cell(row, 3), (unsigned int)bits);
	if (prefix_parse(&prefix, text) < 0)
		return complain(row, 3, why, "expected an address without bits after its length");
	fill_range(out, &prefix);
	return 0;
}

/* registry|CC|ipv4|start|count|date|status and registry|CC|ipv6|start|length|date|status */
static int
read_delegated(struct import_row *out, const struct csv_row *row, struct error *why)
{
	const char *type = csv_cell(row, 2), *country = csv_cell(row, 1);
	struct import_facts *facts = &out->facts;
	bool is_v4 = !strcmp(type, "ipv4");

	if (row->cells[0][0] >= '0' && row->cells[0][0] <= '9')
		return 0; /* the version line */
	if (!strcmp(csv_cell(row, 5), "summary") || !strcmp(type, "asn"))
		return 0;
	if (row->count < 7)
		return complain(row, row->count - 1, why,
				"expected registry|CC|type|start|value|date|status");
	if (!is_v4 && strcmp(type, "ipv6") != 0)
		return complain(row, 2, why, "expected asn, ipv4 or ipv6");
	if (ip_parse(&out->first, csv_cell(row, 3)) < 0 || ip_is_v4(&out->first) != is_v4)
		return complain(row, 3, why, "expected an address of the line's type");
	if ((is_v4 ? read_count(out, row, why) : read_length(out, row, why)) < 0)
		return -EINVAL;
	facts->facts.location = country_find(country, strlen(country));
	facts->facts.operator_country = facts->facts.location;
	facts->location_rank = facts->operator_rank = IMPORT_RANK_REGISTRY;
	out->is_useful = facts->facts.location != COUNTRY_NONE;
	return 0;
}

/* first<TAB>last<TAB>asn<TAB>CC<TAB>description */
static int
read_asn(struct import_row *out, const struct csv_row *row, struct names *names, struct error *why)
{
	const char *country = csv_cell(row, 3), *name = csv_cell(row, 4);
	struct facts *facts = &out->facts.facts;
	uint64_t asn;

	if (row->count < 4 || row->count > 5)
		return complain(row, row->count - 1, why,
				"expected five cells: first, last, ASN, country, description");
	if (read_ends(out, row, why) < 0)
		return -EINVAL;
	if (parse_number(&asn, csv_cell(row, 2), UINT32_MAX) < 0)
		return complain(row, 2, why, "expected an AS number");
	if (asn == 0)
		return 0; /* not routed */
	facts->asn = (uint32_t)asn;
	facts->operator_country = country_find(country, strlen(country));
	out->facts.operator_rank = facts->operator_country ? IMPORT_RANK_ASN : IMPORT_RANK_NONE;
	if (*name && !(facts->operator_name = names_keep(names, name, strlen(name))))
		return error_set(why, -ENOMEM, "no memory");
	out->is_useful = true;
	return 0;
}

int
import_read_row(struct import_row *out, enum place_format format, const struct csv_row *row,
		struct names *names, struct error *why)
{
	memset(out, 0, sizeof(*out)); /* its facts are a key, pads too */
	switch (format) {
	case PLACE_CSV_RANGES:
		return read_csv(out, row, why);
	case PLACE_RIR_DELEGATED:
		return read_delegated(out, row, why);
	case PLACE_ASN_TABLE:
		return read_asn(out, row, names, why);
	}
	return error_set(why, -EINVAL, "no such format");
}
