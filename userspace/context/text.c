/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text - strings that many processes share. */
#include <stdlib.h>
#include <string.h>

#include "context/text.h"

struct text *
text_get(struct texts *texts, const char *bytes)
{
	size_t length = bytes ? strlen(bytes) : 0;
	struct text *text;

	if (!length)
		return NULL;
	HASH_FIND(hh, texts->all, bytes, length, text);
	if (text)
		return text_share(text);
	text = calloc(1, sizeof(*text) + length + 1);
	if (!text)
		return NULL;
	text->users = 1;
	memcpy(text->bytes, bytes, length);
	HASH_ADD_KEYPTR(hh, texts->all, text->bytes, length, text);
	if (!text->hh.tbl) {
		free(text);
		return NULL;
	}
	return text;
}

struct text *
text_share(struct text *text)
{
	if (text)
		text->users++;
	return text;
}

void
text_put(struct texts *texts, struct text *text)
{
	if (!text || --text->users)
		return;
	HASH_DELETE(hh, texts->all, text);
	free(text);
}
