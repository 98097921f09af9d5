/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* judge - load rules and places as the configuration says. */
#include <errno.h>
#include <glob.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "judge.h"

/* Beside the program in a checkout (build/demarc), else where `make install` puts them. */
int
shipped_path(const char *name, char *path, size_t room)
{
	const char *const bases[] = {"..", "../share/demarc", "../../share/demarc"};
	char program[4096];
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (length < 0)
		return -errno;
	program[length] = 0;
	dirname(program);
	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		char *real cleanup(free_drop) = NULL;

		if (snprintf(path, room, "%s/%s/%s", program, bases[i], name) >= (int)room)
			continue;
		real = realpath(path, NULL);
		if (real && snprintf(path, room, "%s", real) < (int)room && !access(path, R_OK))
			return 0;
	}
	return -ENOENT;
}

DEFINE_DROP(struct judge *, judge, judge_free)

void
judge_free(struct judge *judge)
{
	if (!judge)
		return;
	place_recall_free(judge->place_recall);
	places_free(judge->places);
	for (size_t i = 0; i < JUDGE_RULESETS; i++) {
		recall_free(judge->recalls[i]);
		ruleset_free(judge->rulesets[i]);
	}
	free(judge);
}

static void
say_warning(const struct error *warning, void *arg)
{
	char text[768];

	(void)arg;
	log_warn("rules", "%s", error_format(warning, text, sizeof(text)));
}

static int
add_rules(struct judge *judge, const char *path, struct error *why)
{
	size_t at = judge->ruleset_count;
	int result;

	if (at == JUDGE_RULESETS)
		return error_set(why, -E2BIG, "more than %d rule files", JUDGE_RULESETS);
	result = ruleset_load(&judge->rulesets[at], path, why);
	if (result < 0)
		return result;
	if (recall_new(&judge->recalls[at], judge->rulesets[at]) < 0)
		return error_set(why, -ENOMEM, "%s: no memory", path);
	ruleset_warn(judge->rulesets[at], clock_wall_ms(), say_warning, NULL);
	judge->ruleset_count++;
	return 0;
}

static int
load_rules(struct judge *judge, const char *const *files, struct error *why)
{
	char path[4096];
	int result = 0;

	if (files[0]) {
		for (; *files && !result; files++)
			result = add_rules(judge, *files, why);
		return result;
	}
	result = shipped_path("rules/eu-residency.json", path, sizeof(path));
	if (result < 0)
		return error_set(why, result,
				 "no rules configured, and no shipped rules beside the program");
	return add_rules(judge, path, why);
}

/* The configured legal groups, or every shipped list. */
static int
find_legal(const struct config *config, glob_t *found, const char *const **files, struct error *why)
{
	char folder[4096], pattern[4096 + 16];

	if (config->place_legal[0]) {
		*files = config->place_legal;
		return 0;
	}
	if (shipped_path("rules/legal", folder, sizeof(folder)) < 0)
		return error_set(why, -ENOENT,
				 "no legal groups configured, and none beside the program");
	snprintf(pattern, sizeof(pattern), "%s/*.json", folder);
	if (glob(pattern, 0, NULL, found))
		return error_set(why, -ENOENT, "no legal groups in %s", pattern);
	*files = (const char *const *)found->gl_pathv; /* ends with NULL */
	return 0;
}

static int
load_places(struct judge *judge, const struct config *config, struct error *why)
{
	glob_t found cleanup(globfree) = {0};
	struct places_options options = {
		.overrides = config->place_overrides,
		.geofeeds = config->place_geofeeds,
		.databases = config->place_databases,
		.own = config->place_own,
		.as_public = config->place_as_public,
		.location_path = *config->place_location_path ? config->place_location_path : NULL,
		.operator_path = *config->place_operator_path ? config->place_operator_path : NULL,
	};
	int result = find_legal(config, &found, &options.legal, why);

	return result < 0 ? result : places_load(&judge->places, &options, why);
}

int
judge_new(struct judge **out, const struct config *config, struct error *why)
{
	struct judge *judge cleanup(judge_drop) = calloc(1, sizeof(*judge));
	int result;

	if (!judge)
		return -ENOMEM;
	result = load_places(judge, config, why);
	if (!result)
		result = load_rules(judge, config->rules, why);
	if (result < 0)
		return result;
	if (place_recall_new(&judge->place_recall, judge->places) < 0)
		return error_set(why, -ENOMEM, "no memory");
	judge->observes = !places_has_location(judge->places);
	*why = (struct error){0}; /* the loaders leave their file's name in it */
	*out = take(judge);
	return 0;
}
