/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* usage.c - options by getopt, refusals in words of our own. */
#include "base/usage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX  32
#define NAME_BYTES 64

static int
refuse_name(const struct usage *usage, const char *word, struct error *why)
{
	int length = (int)strcspn(word, "=");
	const char *names[NAMES_MAX], *near;
	char name[NAME_BYTES];
	size_t count = 0;

	for (; count < NAMES_MAX && usage->options[count].name; count++)
		names[count] = usage->options[count].name;
	snprintf(name, sizeof(name), "%.*s", length, word);
	near = nearest_word(name + 2, names, count);
	return error_set(why, '?', "no option '%s'%s%s%s", name, near ? "; did you mean '--" : "",
			 near ? near : "", near ? "'?" : "");
}

/* getopt() has just refused word. */
static int
refuse(const struct usage *usage, int letter, const char *word, struct error *why)
{
	if (letter == ':')
		return error_set(why, '?', "option '%s' needs a value", word);
	if (strncmp(word, "--", 2) != 0)
		return error_set(why, '?', "no option '-%c'", optopt);
	if (optopt)
		return error_set(why, '?', "option '%.*s' takes no value", (int)strcspn(word, "="),
				 word);
	return refuse_name(usage, word, why);
}

int
usage_next(const struct usage *usage, int argc, char **argv, struct error *why)
{
	int letter;

	opterr = 0;
	letter = getopt_long(argc, argv, usage->letters, usage->options, NULL);
	if (letter == '?' || letter == ':')
		return refuse(usage, letter, argv[optind - 1], why);
	return letter;
}

int
usage_number(const char *name, const char *text, uint64_t least, uint64_t most, uint64_t *out,
	     struct error *why)
{
	bool is_number = text[0] && !text[strspn(text, "0123456789")];
	uint64_t value;

	errno = 0;
	value = is_number ? strtoull(text, NULL, 10) : 0;
	if (!is_number || errno || value < least || value > most)
		return error_set(why, -EINVAL,
				 "--%s must be a whole number from %" PRIu64 " to %" PRIu64
				 ", not '%s'",
				 name, least, most, text);
	*out = value;
	return 0;
}
