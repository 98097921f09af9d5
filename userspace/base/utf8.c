/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* utf8.c - the table of well-formed UTF-8 of the Unicode standard (table 3-7), as code. */
#include "base/utf8.h"

/* The second byte's range is what keeps out overlong forms, surrogates and beyond U+10FFFF. */
static const struct {
	unsigned char first_from, first_to, second_from, second_to;
	size_t width;
} rows[] = {
	{0x00, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
	{0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
	{0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

size_t
utf8_width(const char *text, size_t length)
{
	const unsigned char *byte = (const unsigned char *)text;
	size_t row = 0;

	if (length == 0)
		return 0;
	while (byte[0] > rows[row].first_to)
		if (++row == sizeof(rows) / sizeof(rows[0]))
			return 0;
	if (byte[0] < rows[row].first_from || length < rows[row].width)
		return 0;
	if (rows[row].width == 1)
		return 1;
	if (byte[1] < rows[row].second_from || byte[1] > rows[row].second_to)
		return 0;
	for (size_t i = 2; i < rows[row].width; i++)
		if ((byte[i] & 0xc0) != 0x80)
			return 0;
	return rows[row].width;
}
