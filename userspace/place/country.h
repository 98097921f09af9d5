/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * country.h - a country as one byte: its index in the list of ISO 3166-1, 0 for none.
 */
#ifndef PLACE_COUNTRY_H
#define PLACE_COUNTRY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define COUNTRY_NONE  0
#define COUNTRY_COUNT 251 /* indices in use, COUNTRY_NONE included */

/* For data of others: COUNTRY_NONE for EU, AP, ZZ and whatever else is no country. Either case. */
uint8_t country_find(const char *text, size_t length);

/* For the operator's own files: strict. -EINVAL with text in why when it is not an upper-case
 * code of ISO 3166-1 (or XK). */
int country_parse(uint8_t *out, const char *text, struct error *why);

/* "DE", for ever valid; NULL for COUNTRY_NONE. */
const char *country_name(uint8_t country);

#endif /* PLACE_COUNTRY_H */
