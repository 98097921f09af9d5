/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * facts.h - what one source knows about an address. NULL, 0 and COUNTRY_NONE: nothing.
 */
#ifndef PLACE_FACTS_H
#define PLACE_FACTS_H

#include <stdint.h>

#include "place/country.h"

struct facts {
	const char *provider;
	const char *region;
	const char *operator_name;
	uint32_t asn;
	uint8_t location;
	uint8_t operator_country;
	uint8_t pad[2];
};

#endif /* PLACE_FACTS_H */
