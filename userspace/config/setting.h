/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * setting.h - one setting at a time: its row of config.def, what values it takes,
 * and storing a value with its origin. config.c knows where values come from.
 */
#ifndef CONFIG_SETTING_H
#define CONFIG_SETTING_H

#include <stddef.h>

#include "base/jsonc.h"
#include "config.h"

enum setting_type { SETTING_STRING, SETTING_UINT, SETTING_BOOL, SETTING_LIST, SETTING_PAIRS };

struct setting {
	const char *name;
	enum setting_type type;
	size_t offset; /* of the member in struct config */
	const char *fallback;
	const char *meaning;
};

enum {
#define SETTING(type, member, name, fallback, meaning) SETTING_INDEX_##member,
#include "config.def"
#undef SETTING
	SETTINGS
};

extern const struct setting settings[SETTINGS];

/* What config->owned points to: all values as text, their origins, and the memory of both. */
struct block;
struct owned {
	struct block *blocks;
	const char *values[SETTINGS];
	const char *origins[SETTINGS];
};

/* The index of a name, SETTINGS when there is none. */
size_t setting_find(const char *name);

/* A value as text: of the environment or the command line, lists parted by commas. */
int setting_put_text(struct config *config, size_t index, const char *text, const char *origin,
		     struct error *why);

/* One more pair behind those that are there. */
int setting_add_pair(struct config *config, size_t index, const char *pair, const char *origin,
		     struct error *why);

/* A value of a file; its line is put behind the path as origin. */
int setting_put_json(struct config *config, size_t index, const struct jsonc *doc,
		     const cJSON *item, const char *path, struct error *why);

#endif /* CONFIG_SETTING_H */
