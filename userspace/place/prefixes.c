/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* prefixes - longest-prefix match over one sorted array. Pure. */
#include "place/prefixes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct prefix_entry) == 28, "half a million prefixes shall stay small");

int
prefixes_add(struct prefixes *prefixes, const struct prefix *prefix, uint32_t value, uint32_t tag,
	     uint8_t group)
{
	struct prefix_entry *entries = prefixes->entries;
	uint32_t room = prefixes->room;

	if (prefixes->count == room) {
		if (room > UINT32_MAX / 2)
			return -EFBIG;
		room = room ? room * 2 : 64;
		entries = reallocarray(entries, room, sizeof(*entries));
		if (!entries)
			return -ENOMEM;
		prefixes->entries = entries;
		prefixes->room = room;
	}
	entries[prefixes->count++] = (struct prefix_entry){
		.ip = prefix->ip,
		.value = value,
		.tag = tag,
		.bits = prefix->bits,
		.group = group,
	};
	return 0;
}

/* By address, then the wider first, then in the order of the inputs. */
static int
compare(const void *left, const void *right)
{
	const struct prefix_entry *a = left, *b = right;
	int order = memcmp(&a->ip, &b->ip, sizeof(a->ip));

	if (order != 0)
		return order;
	if (a->bits != b->bits)
		return a->bits < b->bits ? -1 : 1;
	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	return (a->tag > b->tag) - (a->tag < b->tag);
}

static bool
is_same(const struct prefix_entry *a, const struct prefix_entry *b)
{
	return a->bits == b->bits && ip_equal(&a->ip, &b->ip);
}

static int
find_clash(const struct prefixes *prefixes, uint32_t clash[2], uint8_t *group)
{
	for (uint32_t i = 1; i < prefixes->count; i++) {
		const struct prefix_entry *a = &prefixes->entries[i - 1], *b = a + 1;

		if (is_same(a, b) && a->group == b->group && a->value != b->value) {
			clash[0] = a->tag;
			clash[1] = b->tag;
			*group = b->group;
			return -EEXIST;
		}
	}
	return 0;
}

static void
drop_equals(struct prefixes *prefixes)
{
	struct prefix_entry *entries = prefixes->entries;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < prefixes->count; i++) {
		if (i + 1 == prefixes->count || !is_same(&entries[i], &entries[i + 1]))
			entries[kept++] = entries[i];
	}
	prefixes->count = kept;
}

static bool
surrounds(const struct prefix_entry *entry, const struct ip *ip)
{
	const struct prefix prefix = {.ip = entry->ip, .bits = entry->bits};

	return prefix_contains(&prefix, ip);
}

static void
link_around(struct prefixes *prefixes)
{
	struct prefix_entry *entries = prefixes->entries;

	for (uint32_t i = 0; i < prefixes->count; i++) {
		uint32_t around = i == 0 ? PREFIX_NONE : i - 1;

		while (around != PREFIX_NONE && !surrounds(&entries[around], &entries[i].ip))
			around = entries[around].around;
		entries[i].around = around;
	}
}

int
prefixes_sort(struct prefixes *prefixes, uint32_t clash[2], uint8_t *group)
{
	if (prefixes->count == 0)
		return 0;
	qsort(prefixes->entries, prefixes->count, sizeof(*prefixes->entries), compare);
	if (find_clash(prefixes, clash, group) < 0)
		return -EEXIST;
	drop_equals(prefixes);
	link_around(prefixes);
	return 0;
}

/* ::/0 is of IPv6 and says nothing about IPv4, though mapped addresses lie within. */
static bool
is_about(const struct prefix_entry *entry, const struct ip *ip)
{
	bool is_v4 = entry->bits >= 96 && ip_is_v4(&entry->ip);

	return is_v4 == ip_is_v4(ip) && surrounds(entry, ip);
}

uint32_t
prefixes_find(const struct prefixes *prefixes, const struct ip *ip)
{
	const struct prefix_entry *entries = prefixes->entries;
	uint32_t low = 0, high = prefixes->count, at;

	while (low < high) { /* the first entry beyond ip */
		uint32_t middle = low + (high - low) / 2;

		if (memcmp(&entries[middle].ip, ip, sizeof(*ip)) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	at = low == 0 ? PREFIX_NONE : low - 1;
	while (at != PREFIX_NONE && !is_about(&entries[at], ip))
		at = entries[at].around;
	return at == PREFIX_NONE ? PREFIX_NONE : entries[at].value;
}

void
prefixes_fini(struct prefixes *prefixes)
{
	free(prefixes->entries);
	*prefixes = (struct prefixes){0};
}
