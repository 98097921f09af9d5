/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* import_build - lay ranges with facts over each other in a tree. Pure. */
#include "place/import_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/cleanup.h"

typedef unsigned __int128 wide;

struct import_item {
	uint8_t key[16];
	uint32_t value;
	uint32_t order;
	uint8_t bits;
	uint8_t pad[3];
};

struct import_known {
	UT_hash_handle hh;
	struct import_facts facts;
	uint32_t value;
};

static int
grow_facts(struct import *import)
{
	uint32_t room = import->fact_room ? import->fact_room * 2 : 256;
	struct import_facts *facts;

	if (import->fact_count < import->fact_room)
		return 0;
	facts = reallocarray(import->facts, room, sizeof(*facts));
	if (!facts)
		return -ENOMEM;
	import->facts = facts;
	import->fact_room = room;
	return 0;
}

/* The tree's value for these facts; 0: no memory. */
static uint32_t
keep_facts(struct import *import, const struct import_facts *facts)
{
	struct import_known *known = NULL;

	HASH_FIND(hh, import->known, facts, sizeof(*facts), known);
	if (known)
		return known->value;
	known = calloc(1, sizeof(*known));
	if (!known || grow_facts(import) < 0) {
		free(known);
		return 0;
	}
	memcpy(&known->facts, facts, sizeof(*facts));
	HASH_ADD(hh, import->known, facts, sizeof(*facts), known);
	if (!known->hh.tbl) {
		free(known);
		return 0;
	}
	memcpy(&import->facts[import->fact_count++], facts, sizeof(*facts));
	known->value = import->fact_count;
	return known->value;
}

static int
add_item(struct import *import, wide first, unsigned int bits, uint32_t value)
{
	struct import_item *item;

	if (import->count == import->room) {
		uint32_t room = import->room ? import->room * 2 : 1024;
		struct import_item *items = reallocarray(import->items, room, sizeof(*items));

		if (!items || room < import->room)
			return -ENOMEM;
		import->items = items;
		import->room = room;
	}
	item = &import->items[import->count];
	*item = (struct import_item){.value = value, .order = import->count, .bits = (uint8_t)bits};
	for (int i = 15; i >= 0; i--, first >>= 8)
		item->key[i] = (uint8_t)first;
	import->count++;
	return 0;
}

/* As a number, IPv4 at ::/96. */
static wide
read_key(const struct ip *ip)
{
	wide key = 0;

	for (int i = ip_is_v4(ip) ? 12 : 0; i < 16; i++)
		key = key << 8 | ip->bytes[i];
	return key;
}

/* The length of the largest prefix that begins at first and ends at last or before. */
static unsigned int
fit(wide first, wide last)
{
	unsigned int bits = 128;

	while (bits > 0) {
		wide size = (wide)1
			    << (128 - bits); /* of this prefix; the next is twice as large */

		if (first & size || last - first < size || last - first - size < size - 1)
			break;
		bits--;
	}
	return bits;
}

int
import_add(struct import *import, const struct import_row *row)
{
	const wide v6_begins = (wide)1 << 32;
	wide first = read_key(&row->first), last = read_key(&row->last);
	uint32_t value = keep_facts(import, &row->facts);

	if (!value)
		return -ENOMEM;
	if (!ip_is_v4(&row->first)) {
		if (last < v6_begins)
			return 0;
		first = first < v6_begins ? v6_begins : first;
	}
	while (first <= last) {
		unsigned int bits = fit(first, last);
		wide end = first + (bits == 0 ? (wide)0 : (wide)1 << (128 - bits)) - 1;
		int err = add_item(import, first, bits, value);

		if (err < 0 || end >= last)
			return err;
		first = end + 1;
	}
	return 0;
}

/* By address, the wide before the narrow, then in the order of the inputs. */
static int
compare(const void *a, const void *b)
{
	const struct import_item *left = a, *right = b;
	int order = memcmp(left->key, right->key, sizeof(left->key));

	if (order != 0)
		return order;
	if (left->bits != right->bits)
		return left->bits < right->bits ? -1 : 1;
	return (left->order > right->order) - (left->order < right->order);
}

/* What stands, and what a narrower or later prefix adds to it. */
static void
lay_over(struct import_facts *below, const struct import_facts *above)
{
	if (above->facts.location && above->location_rank >= below->location_rank) {
		below->facts.location = above->facts.location;
		below->location_rank = above->location_rank;
	}
	if (above->facts.operator_country && above->operator_rank >= below->operator_rank) {
		below->facts.operator_country = above->facts.operator_country;
		below->operator_rank = above->operator_rank;
	}
	if (above->facts.asn) { /* number and name belong together */
		below->facts.asn = above->facts.asn;
		below->facts.operator_name = above->facts.operator_name;
	}
}

int
import_build(struct import *import, struct tree *tree)
{
	if (import->count > 0)
		qsort(import->items, import->count, sizeof(*import->items), compare);
	for (uint32_t i = 0; i < import->count; i++) {
		const struct import_item *item = &import->items[i];
		uint32_t *record = tree_record(tree, item->key, item->bits);
		struct import_facts facts;
		uint32_t value = item->value;

		if (!record)
			return -ENOMEM;
		/* Narrower prefixes come later, so this is still a value. */
		if (*record != 0) {
			memcpy(&facts, &import->facts[*record - 1], sizeof(facts));
			lay_over(&facts, &import->facts[item->value - 1]);
			value = keep_facts(import, &facts);
		}
		if (!value)
			return -ENOMEM;
		*record = value;
	}
	return 0;
}

static void
renumber(uint32_t *record, const uint32_t *values)
{
	if (!(*record & TREE_NODE))
		*record = values[*record];
}

int
import_strip(struct import *import, struct tree *tree, struct facts **facts, uint32_t *count)
{
	uint32_t ranked = import->fact_count;
	uint32_t *values cleanup(free_drop) = calloc((size_t)ranked + 1, sizeof(*values));
	struct facts *plain cleanup(free_drop) = calloc((size_t)ranked * 2 + 1, sizeof(*plain));

	if (!values || !plain)
		return -ENOMEM;
	for (uint32_t i = 0; i < ranked; i++) {
		struct import_facts bare;

		memset(&bare, 0, sizeof(bare));
		memcpy(&bare.facts, &import->facts[i].facts, sizeof(bare.facts));
		values[i + 1] = keep_facts(import, &bare);
		if (!values[i + 1])
			return -ENOMEM;
	}
	for (uint32_t i = 0; i < import->fact_count; i++)
		plain[i] = import->facts[i].facts;
	renumber(&tree->root, values);
	for (uint32_t i = 0; i < tree->count; i++) {
		renumber(&tree->nodes[i][0], values);
		renumber(&tree->nodes[i][1], values);
	}
	*count = import->fact_count;
	*facts = take(plain);
	return 0;
}

void
import_fini(struct import *import)
{
	struct import_known *known, *next;

	HASH_ITER (hh, import->known, known, next) {
		HASH_DEL(import->known, known);
		free(known);
	}
	free(import->items);
	free(import->facts);
	names_fini(&import->names);
}
