/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* resolve - an address and a moment give a place. Pure, allocates nothing. */
#include "place/places.h"

#include <string.h>

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
adopt(struct event_place *out, const struct facts *facts, const char *source)
{
	if (!out->location && facts->location != COUNTRY_NONE) {
		out->location = country_name(facts->location);
		out->location_source = source;
	}
	if (!out->operator_country && facts->operator_country != COUNTRY_NONE) {
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
ask_overrides(const struct overrides *overrides, const struct ip *ip, struct event_place *out,
	      const char *source)
{
	const struct facts *facts = overrides_find(overrides, ip);

	if (facts)
		adopt(out, facts, source);
}

static void
ask_databases(const struct places *places, const struct ip *ip, struct event_place *out)
{
	for (size_t i = 0; i < places->database_count; i++) {
		const struct facts *facts = database_find(&places->databases[i], ip);

		if (facts)
			adopt(out, facts, "mmdb");
	}
}

static const char *const *
find_law(const struct places *places, const char *country, int64_t wall_ms)
{
	return country ? legal_law(&places->legal, country_find(country, 2), wall_ms) : NULL;
}

void
place_resolve(const struct places *places, const struct ip *ip, int64_t wall_ms,
	      struct event_place *out)
{
	struct ip judged = *ip;
	enum scope scope;

	scope_embedded(ip, &judged);
	scope = judge_scope(places, &judged);
	*out = (struct event_place){.scope = scope_name(scope), .asn = ABSENT};
	ask_overrides(&places->overrides, &judged, out, "override");
	ask_overrides(&places->geofeed, &judged, out, "geofeed");
	if (scope == SCOPE_PUBLIC)
		ask_databases(places, &judged, out);
	out->location_law = find_law(places, out->location, wall_ms);
	out->operator_law = find_law(places, out->operator_country, wall_ms);
}
