/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* country - the codes of ISO 3166-1, and XK, which its users assigned to Kosovo. */
#include "place/country.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Sorted. Index 0 is none. */
static const char codes[COUNTRY_COUNT][3] = {
	"",   "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AT", "AU", "AW",
	"AX", "AZ", "BA", "BB", "BD", "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO",
	"BQ", "BR", "BS", "BT", "BV", "BW", "BY", "BZ", "CA", "CC", "CD", "CF", "CG", "CH", "CI",
	"CK", "CL", "CM", "CN", "CO", "CR", "CU", "CV", "CW", "CX", "CY", "CZ", "DE", "DJ", "DK",
	"DM", "DO", "DZ", "EC", "EE", "EG", "EH", "ER", "ES", "ET", "FI", "FJ", "FK", "FM", "FO",
	"FR", "GA", "GB", "GD", "GE", "GF", "GG", "GH", "GI", "GL", "GM", "GN", "GP", "GQ", "GR",
	"GS", "GT", "GU", "GW", "GY", "HK", "HM", "HN", "HR", "HT", "HU", "ID", "IE", "IL", "IM",
	"IN", "IO", "IQ", "IR", "IS", "IT", "JE", "JM", "JO", "JP", "KE", "KG", "KH", "KI", "KM",
	"KN", "KP", "KR", "KW", "KY", "KZ", "LA", "LB", "LC", "LI", "LK", "LR", "LS", "LT", "LU",
	"LV", "LY", "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK", "ML", "MM", "MN", "MO", "MP",
	"MQ", "MR", "MS", "MT", "MU", "MV", "MW", "MX", "MY", "MZ", "NA", "NC", "NE", "NF", "NG",
	"NI", "NL", "NO", "NP", "NR", "NU", "NZ", "OM", "PA", "PE", "PF", "PG", "PH", "PK", "PL",
	"PM", "PN", "PR", "PS", "PT", "PW", "PY", "QA", "RE", "RO", "RS", "RU", "RW", "SA", "SB",
	"SC", "SD", "SE", "SG", "SH", "SI", "SJ", "SK", "SL", "SM", "SN", "SO", "SR", "SS", "ST",
	"SV", "SX", "SY", "SZ", "TC", "TD", "TF", "TG", "TH", "TJ", "TK", "TL", "TM", "TN", "TO",
	"TR", "TT", "TV", "TW", "TZ", "UA", "UG", "UM", "US", "UY", "UZ", "VA", "VC", "VE", "VG",
	"VI", "VN", "VU", "WF", "WS", "XK", "YE", "YT", "ZA", "ZM", "ZW",
};

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, 2);
}

static uint8_t
find(const char *code)
{
	const char(*hit)[3] =
		bsearch(code, codes + 1, COUNTRY_COUNT - 1, sizeof(codes[0]), compare);

	return hit ? (uint8_t)(hit - codes) : COUNTRY_NONE;
}

uint8_t
country_find(const char *text, size_t length)
{
	char code[2];

	if (length != 2)
		return COUNTRY_NONE;
	code[0] = (char)toupper((unsigned char)text[0]);
	code[1] = (char)toupper((unsigned char)text[1]);
	return find(code);
}

int
country_parse(uint8_t *out, const char *text, struct error *why)
{
	uint8_t country = strlen(text) == 2 ? find(text) : COUNTRY_NONE;

	if (country != COUNTRY_NONE) {
		*out = country;
		return 0;
	}
	if (!strcmp(text, "UK"))
		return error_set(why, -EINVAL, "no country 'UK'; did you mean 'GB'?");
	if (strlen(text) == 2 && isupper((unsigned char)text[0]) && isupper((unsigned char)text[1]))
		return error_set(why, -EINVAL, "'%s' is no country of ISO 3166-1", text);
	return error_set(why, -EINVAL, "a country is two upper-case letters like 'DE', not '%.32s'",
			 text);
}

const char *
country_name(uint8_t country)
{
	return country > COUNTRY_NONE && country < COUNTRY_COUNT ? codes[country] : NULL;
}
