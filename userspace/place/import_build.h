/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * import_build.h - ranges with facts in, one tree out.
 */
#ifndef PLACE_IMPORT_BUILD_H
#define PLACE_IMPORT_BUILD_H

#include "place/import_read.h"
#include "place/tree.h"

struct import_item;
struct import_known;

struct import {
	struct import_item *items; /* prefixes, in the order of the inputs */
	uint32_t count, room;
	struct import_facts *facts; /* each combination once; values of the tree count from 1 */
	uint32_t fact_count, fact_room;
	struct import_known *known;
	struct names names;
};

/*
 * Add a range, cut into prefixes. IPv4 goes to ::/96, so nothing else may: what
 * a range of IPv6 addresses says about ::/96 is left out.
 */
int import_add(struct import *import, const struct import_row *row);

/* Lay the prefixes over each other, wide ones first. 0, -ENOMEM or -EFBIG. */
int import_build(struct import *import, struct tree *tree);

/* The facts without their ranks, each once, with the tree's values changed accordingly. */
int import_strip(struct import *import, struct tree *tree, struct facts **facts, uint32_t *count);

void import_fini(struct import *import);

#endif /* PLACE_IMPORT_BUILD_H */
