/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_check - the effective settings with their origin, and whether what they name loads. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "commands.h"
#include "judge.h"
#include "streaming.h"
#include "options.h"
#include "sink/plain.h"

#define VALUE_COLUMNS 28

static const char help[] =
	"usage: demarc check [--all] [OPTIONS]\n\n"
	"Says which settings are in effect and where each comes from, then loads the\n"
	"rules and the location data that they name, and asks librdkafka about its\n"
	"properties. Exit code 78 when anything is "
	"wrong.\n\n"
	"  -a, --all               also the settings that have their default\n"
	"  -m, --meaning           with what each setting means\n" CONFIG_HELP;

/* Values are foreign text, and this is a terminal, perhaps. */
static void
print_row(const char *name, const char *value, const char *origin)
{
	struct buf line cleanup(buf_fini) = {0};
	size_t columns;

	columns = plain_add(&line, value, SIZE_MAX);
	plain_pad(&line, columns, VALUE_COLUMNS);
	buf_adds(&line, " # ");
	plain_add(&line, origin, SIZE_MAX);
	printf("%-24s = %s\n", name, buf_text(&line));
}

static void
print_settings(const struct config *config, bool all, bool meaning)
{
	for (size_t i = 0; i < config_count(); i++) {
		struct setting_row row = config_row(config, i);

		if (!all && !strcmp(row.origin, "default"))
			continue;
		print_row(row.name, row.value, row.origin);
		if (meaning)
			printf("%-24s   %s\n", "", row.meaning);
	}
}

static void
print_sources(const struct judge *judge)
{
	size_t count;
	const struct place_source *sources = places_sources(judge->places, &count);

	for (size_t i = 0; i < count; i++) {
		char date[CLOCK_TEXT] = "undated";

		if (sources[i].date_ms)
			clock_format(sources[i].date_ms, date);
		printf("%-24s = %s: %llu entries, %.10s, sha256 %.16s\n", sources[i].what,
		       sources[i].path, (unsigned long long)sources[i].entries, date,
		       sources[i].digest);
	}
	for (size_t i = 0; i < judge->ruleset_count; i++) {
		const struct ruleset_info *info = ruleset_info(judge->rulesets[i]);

		printf("%-24s = %s %s: %zu rules, sha256 %.16s\n", "rule set", info->id,
		       info->version, info->rules, info->digest);
	}
	if (judge->observes)
		printf("observe mode: no location data, so unknown places raise no alert\n");
}

static void
print_property(const char *name, const char *value, void *arg)
{
	(void)arg;
	print_row(name, value, "librdkafka");
}

/* Whether librdkafka takes its properties. */
static int
check_stream(const struct config *config, bool all, struct error *why)
{
	struct stream_options options;
	int result;

	if (!*config->kafka_brokers)
		return 0;
	streaming_options(&options, config, config->node, NULL);
	result = stream_check(&options, why);
	if (!result && all)
		result = stream_explain(&options, print_property, NULL, why);
	return result;
}

static int
check(const struct config *config, bool all, bool meaning)
{
	struct judge *judge;
	struct error why = {0};

	print_settings(config, all, meaning);
	if (judge_new(&judge, config, &why) < 0)
		return complain(EXIT_CONFIG, &why);
	print_sources(judge);
	judge_free(judge);
	if (check_stream(config, all, &why) < 0)
		return complain(EXIT_CONFIG, &why);
	return EXIT_OK;
}

int
cmd_check(int argc, char **argv)
{
	static const struct option names[] = {CONFIG_OPTIONS,
					      {"all", no_argument, NULL, 'a'},
					      {"meaning", no_argument, NULL, 'm'},
					      {0}};
	static const struct usage usage = {"check", help, CONFIG_LETTERS "am", names};
	struct config_options options = {0};
	struct config config = {0};
	struct error why = {0};
	bool all = false, meaning = false;
	int letter, result;

	while ((letter = usage_next(&usage, argc, argv, &why)) >= 0) {
		if (config_option(&options, letter, optarg))
			continue;
		if (letter != 'a' && letter != 'm')
			return usage_end(&usage, letter, &why);
		all |= letter == 'a';
		meaning |= letter == 'm';
	}
	if (optind != argc)
		return usage_refuse(&usage, "'%s' is one argument too many", argv[optind]);
	result = config_open(&config, &options);
	if (!result)
		result = check(&config, all, meaning);
	config_fini(&config);
	return result;
}
