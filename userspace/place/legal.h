/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * legal.h - which legal groups a country belonged to at a moment.
 *
 * Files hold dated groups:
 *
 *	{ "date": "2026-11-01", "groups": [
 *	    { "id": "eu", "title": "...", "source": "...", "members": [
 *	        { "country": "HR", "from": "2013-07-01" },
 *	        { "country": "GB", "from": "1993-11-01", "until": "2020-01-31" } ] } ] }
 *
 * Days are UTC days; "until" is the last day. Without "from" or "until" a
 * membership has no beginning or end. A country may be listed more than once.
 */
#ifndef PLACE_LEGAL_H
#define PLACE_LEGAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "place/country.h"
#include "place/names.h"
#include "place/timeline.h"

struct legal_group {
	const char *id;
	struct timeline members;
};

struct membership {
	int64_t from_ms;
	int64_t until_ms;
	uint32_t group;
	uint8_t country;
};

struct legal {
	struct legal_group *groups;
	size_t group_count;
	struct membership *memberships;
	size_t count, room;
	struct timeline law[COUNTRY_COUNT];
	struct names names;
};

/* Add the groups of a text. date_ms: when it says it is of, else 0. */
int legal_read(struct legal *legal, const char *text, size_t length, uint64_t *entries,
	       int64_t *date_ms, struct error *why);

/* After the last text. 0 or -ENOMEM. */
int legal_finish(struct legal *legal);

/* Groups of a country at a moment, NULL-terminated; NULL when there are none. */
const char *const *legal_law(const struct legal *legal, uint8_t country, int64_t wall_ms);

/* Members of a group at a moment; NULL when there is no such group then. */
const char *const *legal_group_members(const struct legal *legal, const char *id, int64_t wall_ms);

void legal_fini(struct legal *legal);

#endif /* PLACE_LEGAL_H */
