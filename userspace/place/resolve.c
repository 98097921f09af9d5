/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * resolve - an address and a moment give a place. Pure.
 *
 * Only the law depends on the moment, so what is remembered of an address is all
 * but the law, and the countries that it is looked up by.
 */
#include "place/places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define SLOTS 512 /* a power of two */

struct found {
	struct event_place place; /* without the law */
	uint8_t location;
	uint8_t operator_country;
};

struct place_recall {
	const struct places *places;
	struct {
		struct ip ip;
		struct found found; /* no scope: empty */
	} slots[SLOTS];
};

static enum scope
judge_scope(const struct places *places, const struct ip *ip)
{
	enum scope scope = scope_find(ip);

	if (scope_is_claimable(scope) && prefixes_find(&places->own_set, ip) != PREFIX_NONE)
		scope = SCOPE_OWN;
	return places->as_public[scope] ? SCOPE_PUBLIC : scope;
}

/* Fill in what is still missing: sources are asked from the best to the least. */
static void
adopt(struct found *found, const struct facts *facts, const char *source)
{
	struct event_place *out = &found->place;

	if (!out->location && facts->location != COUNTRY_NONE) {
		found->location = facts->location;
		out->location = country_name(facts->location);
		out->location_source = source;
	}
	if (!out->operator_country && facts->operator_country != COUNTRY_NONE) {
		found->operator_country = facts->operator_country;
		out->operator_country = country_name(facts->operator_country);
		out->operator_source = source;
	}
	if (out->asn == ABSENT && facts->asn != 0)
		out->asn = facts->asn;
	if (!out->operator_name)
		out->operator_name = facts->operator_name;
	if (!out->provider)
		out->provider = facts->provider;
	if (!out->region)
		out->region = facts->region;
}

static void
ask_overrides(const struct overrides *overrides, const struct ip *ip, struct found *out,
	      const char *source)
{
	const struct facts *facts = overrides_find(overrides, ip);

	if (facts)
		adopt(out, facts, source);
}

static void
ask_databases(const struct places *places, const struct ip *ip, struct found *out)
{
	for (size_t i = 0; i < places->database_count; i++) {
		const struct facts *facts = database_find(&places->databases[i], ip);

		if (facts)
			adopt(out, facts, "mmdb");
	}
}

static void
find(const struct places *places, const struct ip *ip, struct found *out)
{
	struct ip judged = *ip;
	enum scope scope;

	scope_embedded(ip, &judged);
	scope = judge_scope(places, &judged);
	*out = (struct found){
		.place = {.scope = scope_name(scope), .asn = ABSENT},
		.location = COUNTRY_NONE,
		.operator_country = COUNTRY_NONE,
	};
	ask_overrides(&places->overrides, &judged, out, "override");
	ask_overrides(&places->geofeed, &judged, out, "geofeed");
	if (scope == SCOPE_PUBLIC)
		ask_databases(places, &judged, out);
}

static void
date(const struct places *places, const struct found *found, int64_t wall_ms,
     struct event_place *out)
{
	*out = found->place;
	out->location_law = legal_law(&places->legal, found->location, wall_ms);
	out->operator_law = legal_law(&places->legal, found->operator_country, wall_ms);
}

void
place_resolve(const struct places *places, const struct ip *ip, int64_t wall_ms,
	      struct event_place *out)
{
	struct found found;

	find(places, ip, &found);
	date(places, &found, wall_ms, out);
}

int
place_recall_new(struct place_recall **out, const struct places *places)
{
	struct place_recall *recall = calloc(1, sizeof(*recall));

	if (!recall)
		return -ENOMEM;
	recall->places = places;
	*out = recall;
	return 0;
}

void
place_recall_free(struct place_recall *recall)
{
	free(recall);
}

void
place_recall_resolve(struct place_recall *recall, const struct ip *ip, int64_t wall_ms,
		     struct event_place *out)
{
	size_t slot = hash_bytes(ip->bytes, sizeof(ip->bytes)) & (SLOTS - 1);
	struct found *found = &recall->slots[slot].found;

	if (!found->place.scope || !ip_equal(&recall->slots[slot].ip, ip)) {
		recall->slots[slot].ip = *ip;
		find(recall->places, ip, found);
	}
	date(recall->places, found, wall_ms, out);
}
