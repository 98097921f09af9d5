/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text.h - strings and integers as RFC 8785 wants them. */
#ifndef EVENT_TEXT_H
#define EVENT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/ip.h"

/* buf_reserve(), without the call while there is room. */
static inline char *
text_room(struct buf *out, size_t length)
{
	if (!out->failed && out->room > out->length && out->room - out->length > length)
		return out->data + out->length;
	return buf_reserve(out, length);
}

static inline void
text_byte(struct buf *out, char byte)
{
	char *at = text_room(out, 1);

	if (at) {
		*at = byte;
		out->length++;
	}
}

#define INT_TEXT 24 /* longest integer with quotes, NUL included */

/* In quotes, with the fewest escapes. Each byte that is not UTF-8 becomes U+FFFD. */
void text_string(struct buf *out, const char *text, size_t length);

/* Beyond 2^53 - 1 as a string: RFC 8785 numbers are doubles. */
void text_int(struct buf *out, int64_t value);

/* Decimal digits and a NUL; returns their number. */
size_t text_digits(char out[INT_TEXT], int64_t value);

/* As ip_format(), faster for IPv4. Returns the length. */
size_t text_ip(char out[IP_TEXT], const struct ip *ip);

bool text_is_utf8(const char *text, size_t length);

/* In quotes, two lower-case digits a byte. */
void text_hex(struct buf *out, const char *bytes, size_t length);

#endif /* EVENT_TEXT_H */
