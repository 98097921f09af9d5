/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text.c - names and words of others, made harmless for JSON. */
#include "stream/text.h"

#include <string.h>

#include "base/utf8.h"

void
stream_text(struct buf *out, const char *text)
{
	size_t left = strlen(text), width;

	buf_addc(out, '"');
	for (; left; text += width, left -= width) {
		width = utf8_width(text, left);
		if (!width) {
			buf_addc(out, '?');
			width = 1;
		} else if (width > 1) {
			buf_add(out, text, width);
		} else if (*text == '"' || *text == '\\') {
			buf_addf(out, "\\%c", *text);
		} else {
			buf_addc(out, (unsigned char)*text < 0x20 ? ' ' : *text);
		}
	}
	buf_addc(out, '"');
}
