/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text_line.h - a line of text as words and key=value pairs, with their columns. */
#ifndef SOURCE_TEXT_LINE_H
#define SOURCE_TEXT_LINE_H

#include <stddef.h>

#include "base/error.h"
#include "source/text_keys.h"

#define TEXT_TOKENS 64

/* "word" or "key=value". */
struct text_token {
	char *key;
	struct text_value value; /* bytes NULL: a word */
	unsigned int column;     /* from 1 */
	unsigned int value_column;
};

struct text_line {
	char *text; /* cut up in place */
	struct text_token tokens[TEXT_TOKENS];
	size_t count;
};

/* Cut line->text into tokens; a comment ends it. -EINVAL with the column in why. */
int text_split(struct text_line *line, struct error *why);

/* The first token with this key or word, or NULL. */
const struct text_token *text_find(const struct text_line *line, const char *key);

#endif /* SOURCE_TEXT_LINE_H */
