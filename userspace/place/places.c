/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* places - load every source, and say what was loaded. */
#include "place/places.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "place/layout.h"
#include "place/datafile.h"

DEFINE_DROP(struct places *, places, places_free)

static size_t
count_list(const char *const *list)
{
	size_t count = 0;

	while (list && list[count])
		count++;
	return count;
}

static int
out_of_memory(struct error *why)
{
	return error_set(why, -ENOMEM, "no memory");
}

/* The next source's row; its path is kept. NULL: no memory. */
static struct place_source *
add_source(struct places *places, const char *path, const char *what)
{
	struct place_source *source = &places->sources[places->source_count];

	*source = (struct place_source){
		.path = names_keep(&places->names, path, strlen(path)),
		.what = names_keep(&places->names, what, strlen(what)),
	};
	if (!source->path || !source->what)
		return NULL;
	places->source_count++;
	return source;
}

static int
load_overrides(struct places *places, struct overrides *overrides, enum overrides_format format,
	       const char *const *paths, struct error *why)
{
	const char *what = format == OVERRIDES_LIST ? "overrides" : "geofeed";
	uint8_t wrong = 0;
	int err;

	for (size_t i = 0; i < count_list(paths); i++) {
		struct buf text cleanup(buf_fini) = {0};
		struct place_source *source = add_source(places, paths[i], what);

		if (!source)
			return out_of_memory(why);
		err = datafile_read(&text, paths[i], source->digest, why);
		if (err == 0)
			err = overrides_read(overrides, format, text.data, text.length,
					     &source->entries, why);
		if (err < 0)
			return err;
	}
	err = overrides_finish(overrides, &wrong, why);
	if (err < 0)
		snprintf(why->file, sizeof(why->file), "%s", paths[wrong]);
	return err;
}

static int
load_legal(struct places *places, const char *const *paths, struct error *why)
{
	for (size_t i = 0; i < count_list(paths); i++) {
		struct buf text cleanup(buf_fini) = {0};
		struct place_source *source = add_source(places, paths[i], "legal groups");
		int err;

		if (!source)
			return out_of_memory(why);
		err = datafile_read(&text, paths[i], source->digest, why);
		if (err == 0)
			err = legal_read(&places->legal, text.data, text.length, &source->entries,
					 &source->date_ms, why);
		if (err < 0)
			return err;
	}
	return legal_finish(&places->legal) < 0 ? out_of_memory(why) : 0;
}

/* "operator=FILE" and "location=FILE" say what its countries are about. */
static const char *
take_subject(const char *text, enum database_subject *subject)
{
	static const char operators[] = "operator=", locations[] = "location=";

	*subject = DATABASE_DETECT;
	if (!strncmp(text, operators, strlen(operators))) {
		*subject = DATABASE_OPERATOR;
		return text + strlen(operators);
	}
	if (!strncmp(text, locations, strlen(locations))) {
		*subject = DATABASE_LOCATION;
		return text + strlen(locations);
	}
	return text;
}

static int
check_path(const char *path, const char *name, struct error *why)
{
	struct database_options options = {.location_path = path};
	struct layout layout cleanup(layout_fini) = {0};

	if (layout_init(&layout, &options, NULL) == 0)
		return 0;
	datafile_name(why, "");
	return error_set(why, -EINVAL, "%s '%.64s' is no path like country.iso_code", name, path);
}

static const char *
describe(struct places *places, const struct database *database)
{
	char text[160];

	snprintf(text, sizeof(text), "database %s:%s%s%s", database->mmdb.metadata.database_type,
		 database->has_location ? " location" : "",
		 database->has_operator ? " operator" : "", database->has_asn ? " asn" : "");
	return names_keep(&places->names, text, sizeof(text));
}

static int
load_database(struct places *places, const char *spec, const struct places_options *options,
	      struct error *why)
{
	struct database *database = &places->databases[places->database_count];
	struct database_options how = {.location_path = options->location_path,
				       .operator_path = options->operator_path};
	const char *path = take_subject(spec, &how.subject);
	struct place_source *source = add_source(places, path, "database");
	char opened[32];
	int fd cleanup(fd_drop) = -1;
	int err;

	if (!source)
		return out_of_memory(why);
	fd = datafile_copy(path, source->digest, why);
	if (fd < 0)
		return fd;
	/* By descriptor: what is mapped is what was hashed. */
	snprintf(opened, sizeof(opened), "/proc/self/fd/%d", fd);
	err = database_open(database, opened, &how, why);
	if (err < 0)
		return err;
	places->database_count++;
	source->entries = database->networks;
	source->date_ms = (int64_t)(database->mmdb.metadata.build_epoch % 100000000000) * 1000;
	source->what = describe(places, database);
	return source->what ? 0 : out_of_memory(why);
}

static int
load_databases(struct places *places, const struct places_options *options, struct error *why)
{
	size_t count = count_list(options->databases);

	if (check_path(options->location_path, "location path", why) < 0 ||
	    check_path(options->operator_path, "operator path", why) < 0)
		return -EINVAL;
	places->databases = calloc(count + 1, sizeof(*places->databases));
	if (!places->databases)
		return out_of_memory(why);
	for (size_t i = 0; i < count; i++) {
		int err = load_database(places, options->databases[i], options, why);

		if (err < 0)
			return err;
	}
	return 0;
}

static int
load_own(struct places *places, const char *const *own, struct error *why)
{
	size_t count = count_list(own);
	uint32_t clash[2];
	uint8_t group;

	datafile_name(why, "");
	places->own = calloc(count + 1, sizeof(*places->own));
	if (!places->own)
		return out_of_memory(why);
	for (size_t i = 0; i < count; i++) {
		struct prefix *prefix = &places->own[i];

		if (prefix_parse(prefix, own[i]) < 0)
			return error_set(why, -EINVAL,
					 "own network '%.64s' is no prefix (or has bits after "
					 "its length)",
					 own[i]);
		if (prefixes_add(&places->own_set, prefix, 0, 0, 0) < 0)
			return out_of_memory(why);
	}
	places->own_count = count;
	return prefixes_sort(&places->own_set, clash, &group);
}

static int
load_as_public(struct places *places, const char *const *scopes, struct error *why)
{
	const char *names[SCOPES];
	const char *near;

	datafile_name(why, "");
	for (unsigned int i = 0; i < SCOPES; i++)
		names[i] = scope_name((enum scope)i);
	for (size_t i = 0; i < count_list(scopes); i++) {
		enum scope scope;

		if (scope_by_name(&scope, scopes[i]) == 0) {
			places->as_public[scope] = true;
			continue;
		}
		near = nearest_word(scopes[i], names, SCOPES);
		return error_set(why, -EINVAL, "no scope '%.64s'%s%s%s", scopes[i],
				 near ? "; did you mean '" : "", near ? near : "",
				 near ? "'?" : "");
	}
	return 0;
}

int
places_load(struct places **out, const struct places_options *options, struct error *why)
{
	struct places *places cleanup(places_drop) = calloc(1, sizeof(*places));
	struct error unheard = {0};
	size_t files = count_list(options->overrides) + count_list(options->geofeeds) +
		       count_list(options->databases) + count_list(options->legal);
	int err;

	why = why ? why : &unheard;
	if (places)
		places->sources = calloc(files + 1, sizeof(*places->sources));
	if (!places || !places->sources)
		return out_of_memory(why);
	err = load_own(places, options->own, why);
	if (err == 0)
		err = load_as_public(places, options->as_public, why);
	if (err == 0)
		err = load_overrides(places, &places->overrides, OVERRIDES_LIST, options->overrides,
				     why);
	if (err == 0)
		err = load_overrides(places, &places->geofeed, OVERRIDES_GEOFEED, options->geofeeds,
				     why);
	if (err == 0)
		err = load_databases(places, options, why);
	if (err == 0)
		err = load_legal(places, options->legal, why);
	if (err < 0)
		return err;
	*out = take(places);
	return 0;
}

void
places_free(struct places *places)
{
	if (!places)
		return;
	overrides_fini(&places->overrides);
	overrides_fini(&places->geofeed);
	prefixes_fini(&places->own_set);
	for (size_t i = 0; i < places->database_count; i++)
		database_fini(&places->databases[i]);
	legal_fini(&places->legal);
	names_fini(&places->names);
	free(places->databases);
	free(places->sources);
	free(places->own);
	free(places);
}

static bool
has_location(const struct overrides *overrides)
{
	for (uint32_t i = 0; i < overrides->count; i++) {
		if (overrides->facts[i].location != COUNTRY_NONE)
			return true;
	}
	return false;
}

bool
places_has_location(const struct places *places)
{
	for (size_t i = 0; i < places->database_count; i++) {
		if (places->databases[i].has_location)
			return true;
	}
	return has_location(&places->overrides) || has_location(&places->geofeed);
}

const struct prefix *
places_own(const struct places *places, size_t *count)
{
	*count = places->own_count;
	return places->own;
}

const struct place_source *
places_sources(const struct places *places, size_t *count)
{
	*count = places->source_count;
	return places->sources;
}

const char *const *
legal_members(const struct places *places, const char *group, int64_t wall_ms)
{
	return legal_group_members(&places->legal, group, wall_ms);
}
