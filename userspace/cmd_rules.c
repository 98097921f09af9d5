/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_rules - `demarc rules`: rule files are checked, tested and listed like code. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "commands.h"
#include "options.h"
#include "rule.h"
#include "suggest.h"

DEFINE_DROP(struct ruleset *, ruleset, ruleset_free)
DEFINE_DROP(cJSON *, cjson, cJSON_Delete)

struct request {
	bool strict;
	bool json;
	char **files;
	int file_count;
};

struct subcommand {
	const char *name;
	struct usage usage;
	int (*run)(const struct request *request);
};

static int
load(struct ruleset **rules, const char *path)
{
	struct error why = {0};

	return ruleset_load(rules, path, &why) < 0 ? complain(EXIT_CONFIG, &why) : 0;
}

/* The files are all looked at; the worst result is the command's. */
static int
for_each_file(const struct request *request, int (*look)(const char *, const struct request *))
{
	int worst = 0, rc, i;

	for (i = 0; i < request->file_count; i++) {
		rc = look(request->files[i], request);
		if (rc > worst)
			worst = rc;
	}
	return worst;
}

static void
print_warning(const struct error *warning, void *arg)
{
	(void)arg;
	fprintf(stderr, "%s:%u:%u: warning: %s\n", warning->file, warning->line, warning->column,
		warning->text);
}

static int
check_file(const char *path, const struct request *request)
{
	struct ruleset *rules cleanup(ruleset_drop) = NULL;
	const struct ruleset_info *info;
	size_t warnings;
	int rc;

	rc = load(&rules, path);
	if (rc)
		return rc;
	warnings = ruleset_warn(rules, clock_wall_ms(), print_warning, NULL);
	info = ruleset_info(rules);
	printf("%s: %s %s (%s), %zu rules, %zu warnings, sha256 %s\n", path, info->id,
	       info->version, info->jurisdiction, info->rules, warnings, info->digest);
	return request->strict && warnings ? EXIT_FAILED : EXIT_OK;
}

static int
check(const struct request *request)
{
	return for_each_file(request, check_file);
}

static void
print_failure(const struct rule_test *test, void *arg)
{
	const char *path = arg;

	if (!test->passed)
		printf("%s: %s: %s: %s\n", path, test->rule, test->name, test->detail);
}

static int
test(const struct request *request)
{
	size_t passed = 0, failed = 0, run;
	int worst = 0, rc, i;

	for (i = 0; i < request->file_count; i++) {
		struct ruleset *rules cleanup(ruleset_drop) = NULL;

		rc = load(&rules, request->files[i]);
		if (rc) {
			worst = rc;
			continue;
		}
		run = 0;
		rc = ruleset_test(rules, print_failure, request->files[i], &run);
		if (rc < 0)
			return EXIT_IO;
		passed += run - (size_t)rc;
		failed += (size_t)rc;
	}
	printf("%zu passed, %zu failed\n", passed, failed);
	return worst ? worst : failed != 0;
}

static void
list_plain(const struct ruleset *rules)
{
	const struct rule *rule;
	size_t i;

	for (i = 0; (rule = ruleset_rule(rules, i)); i++)
		printf("%-32s %-8s %-6s %-11s %-13s %s\n", rule->id, rule->event->name,
		       rule_action_name(rule->action), rule_verdict_name(rule->verdict),
		       rule_level_name(rule->level), rule->title);
}

static void
add_strings(cJSON *object, const char *key, const char *const *strings)
{
	cJSON *array = cJSON_AddArrayToObject(object, key);

	for (; *strings; strings++)
		cJSON_AddItemToArray(array, cJSON_CreateString(*strings));
}

static void
add_rule(cJSON *array, const char *path, const struct ruleset *rules, const struct rule *rule)
{
	cJSON *object = cJSON_CreateObject();

	cJSON_AddStringToObject(object, "file", path);
	cJSON_AddNumberToObject(object, "line", rule->line);
	cJSON_AddStringToObject(object, "policy", ruleset_info(rules)->id);
	cJSON_AddStringToObject(object, "policy_version", ruleset_info(rules)->version);
	cJSON_AddStringToObject(object, "id", rule->id);
	cJSON_AddStringToObject(object, "title", rule->title);
	cJSON_AddStringToObject(object, "status", rule->status);
	cJSON_AddStringToObject(object, "event", rule->event->name);
	cJSON_AddStringToObject(object, "action", rule_action_name(rule->action));
	cJSON_AddStringToObject(object, "verdict", rule_verdict_name(rule->verdict));
	cJSON_AddStringToObject(object, "level", rule_level_name(rule->level));
	add_strings(object, "tags", rule->tags);
	add_strings(object, "references", rule->references);
	cJSON_AddItemToArray(array, object);
}

static int
list(const struct request *request)
{
	cJSON *array cleanup(cjson_drop) = cJSON_CreateArray();
	char *text cleanup(free_drop) = NULL;
	const struct rule *rule;
	int worst = 0, rc, i;
	size_t j;

	for (i = 0; i < request->file_count; i++) {
		struct ruleset *rules cleanup(ruleset_drop) = NULL;

		rc = load(&rules, request->files[i]);
		if (rc)
			worst = rc;
		else if (!request->json)
			list_plain(rules);
		for (j = 0; rules && request->json && (rule = ruleset_rule(rules, j)); j++)
			add_rule(array, request->files[i], rules, rule);
	}
	if (!request->json)
		return worst;
	text = cJSON_Print(array);
	if (!text)
		return EXIT_IO;
	puts(text);
	return worst;
}

#define SUGGEST_DAYS 90

static int
suggest_all(const struct request *request)
{
	struct error why = {0};

	for (int i = 0; i < request->file_count; i++)
		if (suggest(stdout, request->files[i], SUGGEST_DAYS, &why) < 0)
			return complain(EXIT_CONFIG, &why);
	return 0;
}

#define HELP                                   \
	{                                      \
		"help", no_argument, NULL, 'h' \
	}

static const struct option check_options[] = {{"strict", no_argument, NULL, 's'}, HELP, {0}};
static const struct option list_options[] = {{"json", no_argument, NULL, 'j'}, HELP, {0}};
static const struct option no_options[] = {HELP, {0}};

static const struct subcommand subcommands[] = {
	{"check",
	 {"rules check",
	  "usage: demarc rules check [--strict] FILE...\n\n"
	  "Says what is wrong with rule files, and what looks wrong; prints the number of\n"
	  "rules and the digest that every judged event carries.\n\n"
	  "      --strict            warnings fail too: exit code 1\n",
	  ":h", check_options},
	 check},
	{"test",
	 {"rules test",
	  "usage: demarc rules test FILE...\n\n"
	  "Runs the tests that the files carry; prints one line for each that fails.\n",
	  ":h", no_options},
	 test},
	{"list",
	 {"rules list",
	  "usage: demarc rules list [--json] FILE...\n\n"
	  "Lists the rules: id, event, action, verdict, level, title.\n\n"
	  "      --json              an array of objects, with tags, references, file and line\n",
	  ":h", list_options},
	 list},
	{"suggest",
	 {"rules suggest",
	  "usage: demarc rules suggest JOURNAL...\n\n"
	  "Drafts an allow-list from the alerts in a journal: an exception for each program\n"
	  "and destination, to be cut down by hand. Each expires after 90 days.\n",
	  ":h", no_options},
	 suggest_all},
};

#define SUBCOMMANDS (sizeof(subcommands) / sizeof(subcommands[0]))

static const char help[] =
	"usage: demarc rules check [--strict] FILE...\n"
	"       demarc rules test FILE...\n"
	"       demarc rules list [--json] FILE...\n"
	"       demarc rules suggest JOURNAL...\n\n"
	"demarc rules COMMAND --help says more. Exit codes: 0 good, 1 a test or --strict failed,\n"
	"64 usage, 78 a file that cannot be read or is wrong.\n";

static int
run(const struct subcommand *subcommand, int argc, char **argv)
{
	const struct usage *usage = &subcommand->usage;
	struct request request = {0};
	struct error why = {0};
	int letter;

	while ((letter = usage_next(usage, argc, argv, &why)) >= 0) {
		if (letter != 's' && letter != 'j')
			return usage_end(usage, letter, &why);
		request.strict |= letter == 's';
		request.json |= letter == 'j';
	}
	if (optind == argc)
		return usage_refuse(usage, "a %s is missing",
				    subcommand->run == suggest_all ? "JOURNAL" : "FILE");
	request.files = argv + optind;
	request.file_count = argc - optind;
	return subcommand->run(&request);
}

int
cmd_rules(int argc, char **argv)
{
	static const struct usage usage = {"rules", help, ":h", no_options};
	const char *names[SUBCOMMANDS];

	if (argc < 2)
		return usage_refuse(&usage, "a COMMAND is missing");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return usage_end(&usage, 'h', NULL);
	for (size_t i = 0; i < SUBCOMMANDS; i++) {
		names[i] = subcommands[i].name;
		if (strcmp(argv[1], names[i]) == 0)
			return run(&subcommands[i], argc - 1, argv + 1);
	}
	return refuse_name("rules", "command", argv[1], names, SUBCOMMANDS);
}
