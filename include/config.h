/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * config.h - the effective settings, and where each came from.
 *
 * Later origins win: default, /etc/demarc/demarc.json (or --config), files of
 * conf.d beside it in order of their names, environment, command line. An
 * unknown name, a wrong type or a value out of its words is an error with its
 * place and the nearest valid name.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* C types of the setting types. A LIST ends with NULL and is never NULL itself; PAIRS are a LIST
 * of "name=value", whose secrets are masked in struct setting_row. */
typedef const char *setting_STRING;
typedef uint64_t setting_UINT;
typedef bool setting_BOOL;
typedef const char *const *setting_LIST;
typedef const char *const *setting_PAIRS;

struct config {
#define SETTING(type, member, name, fallback, meaning) setting_##type member;
#include "config.def"
#undef SETTING
	void *owned; /* everything the pointers above point into */
};

struct config_sources {
	const char *path;               /* NULL: /etc/demarc/demarc.json when it exists */
	const char *const *environment; /* "NAME=value", NULL-terminated; NULL: none */
	const char *const *sets;        /* "name=value" of --set, NULL-terminated; NULL: none */
	const char *const *properties;  /* of -X, likewise: behind kafka.properties */
};

/* 0, or -EINVAL / -errno with the place in why. config is filled only on success. */
int config_load(struct config *config, const struct config_sources *sources, struct error *why);
void config_fini(struct config *config);

/* Each setting: its name, value as text, origin ("default", "FILE:LINE", "environment", "--set")
 * and meaning. */
struct setting_row {
	const char *name;
	const char *value;
	const char *origin;
	const char *meaning;
};
size_t config_count(void);
struct setting_row config_row(const struct config *config, size_t index);

#endif /* CONFIG_H */
