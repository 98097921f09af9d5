/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * prefixes.h - the longest prefix that contains an address, among very many.
 *
 * One sorted array, 28 bytes an entry: each prefix knows the one around it, so a
 * binary search finds where the address would stand, and from there the way
 * outwards is short. Add all, sort once, then find.
 */
#ifndef PLACE_PREFIXES_H
#define PLACE_PREFIXES_H

#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

struct prefix_entry {
	struct ip ip;
	uint32_t value;
	union {
		uint32_t tag;    /* until sorted: whatever tells inputs apart, like a line */
		uint32_t around; /* afterwards: index of the enclosing prefix, or PREFIX_NONE */
	};
	uint8_t bits;
	uint8_t group; /* inputs of one group may not contradict each other */
	uint16_t pad;
};

struct prefixes {
	struct prefix_entry *entries;
	uint32_t count;
	uint32_t room;
};

#define PREFIX_NONE UINT32_MAX

/* 0, -ENOMEM, or -EFBIG beyond 2^32 - 2. */
int prefixes_add(struct prefixes *prefixes, const struct prefix *prefix, uint32_t value,
		 uint32_t tag, uint8_t group);

/*
 * Sort. Of equal prefixes the one that was added last stays. When two of one
 * group differ in value: -EEXIST, with their tags in clash[] and *group; the
 * array is then of no use.
 */
int prefixes_sort(struct prefixes *prefixes, uint32_t clash[2], uint8_t *group);

/* The value of the longest prefix around ip, or PREFIX_NONE. */
uint32_t prefixes_find(const struct prefixes *prefixes, const struct ip *ip);

void prefixes_fini(struct prefixes *prefixes);

#endif /* PLACE_PREFIXES_H */
