/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * overrides.h - what the operator says about prefixes: override lists and geofeeds.
 *
 * Both are text, read into one table each. The longest prefix wins across
 * files; of equal prefixes the later file's. Two lines of one file that
 * contradict each other are an error.
 */
#ifndef PLACE_OVERRIDES_H
#define PLACE_OVERRIDES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "place/facts.h"
#include "place/names.h"
#include "place/prefixes.h"

struct overrides {
	struct prefixes prefixes; /* values are indices into facts */
	struct facts *facts;      /* each combination once */
	uint32_t count, room;
	struct fact_index *index; /* only while reading */
	struct names names;
	uint8_t files;
};

enum overrides_format { OVERRIDES_LIST, OVERRIDES_GEOFEED };

/* Add a text, which is consumed (text[length] must be writable). entries: how many prefixes. */
int overrides_read(struct overrides *overrides, enum overrides_format format, char *text,
		   size_t length, uint64_t *entries, struct error *why);

/*
 * Sort, after the last text. On a contradiction -EINVAL with the line, and
 * *file says which text, counted from 0; why->file is the caller's to fill.
 */
int overrides_finish(struct overrides *overrides, uint8_t *file, struct error *why);

/* NULL when no prefix contains ip. */
const struct facts *overrides_find(const struct overrides *overrides, const struct ip *ip);

void overrides_fini(struct overrides *overrides);

#endif /* PLACE_OVERRIDES_H */
