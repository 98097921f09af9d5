/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text.c - strings and integers as RFC 8785 wants them. */
#include "event/text.h"

#include <string.h>

#include "base/utf8.h"

#define EXACT_MAX   INT64_C(9007199254740991) /* 2^53 - 1 */
#define ESCAPE_MOST 6                         /* bytes that one byte may become: \u00XX */

static const char hex[] = "0123456789abcdef";

static bool
is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

static char *
escape(char *at, unsigned char byte)
{
	static const char shorts[0x20] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
	};

	*at++ = '\\';
	if (byte >= 0x20) {
		*at++ = (char)byte;
	} else if (shorts[byte]) {
		*at++ = shorts[byte];
	} else {
		memcpy(at, "u00", 3);
		at[3] = hex[byte >> 4];
		at[4] = hex[byte & 15];
		at += 5;
	}
	return at;
}

void
text_string(struct buf *out, const char *text, size_t length)
{
	char *start = buf_reserve(out, length * ESCAPE_MOST + 2);
	char *at = start;
	size_t width;

	if (!start)
		return;
	*at++ = '"';
	for (size_t i = 0; i < length; i += width) {
		unsigned char byte = (unsigned char)text[i];

		width = 1;
		if (is_plain(byte)) {
			*at++ = (char)byte;
		} else if (byte < 0x80) {
			at = escape(at, byte);
		} else if ((width = utf8_width(text + i, length - i)) > 0) {
			memcpy(at, text + i, width);
			at += width;
		} else {
			memcpy(at, "\xef\xbf\xbd", 3);
			at += 3;
			width = 1;
		}
	}
	*at++ = '"';
	out->length += (size_t)(at - start);
}

size_t
text_digits(char out[INT_TEXT], int64_t value)
{
	char reversed[INT_TEXT];
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	size_t count = 0, length = 0;

	do {
		reversed[count++] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (value < 0)
		out[length++] = '-';
	while (count)
		out[length++] = reversed[--count];
	out[length] = '\0';
	return length;
}

void
text_int(struct buf *out, int64_t value)
{
	bool is_exact = value <= EXACT_MAX && value >= -EXACT_MAX;
	char *start = buf_reserve(out, INT_TEXT + 2);
	char *at = start;

	if (!start)
		return;
	if (!is_exact)
		*at++ = '"';
	at += text_digits(at, value);
	if (!is_exact)
		*at++ = '"';
	out->length += (size_t)(at - start);
}

bool
text_is_utf8(const char *text, size_t length)
{
	for (size_t i = 0, width; i < length; i += width) {
		width = (unsigned char)text[i] < 0x80 ? 1 : utf8_width(text + i, length - i);
		if (!width)
			return false;
	}
	return true;
}

void
text_hex(struct buf *out, const char *bytes, size_t length)
{
	char *at = buf_reserve(out, length * 2 + 2);

	if (!at)
		return;
	*at++ = '"';
	for (size_t i = 0; i < length; i++) {
		*at++ = hex[(unsigned char)bytes[i] >> 4];
		*at++ = hex[(unsigned char)bytes[i] & 15];
	}
	*at = '"';
	out->length += length * 2 + 2;
}
