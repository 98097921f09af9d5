/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * import_read.h - what one line of an import file says about a range of addresses.
 */
#ifndef PLACE_IMPORT_READ_H
#define PLACE_IMPORT_READ_H

#include <stdbool.h>

#include "base/error.h"
#include "place.h"
#include "place/csv.h"
#include "place/facts.h"
#include "place/names.h"

/* How good a fact is. Between inputs of different formats the better one stays. */
enum import_rank {
	IMPORT_RANK_NONE,
	IMPORT_RANK_REGISTRY,  /* RIR: where the holder registered */
	IMPORT_RANK_ASN,       /* whose routes carry it */
	IMPORT_RANK_STATEMENT, /* the operator's own CSV */
};

/* Keys of a hash: set all bytes to 0 first. */
struct import_facts {
	struct facts facts;
	uint8_t location_rank;
	uint8_t operator_rank;
	uint8_t pad[6];
};

struct import_row {
	struct ip first, last;
	struct import_facts facts;
	bool is_useful; /* false: a line that says nothing about addresses or countries */
};

char import_separator(enum place_format format);

/* 0, -EINVAL with the place in why, or -ENOMEM. */
int import_read_row(struct import_row *out, enum place_format format, const struct csv_row *row,
		    struct names *names, struct error *why);

#endif /* PLACE_IMPORT_READ_H */
