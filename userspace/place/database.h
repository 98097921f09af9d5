/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * database.h - an MMDB file, read through libmaxminddb.
 *
 * Opening walks the whole search tree and decodes every distinct record once: a
 * corrupt file is found then, and a look-up later only follows bits and returns
 * what was decoded.
 */
#ifndef PLACE_DATABASE_H
#define PLACE_DATABASE_H

#include <maxminddb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ip.h"
#include "place/facts.h"
#include "place/names.h"

/* What a plain country_code is about, where the file itself does not say. */
enum database_subject { DATABASE_DETECT, DATABASE_LOCATION, DATABASE_OPERATOR };

struct database_options {
	enum database_subject subject;
	const char *location_path; /* "country.iso_code"; NULL: the common layouts */
	const char *operator_path;
};

struct database_record {
	uint32_t offset; /* in the data section */
	struct facts facts;
};

struct database {
	MMDB_s mmdb;
	bool is_open;
	struct database_record *records; /* sorted by offset */
	size_t count, room;
	uint64_t networks; /* leaves of the tree; mirrored ones count once */
	bool has_location, has_operator, has_asn;
	struct names names;
};

/* -EINVAL when the file is corrupt, with the reason in why. database is filled only on success. */
int database_open(struct database *database, const char *path,
		  const struct database_options *options, struct error *why);

/* NULL when the file knows nothing about ip. Pure. */
const struct facts *database_find(const struct database *database, const struct ip *ip);

void database_fini(struct database *database);

#endif /* PLACE_DATABASE_H */
