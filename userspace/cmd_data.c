/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_data - `demarc data`: build location data, inspect it, and ask it about an address. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "commands.h"
#include "options.h"
#include "place.h"

#define INPUTS      64
#define TIME_MOST_S 253402300799 /* the year 9999 */

DEFINE_DROP(struct places *, places, places_free)
DEFINE_DROP(cJSON *, cjson, cJSON_Delete)

/* What the options said. Lists end with NULL. */
struct request {
	const char *out;
	uint64_t time_s;
	bool has_time;
	bool json;
	struct place_input inputs[INPUTS];
	size_t input_count;
	const char *overrides[INPUTS + 1];
	const char *geofeeds[INPUTS + 1];
	const char *databases[INPUTS + 1];
	const char *legal[INPUTS + 1];
	const char *own[INPUTS + 1];
	const char *as_public[INPUTS + 1];
	const char *location_path;
	const char *operator_path;
	char **words;
	int word_count;
};

struct subcommand {
	const char *name;
	const struct usage *usage;
	int (*run)(const struct request *request);
};

#define HELP                                   \
	{                                      \
		"help", no_argument, NULL, 'h' \
	}
#define JSON                                   \
	{                                      \
		"json", no_argument, NULL, 'j' \
	}
#define TIME                                         \
	{                                            \
		"time", required_argument, NULL, 't' \
	}

static const struct option import_options[] = {{"csv", required_argument, NULL, 'c'},
					       {"rir", required_argument, NULL, 'r'},
					       {"asn", required_argument, NULL, 'a'},
					       {"output", required_argument, NULL, 'o'},
					       TIME,
					       HELP,
					       {0}};
static const struct option verify_options[] = {JSON, HELP, {0}};
static const struct option show_options[] = {{"database", required_argument, NULL, 'D'},
					     {"overrides", required_argument, NULL, 'O'},
					     {"geofeed", required_argument, NULL, 'G'},
					     {"legal", required_argument, NULL, 'L'},
					     {"own", required_argument, NULL, 'W'},
					     {"as-public", required_argument, NULL, 'P'},
					     {"location-path", required_argument, NULL, 'l'},
					     {"operator-path", required_argument, NULL, 'p'},
					     TIME,
					     JSON,
					     HELP,
					     {0}};

static const struct usage import_usage = {
	"data import",
	"usage: demarc data import [--csv FILE] [--rir FILE] [--asn FILE] -o OUT.mmdb\n\n"
	"Build a database from files of your own. Later files win over earlier ones, longer\n"
	"prefixes over shorter ones, and CSV ranges over ASN tables over registries.\n\n"
	"      --csv FILE          first,last,CC[,operator] or prefix,CC[,operator]\n"
	"      --rir FILE          delegated statistics of a regional registry\n"
	"      --asn FILE          first<TAB>last<TAB>ASN<TAB>CC<TAB>name\n"
	"  -o, --output OUT        the file to write; it is replaced whole\n"
	"      --time SECONDS      the build time to write, since 1970; default: now\n",
	":ho:", import_options};

static const struct usage verify_usage = {
	"data verify",
	"usage: demarc data verify [--json] FILE...\n\n"
	"Say what location data files are: kind, entries, date and SHA-256.\n"
	"*.mmdb is a database, *.json legal groups, a name with geofeed a geofeed, and the\n"
	"rest override lists.\n\n"
	"      --json              for programs\n",
	":h", verify_options};

static const struct usage show_usage = {
	"data show",
	"usage: demarc data show [OPTION...] ADDRESS...\n\n"
	"Say where an address is and whose law binds it, by the files given:\n\n"
	"      --database FILE     MMDB, also as operator=FILE or location=FILE\n"
	"      --overrides FILE    prefix,location,operator_country[,provider[,region]]\n"
	"      --geofeed FILE      RFC 8805\n"
	"      --legal FILE        dated legal groups\n"
	"      --own PREFIX        a network of the cluster\n"
	"      --as-public SCOPE   a special scope to treat as public\n"
	"      --location-path PATH  MMDB field of the location country\n"
	"      --operator-path PATH  MMDB field of the operator's country\n"
	"      --time SECONDS      the moment, since 1970, that dates the law; default: now\n"
	"      --json              for programs\n",
	":h", show_options};

static int64_t
now_ms(const struct request *request)
{
	return request->has_time ? (int64_t)request->time_s * 1000 : clock_wall_ms();
}

static int
print_json(const cJSON *root)
{
	char *text cleanup(free_drop) = cJSON_Print(root);

	if (!text)
		return EXIT_IO;
	puts(text);
	return 0;
}

static const char *
format_date(int64_t date_ms, char out[CLOCK_TEXT])
{
	if (date_ms == 0)
		return "-";
	clock_format(date_ms, out);
	out[10] = '\0'; /* the day */
	return out;
}

static void
describe_source(cJSON *list, const struct place_source *source)
{
	char date[CLOCK_TEXT];
	cJSON *row;

	if (!list) {
		printf("%s\n  kind     %s\n  entries  %" PRIu64 "\n  date     %s\n  sha256   %s\n",
		       source->path, source->what, source->entries,
		       format_date(source->date_ms, date), source->digest);
		return;
	}
	row = cJSON_CreateObject();
	cJSON_AddStringToObject(row, "path", source->path);
	cJSON_AddStringToObject(row, "kind", source->what);
	cJSON_AddNumberToObject(row, "entries", (double)source->entries);
	if (source->date_ms)
		cJSON_AddStringToObject(row, "date", format_date(source->date_ms, date));
	cJSON_AddStringToObject(row, "sha256", source->digest);
	cJSON_AddItemToArray(list, row);
}

enum kind { KIND_DATABASE, KIND_LEGAL, KIND_OVERRIDES, KIND_GEOFEED };

/* By the name; what has no telling name is tried as an override list. */
static enum kind
guess_kind(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const char *dot = strrchr(name, '.');

	if (dot && !strcmp(dot, ".mmdb"))
		return KIND_DATABASE;
	if (dot && !strcmp(dot, ".json"))
		return KIND_LEGAL;
	return strcasestr(name, "geofeed") ? KIND_GEOFEED : KIND_OVERRIDES;
}

static int
load_one(struct places **out, const char *path, enum kind kind, struct error *why)
{
	const char *const list[] = {path, NULL};
	struct places_options options = {0};

	switch (kind) {
	case KIND_DATABASE:
		options.databases = list;
		break;
	case KIND_LEGAL:
		options.legal = list;
		break;
	case KIND_OVERRIDES:
		options.overrides = list;
		break;
	case KIND_GEOFEED:
		options.geofeeds = list;
		break;
	}
	return places_load(out, &options, why);
}

static int
verify_file(const char *path, enum kind kind, cJSON *list)
{
	struct places *places cleanup(places_drop) = NULL;
	const struct place_source *source;
	struct error why = {0};
	size_t count;

	if (load_one(&places, path, kind, &why) < 0)
		return complain(EXIT_CONFIG, &why);
	source = places_sources(places, &count);
	describe_source(list, source);
	return 0;
}

static int
verify(const struct request *request)
{
	cJSON *list cleanup(cjson_drop) = request->json ? cJSON_CreateArray() : NULL;
	int worst = 0;

	for (int i = 0; i < request->word_count; i++) {
		int rc = verify_file(request->words[i], guess_kind(request->words[i]), list);

		worst = rc > worst ? rc : worst;
	}
	return list && print_json(list) ? EXIT_IO : worst;
}

static int
import(const struct request *request)
{
	struct error why = {0};

	if (request->word_count > 0)
		return usage_refuse(&import_usage, "'%s' is one argument too many",
				    request->words[0]);
	if (!request->out || request->input_count == 0)
		return usage_refuse(&import_usage,
				    "needs -o OUT and at least one of --csv, --rir and --asn");
	if (places_import(request->out, request->inputs, request->input_count,
			  now_ms(request) / 1000, &why) < 0)
		return complain(EXIT_CONFIG, &why);
	return verify_file(request->out, KIND_DATABASE, NULL);
}

static void
show_text(cJSON *object, const char *key, const char *label, const char *value, const char *source)
{
	if (object && value)
		cJSON_AddStringToObject(object, key, value);
	if (!object)
		printf("  %-9s %s%s%s%s\n", label, value ? value : "-", source ? " (" : "",
		       source ? source : "", source ? ")" : "");
}

static void
show_set(cJSON *object, const char *key, const char *label, const char *const *set)
{
	cJSON *array = object && set ? cJSON_AddArrayToObject(object, key) : NULL;

	if (!object)
		printf("  %-9s %s", label, set ? "" : "-");
	for (size_t i = 0; set && set[i]; i++) {
		if (array)
			cJSON_AddItemToArray(array, cJSON_CreateString(set[i]));
		else if (!object)
			printf("%s%s", i ? ", " : "", set[i]);
	}
	if (!object)
		putchar('\n');
}

static void
show_place(cJSON *object, const char *address, const struct event_place *place)
{
	char asn[24];

	snprintf(asn, sizeof(asn), "%" PRId64, place->asn);
	if (object)
		cJSON_AddStringToObject(object, "address", address);
	else
		printf("%s\n", address);
	show_text(object, "scope", "scope", place->scope, NULL);
	show_text(object, "location_country", "location", place->location, place->location_source);
	show_set(object, "location_law", "  law", place->location_law);
	show_text(object, "operator_country", "operator", place->operator_country,
		  place->operator_source);
	show_set(object, "operator_law", "  law", place->operator_law);
	show_text(object, "operator_name", "  name", place->operator_name, NULL);
	if (object && place->asn != ABSENT)
		cJSON_AddNumberToObject(object, "asn", (double)place->asn);
	if (!object)
		show_text(NULL, "asn", "  asn", place->asn == ABSENT ? NULL : asn, NULL);
	show_text(object, "provider", "provider", place->provider, NULL);
	show_text(object, "region", "region", place->region, NULL);
	if (object && place->location_source)
		cJSON_AddStringToObject(object, "location_source", place->location_source);
	if (object && place->operator_source)
		cJSON_AddStringToObject(object, "operator_source", place->operator_source);
}

static int
show_address(const struct places *places, const char *address, int64_t wall_ms, cJSON *list)
{
	cJSON *object = list ? cJSON_CreateObject() : NULL;
	struct event_place place;
	struct ip ip;

	if (ip_parse(&ip, address) < 0) {
		cJSON_Delete(object);
		return usage_refuse(&show_usage, "'%s' is no address", address);
	}
	place_resolve(places, &ip, wall_ms, &place);
	show_place(object, address, &place);
	if (list)
		cJSON_AddItemToArray(list, object);
	return 0;
}

static int
show(const struct request *request)
{
	struct places_options options = {
		.overrides = request->overrides,
		.geofeeds = request->geofeeds,
		.databases = request->databases,
		.legal = request->legal,
		.own = request->own,
		.as_public = request->as_public,
		.location_path = request->location_path,
		.operator_path = request->operator_path,
	};
	struct places *places cleanup(places_drop) = NULL;
	cJSON *list cleanup(cjson_drop) = request->json ? cJSON_CreateArray() : NULL;
	struct error why = {0};

	if (places_load(&places, &options, &why) < 0)
		return complain(EXIT_CONFIG, &why);
	for (int i = 0; i < request->word_count; i++) {
		int rc = show_address(places, request->words[i], now_ms(request), list);

		if (rc)
			return rc;
	}
	return list ? print_json(list) : 0;
}

static int
add_word(const char **list, const char *word, struct error *why)
{
	size_t count = 0;

	while (list[count])
		count++;
	if (count == INPUTS)
		return error_set(why, -E2BIG, "more than %d of an option", INPUTS);
	list[count] = word;
	return 0;
}

static int
add_input(struct request *request, enum place_format format, const char *path, struct error *why)
{
	if (request->input_count == INPUTS)
		return error_set(why, -E2BIG, "more than %d files", INPUTS);
	request->inputs[request->input_count++] =
		(struct place_input){.path = path, .format = format};
	return 0;
}

static int
take_option(struct request *request, int letter, const char *value, struct error *why)
{
	switch (letter) {
	case 'c':
		return add_input(request, PLACE_CSV_RANGES, value, why);
	case 'r':
		return add_input(request, PLACE_RIR_DELEGATED, value, why);
	case 'a':
		return add_input(request, PLACE_ASN_TABLE, value, why);
	case 'D':
		return add_word(request->databases, value, why);
	case 'O':
		return add_word(request->overrides, value, why);
	case 'G':
		return add_word(request->geofeeds, value, why);
	case 'L':
		return add_word(request->legal, value, why);
	case 'W':
		return add_word(request->own, value, why);
	case 'P':
		return add_word(request->as_public, value, why);
	case 't':
		request->has_time = true;
		return usage_number("time", value, 0, TIME_MOST_S, &request->time_s, why);
	case 'o':
		request->out = value;
		return 0;
	case 'l':
		request->location_path = value;
		return 0;
	case 'p':
		request->operator_path = value;
		return 0;
	}
	request->json = true;
	return 0;
}

static const struct subcommand subcommands[] = {
	{"import", &import_usage, import},
	{"verify", &verify_usage, verify},
	{"show", &show_usage, show},
};

#define SUBCOMMANDS (sizeof(subcommands) / sizeof(subcommands[0]))

static const char help[] =
	"usage: demarc data import [--csv FILE] [--rir FILE] [--asn FILE] -o OUT.mmdb\n"
	"       demarc data verify [--json] FILE...\n"
	"       demarc data show [OPTION...] ADDRESS...\n\n"
	"Nothing is ever downloaded. demarc data COMMAND --help says more.\n";

static int
run(const struct subcommand *subcommand, int argc, char **argv)
{
	const struct usage *usage = subcommand->usage;
	struct request request = {0};
	struct error why = {0};
	int letter;

	while ((letter = usage_next(usage, argc, argv, &why)) >= 0) {
		if (letter == 'h' || letter == '?')
			return usage_end(usage, letter, &why);
		if (take_option(&request, letter, optarg, &why) < 0)
			return usage_end(usage, '?', &why);
	}
	request.words = argv + optind;
	request.word_count = argc - optind;
	if (request.word_count == 0 && subcommand->run != import)
		return usage_refuse(usage, "%s is missing",
				    subcommand->run == show ? "an ADDRESS" : "a FILE");
	return subcommand->run(&request);
}

int
cmd_data(int argc, char **argv)
{
	static const struct option options[] = {HELP, {0}};
	static const struct usage usage = {"data", help, ":h", options};
	const char *names[SUBCOMMANDS];

	if (argc < 2)
		return usage_refuse(&usage, "a COMMAND is missing");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return usage_end(&usage, 'h', NULL);
	for (size_t i = 0; i < SUBCOMMANDS; i++) {
		names[i] = subcommands[i].name;
		if (!strcmp(argv[1], names[i]))
			return run(&subcommands[i], argc - 1, argv + 1);
	}
	return refuse_name("data", "command", argv[1], names, SUBCOMMANDS);
}
