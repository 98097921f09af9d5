/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * places.h - what struct places holds; for the files of place/ alone.
 */
#ifndef PLACE_PLACES_H
#define PLACE_PLACES_H

#include "place.h"
#include "place/database.h"
#include "place/legal.h"
#include "place/overrides.h"
#include "place/prefixes.h"
#include "place/scope.h"

struct places {
	struct overrides overrides;
	struct overrides geofeed;
	struct prefixes own_set;
	struct prefix *own;
	size_t own_count;
	bool as_public[SCOPES];
	struct database *databases;
	size_t database_count;
	struct legal legal;
	struct place_source *sources;
	size_t source_count;
	struct names names; /* paths and kinds of the sources */
};

#endif /* PLACE_PLACES_H */
