/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * text.h - strings that many processes share: a program's path is kept once,
 * however many processes run it, and dies with the last of them.
 */
#ifndef CONTEXT_TEXT_H
#define CONTEXT_TEXT_H

#include <stddef.h>

#include "base/hash.h"

struct text {
	unsigned int users;
	UT_hash_handle hh;
	char bytes[]; /* a C string */
};

struct texts {
	struct text *all;
};

/* The text with these bytes, the caller's to drop. NULL for "", NULL, and without memory. */
struct text *text_get(struct texts *texts, const char *bytes);
struct text *text_share(struct text *text);
void text_put(struct texts *texts, struct text *text);

static inline const char *
text_bytes(const struct text *text)
{
	return text ? text->bytes : NULL;
}

#endif /* CONTEXT_TEXT_H */
