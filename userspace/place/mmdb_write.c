/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* mmdb_write - the search tree, the data section and the metadata of an MMDB file. Pure. */
#include "place/mmdb_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "place/mmdb_value.h"

#define SEPARATOR_BYTES 16
#define UNSET           UINT32_MAX

struct writer {
	const struct tree *tree;
	const struct facts *facts;
	uint32_t *numbers; /* of the tree's nodes, in the file */
	uint32_t *order;   /* and back */
	uint32_t node_count;
	uint32_t *offsets; /* of the facts, in the data section */
	struct mmdb_section section;
};

static void
writer_fini(struct writer *writer)
{
	free(writer->numbers);
	free(writer->order);
	free(writer->offsets);
	mmdb_section_fini(&writer->section);
}

/* Point the record of a mirror at what IPv4 addresses have. */
static int
mirror(struct tree *tree, const uint8_t key[16], unsigned int bits)
{
	static const uint8_t v4[16];
	uint32_t *record = tree_record(tree, v4, 96);
	uint32_t value;

	if (!record)
		return -ENOMEM;
	value = *record;
	record = tree_record(tree, key, bits);
	if (!record)
		return -ENOMEM;
	*record = value;
	return 0;
}

static int
mirror_v4(struct tree *tree)
{
	static const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff};
	static const uint8_t six_to_four[16] = {0x20, 0x02};

	if (mirror(tree, mapped, 96) < 0)
		return -ENOMEM;
	return mirror(tree, six_to_four, 16);
}

static void
add_record(struct writer *writer, uint32_t value)
{
	const struct facts *facts = &writer->facts[value - 1];
	struct mmdb_section *section = &writer->section;
	const char *location = country_name(facts->location);
	const char *operator_country = country_name(facts->operator_country);
	bool has_name = facts->operator_name != NULL, has_asn = facts->asn != 0;

	if (writer->offsets[value] != UNSET)
		return;
	writer->offsets[value] = (uint32_t)section->bytes.length;
	mmdb_add_control(&section->bytes, MMDB_MAP,
			 !!location + !!operator_country + has_asn + has_name);
	if (location) {
		mmdb_share_string(section, "country");
		mmdb_share_country(section, location);
	}
	if (operator_country) {
		mmdb_share_string(section, "registered_country");
		mmdb_share_country(section, operator_country);
	}
	if (has_asn) {
		mmdb_share_string(section, "autonomous_system_number");
		mmdb_add_number(&section->bytes, MMDB_UINT32, facts->asn);
	}
	if (has_name) {
		mmdb_share_string(section, "autonomous_system_organization");
		mmdb_share_string(section, facts->operator_name);
	}
}

/* Number the nodes from the root on; mirrored ones are met twice. At most 128 deep. */
static void
number_nodes(struct writer *writer, uint32_t record)
{
	uint32_t node = record & ~TREE_NODE;

	if (!(record & TREE_NODE)) {
		if (record != 0)
			add_record(writer, record);
		return;
	}
	if (writer->numbers[node] != UNSET)
		return;
	writer->numbers[node] = writer->node_count;
	writer->order[writer->node_count++] = node;
	number_nodes(writer, writer->tree->nodes[node][0]);
	number_nodes(writer, writer->tree->nodes[node][1]);
}

static uint32_t
encode_record(const struct writer *writer, uint32_t record)
{
	if (record & TREE_NODE)
		return writer->numbers[record & ~TREE_NODE];
	if (record == 0)
		return writer->node_count;
	return writer->node_count + SEPARATOR_BYTES + writer->offsets[record];
}

static unsigned int
choose_record_bits(const struct writer *writer)
{
	uint64_t top =
		(uint64_t)writer->node_count + SEPARATOR_BYTES + writer->section.bytes.length;

	if (top < 1u << 24)
		return 24;
	if (top < 1u << 28)
		return 28;
	return top < UINT32_MAX ? 32 : 0;
}

/* Two records; the middle byte of 28-bit ones holds the high half-bytes of both. */
static void
add_node(struct buf *out, uint32_t left, uint32_t right, unsigned int bits)
{
	const uint32_t pair[2] = {left, right};

	for (int i = 0; i < 2; i++) {
		if (bits == 32)
			buf_addc(out, (char)(pair[i] >> 24));
		if (bits == 28 && i == 1)
			buf_addc(out, (char)((left >> 24 & 0xf) << 4 | (right >> 24 & 0xf)));
		buf_addc(out, (char)(pair[i] >> 16 & 0xff));
		buf_addc(out, (char)(pair[i] >> 8 & 0xff));
		buf_addc(out, (char)(pair[i] & 0xff));
	}
}

static void
add_metadata(struct buf *out, const struct writer *writer, unsigned int bits, int64_t build_epoch_s)
{
	buf_adds(out, "\xab\xcd\xefMaxMind.com");
	mmdb_add_control(out, MMDB_MAP, 9);
	mmdb_add_string(out, "binary_format_major_version");
	mmdb_add_number(out, MMDB_UINT16, 2);
	mmdb_add_string(out, "binary_format_minor_version");
	mmdb_add_number(out, MMDB_UINT16, 0);
	mmdb_add_string(out, "build_epoch");
	mmdb_add_number(out, MMDB_UINT64, (uint64_t)build_epoch_s);
	mmdb_add_string(out, "database_type");
	mmdb_add_string(out, "demarc-country");
	mmdb_add_string(out, "description");
	mmdb_add_control(out, MMDB_MAP, 1);
	mmdb_add_string(out, "en");
	mmdb_add_string(out, "Countries and operators of addresses, built by demarc");
	mmdb_add_string(out, "ip_version");
	mmdb_add_number(out, MMDB_UINT16, 6);
	mmdb_add_string(out, "languages");
	mmdb_add_control(out, MMDB_ARRAY, 1);
	mmdb_add_string(out, "en");
	mmdb_add_string(out, "node_count");
	mmdb_add_number(out, MMDB_UINT32, writer->node_count);
	mmdb_add_string(out, "record_size");
	mmdb_add_number(out, MMDB_UINT16, bits);
}

static int
writer_init(struct writer *writer, const struct tree *tree, const struct facts *facts,
	    uint32_t count)
{
	writer->tree = tree;
	writer->facts = facts;
	writer->numbers = malloc(((size_t)tree->count + 1) * sizeof(*writer->numbers));
	writer->order = malloc(((size_t)tree->count + 1) * sizeof(*writer->order));
	writer->offsets = malloc(((size_t)count + 1) * sizeof(*writer->offsets));
	if (!writer->numbers || !writer->order || !writer->offsets)
		return -ENOMEM;
	memset(writer->numbers, 0xff, tree->count * sizeof(*writer->numbers));
	memset(writer->offsets, 0xff, ((size_t)count + 1) * sizeof(*writer->offsets));
	return 0;
}

int
mmdb_write(struct buf *out, struct tree *tree, const struct facts *facts, uint32_t count,
	   int64_t build_epoch_s)
{
	static const char separator[SEPARATOR_BYTES];
	struct writer writer cleanup(writer_fini) = {0};
	unsigned int bits;

	tree_merge(tree);
	if (mirror_v4(tree) < 0 || writer_init(&writer, tree, facts, count) < 0)
		return -ENOMEM;
	number_nodes(&writer, tree->root);
	if (writer.section.bytes.failed)
		return -ENOMEM;
	bits = choose_record_bits(&writer);
	if (bits == 0)
		return -EFBIG;
	for (uint32_t i = 0; i < writer.node_count; i++) {
		const uint32_t *node = tree->nodes[writer.order[i]];

		add_node(out, encode_record(&writer, node[0]), encode_record(&writer, node[1]),
			 bits);
	}
	buf_add(out, separator, sizeof(separator));
	buf_add(out, writer.section.bytes.data, writer.section.bytes.length);
	add_metadata(out, &writer, bits, build_epoch_s);
	return out->failed ? -ENOMEM : 0;
}
