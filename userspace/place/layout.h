/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * layout.h - one record of an MMDB file as facts, whatever its layout.
 *
 *   nested  country.iso_code, registered_country.iso_code,
 *           autonomous_system_number, autonomous_system_organization
 *   flat    country_code (or country), operator_country, asn, as_organization
 *
 * A flat country_code is a location, except in files whose type speaks of ASNs
 * or that the operator declared to be about operators.
 */
#ifndef PLACE_LAYOUT_H
#define PLACE_LAYOUT_H

#include <maxminddb.h>

#include "place/database.h"

#define LAYOUT_PATH 8 /* components of a configured path, at most */

struct layout {
	char *texts[2]; /* the configured paths, cut at their dots */
	const char *location[LAYOUT_PATH + 1];
	const char *operator_country[LAYOUT_PATH + 1];
	enum database_subject subject;
};

/* -EINVAL when a configured path is empty or too long. */
int layout_init(struct layout *layout, const struct database_options *options,
		const char *database_type);
void layout_fini(struct layout *layout);

/* 0, -EINVAL when the record is corrupt, -ENOMEM. */
int layout_read(const struct layout *layout, MMDB_entry_s *entry, struct names *names,
		struct facts *facts);

#endif /* PLACE_LAYOUT_H */
