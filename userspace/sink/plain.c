/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* plain.c - foreign strings and numbers in lines for people: harmless, short, in columns. */
#include "plain.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "event.h"

static uint32_t
code_point(const unsigned char *text, size_t width)
{
	static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t code = text[0] & masks[width];
	size_t i;

	for (i = 1; i < width; i++)
		code = code << 6 | (text[i] & 0x3f);
	return code;
}

/* Not controls, nor what has no shape of its own or turns the writing round. */
static bool
is_harmless(uint32_t code)
{
	static const uint32_t bad[][2] = {
		{0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},
		{0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
		{0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff},
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (code >= bad[i][0] && code <= bad[i][1])
			return false;
	return true;
}

size_t
plain_add(struct buf *out, const char *text, size_t room)
{
	size_t columns = 0, left = strlen(text), width;

	while (left && columns < room) {
		width = utf8_width(text, left);
		if (columns + 1 == room && left > (width ? width : 1))
			buf_addc(out, '~');
		else if (width && is_harmless(code_point((const unsigned char *)text, width)))
			buf_add(out, text, width);
		else
			buf_addc(out, '?');
		columns++;
		text += width ? width : 1;
		left -= width ? width : 1;
	}
	return columns;
}

void
plain_pad(struct buf *out, size_t from, size_t to)
{
	do
		buf_addc(out, ' ');
	while (++from < to);
}

const char *
plain_bytes(int64_t value, char out[PLAIN_BYTES])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double scaled = (double)value;
	size_t unit = 0;

	while (scaled >= 1023.95 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		scaled /= 1024;
		unit++;
	}
	if (value == ABSENT)
		snprintf(out, PLAIN_BYTES, "-");
	else
		snprintf(out, PLAIN_BYTES, unit ? "%.1f %s" : "%.0f %s", scaled, units[unit]);
	return out;
}
