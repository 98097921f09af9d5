/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text.c - strings and integers as RFC 8785 wants them. */
#include "event/text.h"

#include <string.h>

#include "base/utf8.h"

#define EXACT_MAX   INT64_C(9007199254740991) /* 2^53 - 1 */
#define ESCAPE_MOST 6                         /* bytes that one byte may become: \u00XX */

static const char hex[] = "0123456789abcdef";

/* Printable ASCII that needs no escape. */
static bool
is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Has a high bit somewhere when any of the bytes is not plain: each subtraction borrows for
 * what it looks for, and otherwise only where a high bit was before. */
static uint64_t
specials(uint64_t bytes)
{
	return bytes | (bytes - EACH(0x20)) | ((bytes ^ EACH('"')) - EACH(1)) |
	       ((bytes ^ EACH('\\')) - EACH(1));
}

static bool
is_plain_word(const char *text)
{
	uint64_t bytes;

	memcpy(&bytes, text, sizeof(bytes));
	return !(specials(bytes) & EACH(0x80));
}

/* How many plain bytes begin here; eight at a time, the last eight once more if need be. */
static size_t
plain_run(const char *text, size_t length)
{
	size_t run = 0;

	while (length - run >= 8 && is_plain_word(text + run))
		run += 8;
	if (length >= 8 && length - run < 8 && is_plain_word(text + length - 8))
		return length;
	while (run < length && is_plain((unsigned char)text[run]))
		run++;
	return run;
}

/* Copies up to 7 bytes: what is read twice is written twice. */
static bool
copy_short(char *at, const char *text, size_t length)
{
	uint32_t first4, last4;
	uint16_t first2, last2;
	uint64_t seen = EACH(' ');

	if (length >= 4) {
		memcpy(&first4, text, 4);
		memcpy(&last4, text + length - 4, 4);
		memcpy(at, &first4, 4);
		memcpy(at + length - 4, &last4, 4);
		seen = first4 | (uint64_t)last4 << 32;
	} else if (length >= 2) {
		memcpy(&first2, text, 2);
		memcpy(&last2, text + length - 2, 2);
		memcpy(at, &first2, 2);
		memcpy(at + length - 2, &last2, 2);
		seen = seen << 32 | (uint32_t)last2 << 16 | first2;
	} else if (length) {
		*at = *text;
		seen = seen << 8 | (unsigned char)*text;
	}
	return !(specials(seen) & EACH(0x80));
}

/* False when some byte is not plain: what was copied is then of no use. */
static bool
copy_plain(char *at, const char *text, size_t length)
{
	uint64_t bytes, found = 0;
	size_t i;

	if (length < 8)
		return copy_short(at, text, length);
	for (i = 0; i < length; i += 8) {
		if (i > length - 8)
			i = length - 8;
		memcpy(&bytes, text + i, 8);
		memcpy(at + i, &bytes, 8);
		found |= specials(bytes);
	}
	return !(found & EACH(0x80));
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

/* One character that is not plain, or a byte that is none. Bytes taken from text. */
static size_t
special(char **at, const char *text, size_t length)
{
	unsigned char byte = (unsigned char)*text;
	size_t width = 1;

	if (byte < 0x80) {
		*at = escape(*at, byte);
	} else if ((width = utf8_width(text, length)) > 0) {
		*at = mempcpy(*at, text, width);
	} else {
		*at = mempcpy(*at, "\xef\xbf\xbd", 3);
		width = 1;
	}
	return width;
}

void
text_string(struct buf *out, const char *text, size_t length)
{
	char *start = text_room(out, length * ESCAPE_MOST + 2);
	char *at = start;

	if (!start)
		return;
	*at++ = '"';
	if (copy_plain(at, text, length)) {
		at += length;
		length = 0;
	}
	for (size_t i = 0; i < length;) {
		size_t run = plain_run(text + i, length - i);

		at = mempcpy(at, text + i, run);
		i += run;
		if (i < length)
			i += special(&at, text + i, length - i);
	}
	*at++ = '"';
	out->length += (size_t)(at - start);
}

/* By the number of bits, and one comparison. */
static size_t
count_digits(uint64_t value)
{
	static const uint64_t powers[] = {0,    1e1,  1e2,  1e3,  1e4,  1e5,  1e6,
					  1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13,
					  1e14, 1e15, 1e16, 1e17, 1e18, 1e19};
	size_t bits = 64 - (size_t)__builtin_clzll(value | 1);
	size_t count = bits * 1233 >> 12; /* log10(2): the digits, or one less */

	return count + (value >= powers[count]);
}

size_t
text_digits(char out[INT_TEXT], int64_t value)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930"
				    "31323334353637383940414243444546474849505152535455565758596061"
				    "62636465666768697071727374757677787980818283848586878889909192"
				    "93949596979899";
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	size_t length = (value < 0) + count_digits(rest);
	char *at = out + length;

	*at = '\0';
	for (; rest >= 100; rest /= 100)
		memcpy(at -= 2, pairs + rest % 100 * 2, 2);
	if (rest >= 10)
		memcpy(at - 2, pairs + rest * 2, 2);
	else
		at[-1] = (char)('0' + rest);
	if (value < 0)
		*out = '-';
	return length;
}

size_t
text_ip(char out[IP_TEXT], const struct ip *ip)
{
	char *at = out;

	if (!ip_is_v4(ip))
		return strlen(ip_format(ip, out));
	for (size_t i = 12; i < 16; i++) {
		at += text_digits(at, ip->bytes[i]);
		*at++ = '.';
	}
	*--at = '\0';
	return (size_t)(at - out);
}

void
text_int(struct buf *out, int64_t value)
{
	bool is_exact = value <= EXACT_MAX && value >= -EXACT_MAX;
	char *start = text_room(out, INT_TEXT + 2);
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
		i += plain_run(text + i, length - i);
		if (i == length)
			break;
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
