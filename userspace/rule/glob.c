/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * glob - shell patterns over bytes. Not fnmatch(): that one follows the locale,
 * may allocate, and takes exponential time on patterns with many stars.
 */
#include "rule/ruleset.h"

/* The end of the class that begins after '[', or NULL when it is not closed. */
static const char *
class_end(const char *at)
{
	if (*at == '!')
		at++;
	if (*at == ']') /* first: itself */
		at++;
	while (*at && *at != ']')
		at++;
	return *at ? at : NULL;
}

static bool
class_has(const char *at, const char *end, unsigned char byte)
{
	bool negated = *at == '!';
	bool found = false;

	if (negated)
		at++;
	for (; at < end; at++) {
		unsigned char low = (unsigned char)at[0], high = low;

		if (at + 2 < end && at[1] == '-') {
			high = (unsigned char)at[2];
			at += 2;
		}
		if (byte >= low && byte <= high)
			found = true;
	}
	return found != negated;
}

/* Does one byte fit the element at pattern? *next is the element after it. */
static bool
fits(const char *pattern, char byte, const char **next)
{
	const char *end;

	*next = pattern + 1;
	switch (*pattern) {
	case '?':
		return true;
	case '[':
		end = class_end(pattern + 1);
		*next = end + 1;
		return class_has(pattern + 1, end, (unsigned char)byte);
	case '\\':
		*next = pattern + 2;
		return pattern[1] == byte;
	default:
		return *pattern == byte;
	}
}

bool
glob_is_valid(const char *pattern)
{
	if (!*pattern)
		return false;
	for (; *pattern; pattern++) {
		if (*pattern == '\\' && !*++pattern)
			return false;
		else if (*pattern == '[' && !(pattern = class_end(pattern + 1)))
			return false;
	}
	return true;
}

/* Only the last star needs to be tried again: an earlier one can only take less. */
bool
glob_match(const char *pattern, const char *text)
{
	const char *star = NULL, *resume = NULL, *next;

	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			resume = text;
		} else if (*pattern && fits(pattern, *text, &next)) {
			pattern = next;
			text++;
		} else if (star) {
			pattern = star;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}
