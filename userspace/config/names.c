/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* names.c - one name in three spellings, and what was meant by a wrong one. */
#include "config/names.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/setting.h"

void
names_environment(const char *name, char out[NAME_BYTES])
{
	size_t length = (size_t)snprintf(out, NAME_BYTES, "DEMARC_%s", name);

	for (size_t i = 0; i < length && i < NAME_BYTES; i++)
		out[i] = (char)(out[i] == '.' ? '_' : toupper((unsigned char)out[i]));
}

size_t
names_find_variable(const char *name, size_t length)
{
	char candidate[NAME_BYTES];

	for (size_t i = 0; i < SETTINGS; i++) {
		names_environment(settings[i].name, candidate);
		if (strlen(candidate) == length && memcmp(candidate, name, length) == 0)
			return i;
	}
	return SETTINGS;
}

bool
names_is_section(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < SETTINGS; i++)
		if (strncmp(settings[i].name, name, length) == 0 && settings[i].name[length] == '.')
			return true;
	return false;
}

static int
fail(const char *name, const char *nearest, struct error *why)
{
	if (!nearest)
		return error_set(why, -EINVAL, "no setting '%.64s'", name);
	return error_set(why, -EINVAL, "no setting '%.64s'; did you mean '%s'?", name, nearest);
}

int
names_fail_setting(const char *name, struct error *why)
{
	const char *candidates[2 * SETTINGS], *nearest;
	char sections[SETTINGS][NAME_BYTES];

	for (size_t i = 0; i < SETTINGS; i++) {
		int length = (int)strcspn(settings[i].name, ".");

		snprintf(sections[i], NAME_BYTES, "%.*s", length, settings[i].name);
		candidates[i] = settings[i].name;
		candidates[SETTINGS + i] = sections[i];
	}
	nearest = nearest_word(name, candidates, 2 * SETTINGS);
	for (size_t i = 0; !nearest && i < SETTINGS; i++) {
		const char *dot = strrchr(settings[i].name, '.');

		if (dot && strcmp(dot + 1, name) == 0) /* right, but not in its section */
			nearest = settings[i].name;
	}
	return fail(name, nearest, why);
}

int
names_fail_variable(const char *name, size_t length, struct error *why)
{
	char names[SETTINGS][NAME_BYTES], wrong[2 * NAME_BYTES];
	const char *candidates[SETTINGS], *nearest;

	for (size_t i = 0; i < SETTINGS; i++) {
		names_environment(settings[i].name, names[i]);
		candidates[i] = names[i] + strlen("DEMARC_");
	}
	snprintf(wrong, sizeof(wrong), "%.*s", (int)length, name);
	nearest = nearest_word(wrong + strlen("DEMARC_"), candidates, SETTINGS);
	return fail(wrong, nearest ? nearest - strlen("DEMARC_") : NULL, why);
}
