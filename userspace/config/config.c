/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* config.c - gather the settings from where they may stand; later places win. */
#include "config.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/jsonc.h"
#include "config/names.h"
#include "config/setting.h"

#define PATH_DEFAULT "/etc/demarc/demarc.json"
#define VARIABLE     "DEMARC_"
#define PROPERTY     "DEMARC_KAFKA_"

static int put_members(struct config *config, const struct jsonc *doc, const cJSON *object,
		       const char *path, const char *section, struct error *why);

static int
put_member(struct config *config, const struct jsonc *doc, const cJSON *item, const char *path,
	   const char *section, struct error *why)
{
	char name[NAME_BYTES];
	size_t index;

	snprintf(name, sizeof(name), "%s%s%s", section, section[0] ? "." : "", item->string);
	index = setting_find(name);
	if (strchr(item->string, '.') && index < SETTINGS)
		return jsonc_error(doc, item, why,
				   "nest '%s' at its dot: {\"%.*s\": {\"%s\": ...}}", name,
				   (int)strcspn(name, "."), name, strchr(name, '.') + 1);
	if (index < SETTINGS)
		return setting_put_json(config, index, doc, item, path, why);
	if (names_is_section(name) && cJSON_IsObject(item))
		return put_members(config, doc, item, path, name, why);
	if (names_is_section(name))
		return jsonc_error(doc, item, why, "%s must be an object", name);
	jsonc_locate(doc, item, &why->line, &why->column);
	return names_fail_setting(name, why);
}

static int
put_members(struct config *config, const struct jsonc *doc, const cJSON *object, const char *path,
	    const char *section, struct error *why)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, object)
	{
		int err = put_member(config, doc, item, path, section, why);

		if (err)
			return err;
	}
	return 0;
}

static int
load_file(struct config *config, const char *path, struct error *why)
{
	struct jsonc doc cleanup(jsonc_fini) = {0};
	int err = jsonc_parse_file(&doc, path, why);

	if (err)
		return err;
	if (!cJSON_IsObject(doc.root))
		return jsonc_error(&doc, doc.root, why, "the configuration must be an object");
	return put_members(config, &doc, doc.root, path, "", why);
}

/* Not hidden ones: editors leave such files, and Kubernetes hangs a ConfigMap on one. */
static int
is_fragment(const struct dirent *entry)
{
	const char *end = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && end && strcmp(end, ".json") == 0;
}

static int
compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* The names of a directory, freed as one. */
struct listing {
	struct dirent **entries;
	int count;
};

static void
listing_fini(struct listing *listing)
{
	for (int i = 0; i < listing->count; i++)
		free(listing->entries[i]);
	free(listing->entries);
}

static int
load_directory(struct config *config, const char *directory, struct error *why)
{
	struct listing listing cleanup(listing_fini) = {0};

	listing.count = scandir(directory, &listing.entries, is_fragment, compare_names);
	if (listing.count < 0 && errno == ENOENT)
		return 0;
	if (listing.count < 0) {
		int err = -errno;

		snprintf(why->file, sizeof(why->file), "%s", directory);
		return error_set(why, err, "cannot list it: %s", strerror(-err));
	}
	for (int i = 0; i < listing.count; i++) {
		struct buf path cleanup(buf_fini) = {0};
		int err;

		buf_addf(&path, "%s/%s", directory, listing.entries[i]->d_name);
		err = load_file(config, buf_text(&path), why);
		if (err)
			return err;
	}
	return 0;
}

static int
load_files(struct config *config, const char *given, struct error *why)
{
	struct buf directory cleanup(buf_fini) = {0};
	const char *path = given ? given : PATH_DEFAULT;
	const char *slash = strrchr(path, '/');
	int err = load_file(config, path, why);

	if (err == -ENOENT && !given)
		*why = (struct error){0};
	else if (err)
		return err;
	buf_add(&directory, path, slash ? (size_t)(slash - path) + 1 : 0);
	buf_adds(&directory, "conf.d");
	return load_directory(config, buf_text(&directory), why);
}

/*
 * Kubernetes describes every Service to every container in variables; one that is
 * named demarc-something would look like a misspelt setting.
 */
static bool
is_service_link(const char *name, const char *value)
{
	const char *port = strstr(name, "_PORT");

	if (strstr(name, "_SERVICE_HOST") || strstr(name, "_SERVICE_PORT"))
		return true;
	return port &&
	       (strstr(value, "://") || (port[5] == '_' && isdigit((unsigned char)port[6])));
}

/* "DEMARC_KAFKA_SASL_PASSWORD=secret" is the property sasl.password, if it is no setting. */
static bool
is_property(const char *variable, size_t length)
{
	return strncmp(variable, PROPERTY, strlen(PROPERTY)) == 0 && length > strlen(PROPERTY) &&
	       names_find_variable(variable, length) == SETTINGS &&
	       !is_service_link(variable, variable + length + 1);
}

static int
load_property_variable(struct config *config, const char *variable, struct error *why)
{
	size_t length = strcspn(variable, "="), skip = strlen(PROPERTY);
	struct buf pair cleanup(buf_fini) = {0};
	int err;

	if (!variable[length] || !is_property(variable, length))
		return 0;
	for (size_t i = skip; i < length; i++)
		buf_addc(&pair, variable[i] == '_' ? '.' : (char)tolower(variable[i]));
	buf_adds(&pair, variable + length);
	err = setting_add_pair(config, SETTING_INDEX_kafka_properties, buf_text(&pair),
			       "environment", why);
	if (pair.data)
		explicit_bzero(pair.data, pair.length);
	return err;
}

static int
load_property(struct config *config, const char *pair, struct error *why)
{
	return setting_add_pair(config, SETTING_INDEX_kafka_properties, pair, "-X", why);
}

static int
load_variable(struct config *config, const char *variable, struct error *why)
{
	size_t length = strcspn(variable, "="), index;

	if (strncmp(variable, VARIABLE, strlen(VARIABLE)) != 0 || !variable[length])
		return 0;
	index = names_find_variable(variable, length);
	if (index == SETTINGS &&
	    (is_service_link(variable, variable + length + 1) || is_property(variable, length)))
		return 0;
	snprintf(why->file, sizeof(why->file), "environment");
	if (index == SETTINGS)
		return names_fail_variable(variable, length, why);
	return setting_put_text(config, index, variable + length + 1, "environment", why);
}

static int
load_set(struct config *config, const char *set, struct error *why)
{
	size_t length = strcspn(set, "="), index;
	char name[NAME_BYTES];

	snprintf(why->file, sizeof(why->file), "--set");
	if (!set[length])
		return error_set(why, -EINVAL, "'%s' must be name=value", set);
	snprintf(name, sizeof(name), "%.*s", (int)(length < NAME_BYTES ? length : NAME_BYTES), set);
	index = setting_find(name);
	if (index == SETTINGS)
		return names_fail_setting(name, why);
	return setting_put_text(config, index, set + length + 1, "--set", why);
}

/* Calls load for each string of a NULL-terminated list, which may be NULL itself. */
static int
load_each(struct config *config, const char *const *list,
	  int (*load)(struct config *config, const char *text, struct error *why),
	  struct error *why)
{
	for (; list && *list; list++) {
		int err;

		*why = (struct error){0};
		err = load(config, *list, why);
		if (err)
			return err;
	}
	return 0;
}

static int
load_defaults(struct config *config, struct error *why)
{
	int err = 0;

	for (size_t i = 0; i < SETTINGS && !err; i++)
		err = setting_put_text(config, i, settings[i].fallback, "default", why);
	return err;
}

int
config_load(struct config *out, const struct config_sources *sources, struct error *why)
{
	struct config config cleanup(config_fini) = {.owned = calloc(1, sizeof(struct owned))};
	struct error unheard = {0};
	int err;

	why = why ? why : &unheard;
	*why = (struct error){0};
	if (!config.owned)
		return error_set(why, -ENOMEM, "out of memory");
	err = load_defaults(&config, why);
	if (!err)
		err = load_files(&config, sources->path, why);
	if (!err)
		err = load_each(&config, sources->environment, load_variable, why);
	if (!err)
		err = load_each(&config, sources->sets, load_set, why);
	if (!err)
		err = load_each(&config, sources->environment, load_property_variable, why);
	if (!err)
		err = load_each(&config, sources->properties, load_property, why);
	if (err)
		return err;
	*why = (struct error){0};
	*out = config;
	config.owned = NULL; /* the caller's now */
	return 0;
}

size_t
config_count(void)
{
	return SETTINGS;
}

struct setting_row
config_row(const struct config *config, size_t index)
{
	const struct owned *owned = config->owned;

	return (struct setting_row){
		.name = settings[index].name,
		.value = owned->values[index],
		.origin = owned->origins[index],
		.meaning = settings[index].meaning,
	};
}
