/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* place: what is imported into an MMDB file is read back, and a damaged file is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "place.h"

#define NOW          1795000000000 /* in November 2026 */
#define EPOCH_S      1794000000
#define LIST(...)    ((const char *const[]){__VA_ARGS__, NULL})
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char folder[] = "/tmp/demarc-mmdb-XXXXXX";
static char database[64];

static const char *
path_of(const char *name)
{
	static char paths[8][64];
	static unsigned int next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void
put(const char *path, const void *bytes, size_t length)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	fclose(file);
}

static void
import(const struct place_input *inputs, size_t count)
{
	struct error why = {0};
	char text[600];

	if (places_import(database, inputs, count, EPOCH_S, &why) < 0)
		fail_msg("%s", error_format(&why, text, sizeof(text)));
}

static struct places *
load(const char *spec)
{
	struct places_options options = {.databases = LIST(spec)};
	struct places *places = NULL;
	struct error why = {0};
	char text[600];

	if (places_load(&places, &options, &why) < 0)
		fail_msg("%s", error_format(&why, text, sizeof(text)));
	return places;
}

static void
expect_text(const char *address, const char *got, const char *expected)
{
	if ((got == NULL) != (expected == NULL) || (got && strcmp(got, expected) != 0))
		fail_msg("%s: got %s, expected %s", address, got ? got : "nothing",
			 expected ? expected : "nothing");
}

static const char csv[] = "# ranges\n"
			  "1.0.0.0,1.0.0.255,AU\n"
			  "1.0.1.3,1.0.2.9,CN,US\n"
			  "5.0.0.0/8,DE\n"
			  "5.1.0.0/16,DE,US\n"
			  "6.0.0.0/8,ZZ\n"
			  "2a00::/12,FR\n"
			  "2a05:d014::,2a05:d018:ffff:ffff:ffff:ffff:ffff:ffff,DE,US\n"
			  "::/0,JP\n";

static const char rir[] = "2|ripencc|20261101|3|19830705|20261031|+0000\n"
			  "ripencc|*|ipv4|*|3|summary\n"
			  "ripencc|SE|ipv4|5.1.2.0|768|20120101|allocated|x\n"
			  "ripencc|EU|ipv4|7.0.0.0|256|20120101|allocated|x\n"
			  "ripencc|NL|ipv4|9.0.0.0|16777216|20120101|assigned\n"
			  "ripencc||ipv4|8.0.0.0|256||available\n"
			  "ripencc|FR|asn|1234|1|20120101|allocated\n"
			  "ripencc|FI|ipv6|2a05:d000::|20|20120101|allocated\n";

static const char asn[] = "9.1.0.0\t9.1.255.255\t64500\tUS\tEXAMPLE-AS \"quoted\", Inc.\n"
			  "9.1.2.0\t9.1.2.255\t64501\tNone\tOTHER\n"
			  "9.2.0.0\t9.2.255.255\t0\tNone\tNot routed\n"
			  "5.0.0.0\t5.255.255.255\t64502\tGB\tWIDE\n";

static const struct {
	const char *address, *location, *operator_country;
	int64_t asn;
	const char *operator_name;
} known[] = {
	{"0.255.255.255", NULL, NULL, ABSENT, NULL},
	{"1.0.0.0", "AU", NULL, ABSENT, NULL},
	{"1.0.0.255", "AU", NULL, ABSENT, NULL},
	{"1.0.1.2", NULL, NULL, ABSENT, NULL},
	{"1.0.1.3", "CN", "US", ABSENT, NULL},
	{"1.0.2.9", "CN", "US", ABSENT, NULL},
	{"1.0.2.10", NULL, NULL, ABSENT, NULL},
	{"5.0.0.1", "DE", "GB", 64502, "WIDE"},
	{"5.1.1.255", "DE", "US", 64502, "WIDE"},
	{"5.1.2.0", "DE", "US", 64502, "WIDE"}, /* a registry never replaces a CSV */
	{"6.1.1.1", NULL, NULL, ABSENT, NULL},
	{"7.0.0.1", NULL, NULL, ABSENT, NULL},
	{"9.0.0.0", "NL", "NL", ABSENT, NULL},
	{"9.1.0.0", "NL", "US", 64500, "EXAMPLE-AS \"quoted\", Inc."},
	{"9.1.2.9", "NL", "US", 64501, "OTHER"},
	{"9.2.0.1", "NL", "NL", ABSENT, NULL},
	{"9.255.255.255", "NL", "NL", ABSENT, NULL},
	{"2a00::1", "FR", NULL, ABSENT, NULL},
	{"2a05:d013::1", "FR", "FI", ABSENT, NULL},
	{"2a05:d014::1", "DE", "US", ABSENT, NULL},
	{"2a05:d018:ffff:ffff::1", "DE", "US", ABSENT, NULL},
	{"2a05:d019::1", "FR", "FI", ABSENT, NULL},
	{"2b00::1", "JP", NULL, ABSENT, NULL},
	{"::ffff:5.0.0.1", "DE", "GB", 64502, "WIDE"},
	{"2002:0501:0203::1", "DE", "US", 64502, "WIDE"},
	{"64:ff9b::5.0.0.1", "DE", "GB", 64502, "WIDE"},
};

static void
test_formats(void **state)
{
	struct place_input inputs[] = {
		{path_of("r.csv"), PLACE_CSV_RANGES},
		{path_of("delegated"), PLACE_RIR_DELEGATED},
		{path_of("asn.tsv"), PLACE_ASN_TABLE},
	};
	const struct place_source *source;
	struct places *places;
	size_t count;

	(void)state;
	put(inputs[0].path, csv, strlen(csv));
	put(inputs[1].path, rir, strlen(rir));
	put(inputs[2].path, asn, strlen(asn));
	import(inputs, COUNT(inputs));
	places = load(database);
	for (size_t i = 0; i < COUNT(known); i++) {
		struct event_place place;
		struct ip ip;

		assert_int_equal(ip_parse(&ip, known[i].address), 0);
		place_resolve(places, &ip, NOW, &place);
		expect_text(known[i].address, place.location, known[i].location);
		expect_text(known[i].address, place.operator_country, known[i].operator_country);
		expect_text(known[i].address, place.operator_name, known[i].operator_name);
		assert_true(place.asn == known[i].asn);
		expect_text(known[i].address, place.location_source,
			    known[i].location ? "mmdb" : NULL);
	}
	assert_true(places_has_location(places));
	source = places_sources(places, &count);
	assert_int_equal(count, 1);
	assert_true(source->date_ms == (int64_t)EPOCH_S * 1000);
	assert_string_equal(source->what, "database demarc-country: location operator asn");
	places_free(places);
}

/* Random prefixes, and the slow truth about them. */
#define PREFIXES 10000

static struct prefix prefixes[PREFIXES];
static char countries[PREFIXES][3];

static uint64_t
random64(void)
{
	static uint64_t seed = 0x9e3779b97f4a7c15;

	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static struct ip
random_ip(void)
{
	struct ip ip;

	if (random64() % 2)
		return ip_from_v4(0x20000000 | (uint32_t)(random64() & 0x0fffffff));
	for (int i = 0; i < 16; i++)
		ip.bytes[i] = (uint8_t)random64();
	ip.bytes[0] = 0x2a;
	ip.bytes[1] &= 3; /* crowd them, so that they nest */
	return ip;
}

static void
make_prefix(struct prefix *prefix)
{
	prefix->ip = random_ip();
	prefix->bits =
		(uint8_t)(ip_is_v4(&prefix->ip) ? 96 + 6 + random64() % 27 : 12 + random64() % 117);
	for (unsigned int bit = prefix->bits; bit < 128; bit++)
		prefix->ip.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
}

static const char *
find_slowly(const struct ip *ip)
{
	const char *best = NULL;
	int bits = -1;

	for (size_t i = 0; i < PREFIXES; i++) {
		if (prefixes[i].bits >= bits && prefix_contains(&prefixes[i], ip)) {
			best = countries[i];
			bits = prefixes[i].bits;
		}
	}
	return best;
}

static void
test_round_trip(void **state)
{
	static const char some[][3] = {"DE", "US", "CN", "FR", "SE", "JP", "BR"};
	struct place_input input = {path_of("many.csv"), PLACE_CSV_RANGES};
	FILE *file = fopen(input.path, "w");
	struct places *places;
	char text[PREFIX_TEXT];

	(void)state;
	assert_non_null(file);
	for (size_t i = 0; i < PREFIXES; i++) {
		make_prefix(&prefixes[i]);
		memcpy(countries[i], some[random64() % COUNT(some)], 3);
		fprintf(file, "%s,%s\n", prefix_format(&prefixes[i], text), countries[i]);
	}
	fclose(file);
	import(&input, 1);
	places = load(database);
	for (size_t i = 0; i < 3 * PREFIXES; i++) {
		struct ip ip = i < 2 * PREFIXES ? prefixes[i / 2].ip : random_ip();
		struct event_place place;

		for (unsigned int bit = prefixes[i / 2 % PREFIXES].bits; i % 2 && bit < 128; bit++)
			ip.bytes[bit / 8] |= (uint8_t)(random64() & 0x80 >> bit % 8);
		place_resolve(places, &ip, NOW, &place);
		expect_text(ip_format(&ip, text), place.location, find_slowly(&ip));
	}
	places_free(places);
}

static const struct {
	enum place_format format;
	const char *text;
	unsigned int line, column;
	const char *says;
} mistakes[] = {
	{PLACE_CSV_RANGES, "1.0.0.9,1.0.0.3,AU\n", 1, 9, "ends before"},
	{PLACE_CSV_RANGES, "1.0.0.9,2a00::1,AU\n", 1, 9, "ends before"},
	{PLACE_CSV_RANGES, "start,end,country\n", 1, 1, "expected a prefix"},
	{PLACE_CSV_RANGES, "1.0.0.0/8\n", 1, 1, "expected first"},
	{PLACE_CSV_RANGES, "1.0.0.0/8,DE,DE,DE\n", 1, 17, "expected first"},
	{PLACE_CSV_RANGES, "1.0.0.0/8,QQ\n", 1, 11, "no country of ISO"},
	{PLACE_CSV_RANGES, "# nothing\n", 0, 0, "no range"},
	{PLACE_RIR_DELEGATED, "ripencc|SE|ipv4|5.1.2.0|0|2012|allocated\n", 1, 25, "how many"},
	{PLACE_RIR_DELEGATED, "ripencc|SE|ipv4|255.0.0.0|4294967295|2012|allocated\n", 1, 27,
	 "how many"},
	{PLACE_RIR_DELEGATED, "ripencc|SE|ipv6|5.1.2.0|8|2012|allocated\n", 1, 17, "type"},
	{PLACE_RIR_DELEGATED, "ripencc|SE|ipv6|2a00::1|8|2012|allocated\n", 1, 17, "bits"},
	{PLACE_RIR_DELEGATED, "ripencc|SE|ipv5|2a00::1|8|2012|allocated\n", 1, 12, "ipv6"},
	{PLACE_RIR_DELEGATED, "ripencc|SE\n", 1, 9, "registry|CC"},
	{PLACE_ASN_TABLE, "1.0.0.0\t1.0.0.255\tAS1\tUS\tX\n", 1, 19, "AS number"},
	{PLACE_ASN_TABLE, "1.0.0.0 1.0.0.255 1 US X\n", 1, 1, "five cells"},
};

static void
test_import_mistakes(void **state)
{
	struct place_input input = {.path = path_of("mistake")};

	(void)state;
	for (size_t i = 0; i < COUNT(mistakes); i++) {
		struct error why = {0};

		put(input.path, mistakes[i].text, strlen(mistakes[i].text));
		input.format = mistakes[i].format;
		unlink(database);
		assert_int_equal(places_import(database, &input, 1, EPOCH_S, &why), -EINVAL);
		assert_int_equal(access(database, F_OK), -1);
		assert_string_equal(why.file, input.path);
		if (!strstr(why.text, mistakes[i].says) || why.line != mistakes[i].line ||
		    why.column != mistakes[i].column)
			fail_msg("%s: got %u:%u %s", mistakes[i].text, why.line, why.column,
				 why.text);
	}
}

static void
test_declared_subject(void **state)
{
	struct place_input input = {path_of("s.csv"), PLACE_CSV_RANGES};
	char spec[80];
	struct places *places;
	struct event_place place;
	struct ip ip;

	(void)state;
	put(input.path, "8.0.0.0/8,US\n", 13);
	import(&input, 1);
	snprintf(spec, sizeof(spec), "operator=%s", database);
	places = load(spec);
	assert_int_equal(ip_parse(&ip, "8.8.8.8"), 0);
	place_resolve(places, &ip, NOW, &place);
	expect_text("as operator", place.location, NULL);
	expect_text("as operator", place.operator_country, "US");
	assert_false(places_has_location(places));
	places_free(places);
}

/* Answers change with a reload, not when somebody writes over the file. */
static void
test_overwritten_in_place(void **state)
{
	struct place_input input = {path_of("s.csv"), PLACE_CSV_RANGES};
	struct places *places;
	struct event_place place;
	struct ip ip;

	(void)state;
	put(input.path, "8.0.0.0/8,US\n", 13);
	import(&input, 1);
	places = load(database);
	put(database, "", 0); /* what was mapped of it would be SIGBUS now */
	assert_int_equal(ip_parse(&ip, "8.8.8.8"), 0);
	place_resolve(places, &ip, NOW, &place);
	expect_text("overwritten", place.location, "US");
	places_free(places);
}

static void
test_only_files_are_replaced(void **state)
{
	struct place_input input = {path_of("s.csv"), PLACE_CSV_RANGES};
	const char *fifo = path_of("fifo");
	struct error why = {0};
	struct stat status;

	(void)state;
	put(input.path, "8.0.0.0/8,US\n", 13);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(places_import(fifo, &input, 1, EPOCH_S, &why), -EEXIST);
	assert_int_equal(places_import(folder, &input, 1, EPOCH_S, &why), -EISDIR);
	assert_int_equal(stat(fifo, &status), 0);
	assert_true(S_ISFIFO(status.st_mode));
}

/* Every damage is either refused with a reason, or read without harm. */
static void
test_damage(void **state)
{
	struct place_input input = {path_of("d.csv"), PLACE_CSV_RANGES};
	const char *damaged = path_of("damaged.mmdb");
	unsigned char bytes[8192], copy[8192];
	struct places_options options = {.databases = LIST(damaged)};
	size_t length, refused = 0;
	FILE *file;

	(void)state;
	put(input.path, csv, strlen(csv));
	import(&input, 1);
	file = fopen(database, "r");
	assert_non_null(file);
	length = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	assert_in_range(length, 1000, sizeof(bytes) - 1);
	for (size_t i = 0; i < 2 * length; i += 7) {
		struct places *places = NULL;
		struct error why = {0};
		bool is_cut = i >= length;
		size_t kept = is_cut ? i - length : length;

		memcpy(copy, bytes, length);
		if (!is_cut)
			copy[i] ^= (unsigned char)(random64() | 1);
		put(damaged, copy, kept);
		if (places_load(&places, &options, &why) < 0) {
			refused++;
			assert_true(why.text[0] != '\0');
			assert_string_equal(why.file, damaged);
		} else {
			struct event_place place;
			struct ip ip;

			assert_false(is_cut);
			assert_int_equal(ip_parse(&ip, "5.1.0.1"), 0);
			place_resolve(places, &ip, NOW, &place);
		}
		places_free(places);
	}
	assert_true(refused > length / 7);
}

static int
make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(database, sizeof(database), "%s/out.mmdb", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_import_mistakes),
		cmocka_unit_test(test_declared_subject),
		cmocka_unit_test(test_overwritten_in_place),
		cmocka_unit_test(test_only_files_are_replaced),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
