/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* error.c - fill in and print an error; guess which name was meant. */
#include "base/error.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX 64 /* longer words are nobody's slip of the finger */

/* It quotes foreign text, and goes to terminals: no controls, no broken characters. */
static void
disarm(char *text)
{
	size_t left = strlen(text), width;

	for (; left; text += width, left -= width) {
		width = utf8_width(text, left);
		if (width == 0 || (width == 1 && (*text < 0x20 || *text == 0x7f)))
			*text = '?';
		else if (width == 2 && text[0] == '\xc2' && (text[1] & 0x60) == 0)
			memset(text, '?', 2); /* U+0080 to U+009F */
		width = width ? width : 1;
	}
}

int
error_set(struct error *why, int code, const char *format, ...)
{
	va_list args;

	if (!why)
		return code;
	va_start(args, format);
	vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	disarm(why->text);
	return code;
}

const char *
error_format(const struct error *why, char *out, unsigned long size)
{
	char place[32] = "";

	if (why->line && why->column)
		snprintf(place, sizeof(place), "%u:%u", why->line, why->column);
	else if (why->line)
		snprintf(place, sizeof(place), "%u", why->line);

	snprintf(out, size, "%s%s%s%s%s", why->file, why->file[0] && place[0] ? ":" : "", place,
		 why->file[0] || place[0] ? ": " : "", why->text);
	disarm(out);
	return out;
}

static unsigned int
least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Damerau-Levenshtein: insert, delete, replace, or swap two neighbours, one each. */
static unsigned int
distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned int rows[3][WORD_MAX + 1];
	unsigned int *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_length; j++)
		before[j] = above[j] = (unsigned int)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned int *oldest = before;

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= b_length; j++) {
			unsigned int differs = a[i - 1] != b[j - 1];

			row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + differs);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = above;
		above = row;
		row = oldest;
	}
	return above[b_length];
}

const char *
nearest_word(const char *word, const char *const *candidates, unsigned long count)
{
	size_t length = strlen(word);
	unsigned int best = length < 6 ? 1 : (unsigned int)length / 3;
	const char *nearest = NULL;

	if (length == 0 || length > WORD_MAX)
		return NULL;
	for (unsigned long i = 0; i < count; i++) {
		size_t other = strlen(candidates[i]);
		unsigned int far;

		if (other > WORD_MAX)
			continue;
		far = distance(word, length, candidates[i], other);
		if (far < best || (far == best && !nearest)) {
			best = far;
			nearest = candidates[i];
		}
	}
	return nearest;
}
