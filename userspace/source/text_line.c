/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text_line - a line of text as words and key=value pairs, with their columns. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "source/text_line.h"

static unsigned int
column(const struct text_line *line, const char *at)
{
	return (unsigned int)(at - line->text) + 1;
}

static int
wrong(const struct text_line *line, struct error *why, const char *at, const char *what)
{
	why->column = column(line, at);
	return error_set(why, -EINVAL, "%s", what);
}

/* The byte that an escape stands for; *at is behind the backslash and moves on. -1: none. */
static int
unescape(char **at)
{
	static const char letters[] = "\\\"nt", bytes[] = "\\\"\n\t";
	const char *letter = **at ? strchr(letters, **at) : NULL;
	char digits[3] = "";

	if (letter) {
		(*at)++;
		return (unsigned char)bytes[letter - letters];
	}
	if (**at != 'x' || !isxdigit((unsigned char)(*at)[1]) || !isxdigit((unsigned char)(*at)[2]))
		return -1;
	memcpy(digits, *at + 1, 2);
	*at += 3;
	return (int)strtoul(digits, NULL, 16);
}

/* Read a value up to its end, in place. *at moves behind it. */
static int
read_value(const struct text_line *line, char **at, struct text_value *out, struct error *why)
{
	bool quoted = **at == '"';
	char *from = *at + quoted, *to = from, *start = from;

	while (*from && (quoted ? *from != '"' : *from != ' ' && *from != '\t')) {
		int byte = (unsigned char)*from++;

		if (byte == '\\')
			byte = unescape(&from);
		if (byte < 0)
			return wrong(line, why, from - 1,
				     "no such escape; \\\\ \\\" \\n \\t \\xNN are");
		*to++ = (char)byte;
	}
	if (quoted && *from != '"')
		return wrong(line, why, *at, "the quote is not closed");
	from += quoted;
	if (*from && *from != ' ' && *from != '\t')
		return wrong(line, why, from, "a blank must follow the quote");
	*at = from + (*from != '\0');
	*to = '\0';
	*out = (struct text_value){start, (size_t)(to - start)};
	return 0;
}

static int
read_token(struct text_line *line, char **at, struct error *why)
{
	struct text_token *token = &line->tokens[line->count];
	char *end = *at + strcspn(*at, "= \t");
	char mark = *end;

	if (line->count == TEXT_TOKENS)
		return wrong(line, why, *at, "too many keys in one line");
	if (end == *at)
		return wrong(line, why, *at, "a key is missing before '='");
	*token = (struct text_token){.key = *at, .column = column(line, *at)};
	token->value_column = column(line, mark == '=' ? end + 1 : *at);
	*end = '\0';
	*at = end + (mark != '\0');
	line->count++;
	return mark == '=' ? read_value(line, at, &token->value, why) : 0;
}

/* Cut the line into tokens; a comment ends it. */
int
text_split(struct text_line *line, struct error *why)
{
	char *at = line->text;
	int result = 0;

	line->count = 0;
	at[strcspn(at, "\r")] = '\0';
	while (!result) {
		at += strspn(at, " \t");
		if (!*at || *at == '#')
			return 0;
		result = read_token(line, &at, why);
	}
	return result;
}

const struct text_token *
text_find(const struct text_line *line, const char *key)
{
	size_t i;

	for (i = 0; i < line->count; i++) {
		if (!strcmp(line->tokens[i].key, key))
			return &line->tokens[i];
	}
	return NULL;
}
