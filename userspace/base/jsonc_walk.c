/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* jsonc_walk.c - the grammar of RFC 8259, with sentences for people who break it. */
#include "base/jsonc_walk.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define NUMBER_MAX 60 /* cJSON cuts numbers at 63 bytes */

static void walk_value(struct jsonc_walk *walk, const cJSON *item);

static bool
is_over(const struct jsonc_walk *walk)
{
	return walk->problem || walk->is_found;
}

static void
fail(struct jsonc_walk *walk, size_t at, const char *problem)
{
	walk->at = at;
	walk->problem = problem;
}

static void
fail_expected(struct jsonc_walk *walk, const char *what)
{
	unsigned char byte = (unsigned char)walk->text[walk->at];
	char found[16];

	if (walk->at == walk->length)
		snprintf(found, sizeof(found), "the end");
	else if (byte > 0x20 && byte < 0x7f)
		snprintf(found, sizeof(found), "'%c'", byte);
	else
		snprintf(found, sizeof(found), "byte 0x%02x", byte);
	snprintf(walk->sentence, sizeof(walk->sentence), "expected %s, found %s", what, found);
	walk->problem = walk->sentence;
}

/* NUL at the end, so looking at one byte is always safe. */
static char
peek(const struct jsonc_walk *walk)
{
	return walk->text[walk->at];
}

static void
skip_space(struct jsonc_walk *walk)
{
	while (peek(walk) == ' ' || peek(walk) == '\n' || peek(walk) == '\t' || peek(walk) == '\r')
		walk->at++;
}

static size_t
skip_digits(struct jsonc_walk *walk)
{
	size_t start = walk->at;

	while (peek(walk) >= '0' && peek(walk) <= '9')
		walk->at++;
	return walk->at - start;
}

static void
walk_number(struct jsonc_walk *walk)
{
	size_t start = walk->at, digits;
	bool is_zero;

	walk->at += peek(walk) == '-';
	is_zero = peek(walk) == '0';
	digits = skip_digits(walk);
	if (digits == 0)
		return fail_expected(walk, "a digit after '-'");
	if (digits > 1 && is_zero)
		return fail(walk, start, "a number must not begin with 0");
	if (peek(walk) == '.') {
		walk->at++;
		if (!skip_digits(walk))
			return fail_expected(walk, "a digit after the point");
	}
	if (peek(walk) == 'e' || peek(walk) == 'E') {
		walk->at++;
		walk->at += peek(walk) == '-' || peek(walk) == '+';
		if (!skip_digits(walk))
			return fail_expected(walk, "a digit in the exponent");
	}
	if (walk->at - start > NUMBER_MAX)
		return fail(walk, start, "the number has too many digits");
	if (!isfinite(strtod(walk->text + start, NULL)))
		fail(walk, start, "the number is too large");
}

/* Four hexadecimal digits, or -1. */
static int
take_hex(struct jsonc_walk *walk)
{
	char digits[5] = {0};

	for (int i = 0; i < 4; i++) {
		digits[i] = peek(walk);
		if (!digits[i] || !strchr("0123456789abcdefABCDEF", digits[i]))
			return -1;
		walk->at++;
	}
	return (int)strtol(digits, NULL, 16);
}

static void
walk_unicode(struct jsonc_walk *walk, size_t start)
{
	int unit = take_hex(walk);

	if (unit < 0)
		return fail_expected(walk, "four hexadecimal digits after \\u");
	if (unit == 0)
		return fail(walk, start, "\\u0000 is not allowed in a string");
	if (unit < 0xd800 || unit > 0xdfff)
		return;
	if (unit < 0xdc00 && strncmp(walk->text + walk->at, "\\u", 2) == 0) {
		walk->at += 2;
		unit = take_hex(walk);
		if (unit >= 0xdc00 && unit <= 0xdfff)
			return;
	}
	fail(walk, start, "half of a surrogate pair");
}

static void
walk_escape(struct jsonc_walk *walk)
{
	size_t start = walk->at++;
	char byte = peek(walk);

	if (!byte || !strchr("\"\\/bfnrtu", byte))
		return fail(walk, start, "unknown escape; a backslash itself is written \\\\");
	walk->at++;
	if (byte == 'u')
		walk_unicode(walk, start);
}

static void
walk_string(struct jsonc_walk *walk)
{
	size_t start = walk->at++;

	while (!walk->problem && peek(walk) != '"') {
		size_t width = utf8_width(walk->text + walk->at, walk->length - walk->at);

		if (walk->at == walk->length || peek(walk) == '\n')
			return fail(walk, start, "the string has no closing quote");
		if (width == 0)
			return fail(walk, walk->at, "the string is not UTF-8");
		if (width == 1 && (unsigned char)peek(walk) < 0x20)
			return fail(walk, walk->at, "control character in a string");
		if (peek(walk) == '\\')
			walk_escape(walk);
		else
			walk->at += width;
	}
	if (!walk->problem)
		walk->at++;
}

static void
walk_word(struct jsonc_walk *walk)
{
	static const char *const words[] = {"true", "false", "null"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t length = strlen(words[i]);

		if (strncmp(walk->text + walk->at, words[i], length) == 0) {
			walk->at += length;
			return;
		}
	}
	fail_expected(walk, "a value");
}

/* After an element: true when another follows. */
static bool
take_comma(struct jsonc_walk *walk, char closing)
{
	size_t comma;

	skip_space(walk);
	comma = walk->at;
	if (peek(walk) == closing) {
		walk->at++;
		return false;
	}
	if (peek(walk) != ',') {
		fail_expected(walk, closing == '}' ? "',' or '}'" : "',' or ']'");
		return false;
	}
	walk->at++;
	skip_space(walk);
	if (peek(walk) != closing)
		return true;
	fail(walk, comma, "no comma may follow the last element");
	return false;
}

static void
find(struct jsonc_walk *walk, const cJSON *item)
{
	if (!item || item != walk->wanted)
		return;
	walk->is_found = true;
	walk->found = walk->at;
}

static void
walk_member(struct jsonc_walk *walk, const cJSON *item)
{
	skip_space(walk);
	find(walk, item);
	if (peek(walk) != '"')
		return fail_expected(walk, "a name in double quotes");
	walk_string(walk);
	if (is_over(walk))
		return;
	skip_space(walk);
	if (peek(walk) != ':')
		return fail_expected(walk, "':' after the name");
	walk->at++;
	walk_value(walk, item);
}

static void
walk_children(struct jsonc_walk *walk, const cJSON *item, char closing)
{
	const cJSON *child = item ? item->child : NULL;

	if (++walk->depth > JSONC_DEPTH_MAX)
		return fail(walk, walk->at, "nested too deeply");
	walk->at++;
	skip_space(walk);
	if (peek(walk) == closing) {
		walk->at++;
	} else {
		do {
			if (closing == '}')
				walk_member(walk, child);
			else
				walk_value(walk, child);
			child = child ? child->next : NULL;
		} while (!is_over(walk) && take_comma(walk, closing));
	}
	walk->depth--;
}

static void
walk_value(struct jsonc_walk *walk, const cJSON *item)
{
	skip_space(walk);
	find(walk, item);
	if (is_over(walk))
		return;
	if (peek(walk) == '{')
		walk_children(walk, item, '}');
	else if (peek(walk) == '[')
		walk_children(walk, item, ']');
	else if (peek(walk) == '"')
		walk_string(walk);
	else if (peek(walk) == '-' || (peek(walk) >= '0' && peek(walk) <= '9'))
		walk_number(walk);
	else
		walk_word(walk);
}

void
jsonc_walk(struct jsonc_walk *walk, const cJSON *tree)
{
	walk_value(walk, tree);
	if (is_over(walk))
		return;
	skip_space(walk);
	if (walk->at < walk->length)
		fail_expected(walk, "nothing more");
}
