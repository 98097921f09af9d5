/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* place: addresses to scopes, overrides, geofeeds, databases and law. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "place.h"

#define NOW          1795000000000 /* in November 2026 */
#define LIST(...)    ((const char *const[]){__VA_ARGS__, NULL})
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char folder[] = "/tmp/demarc-place-XXXXXX";

static const char *
put(const char *name, const char *text)
{
	static char paths[8][64];
	static unsigned int next;
	char *path = paths[next++ % 8];
	FILE *file;

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	return path;
}

static struct places *
load(const struct places_options *options)
{
	struct places *places = NULL;
	struct error why = {0};
	char text[600];

	if (places_load(&places, options, &why) < 0)
		fail_msg("%s", error_format(&why, text, sizeof(text)));
	return places;
}

static struct event_place
resolve_at(const struct places *places, const char *address, int64_t wall_ms)
{
	struct event_place place;
	struct ip ip;

	assert_int_equal(ip_parse(&ip, address), 0);
	place_resolve(places, &ip, wall_ms, &place);
	return place;
}

static struct event_place
resolve(const struct places *places, const char *address)
{
	return resolve_at(places, address, NOW);
}

static void
expect_text(const char *address, const char *got, const char *expected)
{
	if ((got == NULL) != (expected == NULL) || (got && strcmp(got, expected) != 0))
		fail_msg("%s: got %s, expected %s", address, got ? got : "nothing",
			 expected ? expected : "nothing");
}

static const struct {
	const char *address;
	const char *scope;
} scopes[] = {
	{"0.0.0.0", "unspecified"},
	{"0.0.0.1", "reserved"},
	{"0.255.255.255", "reserved"},
	{"1.0.0.0", "public"},
	{"9.255.255.255", "public"},
	{"10.0.0.0", "private"},
	{"10.255.255.255", "private"},
	{"11.0.0.0", "public"},
	{"100.63.255.255", "public"},
	{"100.64.0.0", "cgnat"},
	{"100.100.100.200", "metadata"},
	{"100.100.100.201", "cgnat"},
	{"100.127.255.255", "cgnat"},
	{"100.128.0.0", "public"},
	{"126.255.255.255", "public"},
	{"127.0.0.1", "loopback"},
	{"127.255.255.255", "loopback"},
	{"128.0.0.0", "public"},
	{"168.63.129.16", "metadata"},
	{"168.63.129.17", "public"},
	{"169.253.255.255", "public"},
	{"169.254.0.0", "link-local"},
	{"169.254.169.253", "link-local"},
	{"169.254.169.254", "metadata"},
	{"169.254.170.2", "metadata"},
	{"169.254.255.255", "link-local"},
	{"169.255.0.0", "public"},
	{"172.15.255.255", "public"},
	{"172.16.0.0", "private"},
	{"172.31.255.255", "private"},
	{"172.32.0.0", "public"},
	{"191.255.255.255", "public"},
	{"192.0.0.8", "reserved"},
	{"192.0.1.0", "public"},
	{"192.0.2.0", "documentation"},
	{"192.0.2.255", "documentation"},
	{"192.0.3.0", "public"},
	{"192.167.255.255", "public"},
	{"192.168.0.0", "private"},
	{"192.168.255.255", "private"},
	{"192.169.0.0", "public"},
	{"198.17.255.255", "public"},
	{"198.18.0.0", "reserved"},
	{"198.19.255.255", "reserved"},
	{"198.20.0.0", "public"},
	{"198.51.100.1", "documentation"},
	{"203.0.112.255", "public"},
	{"203.0.113.255", "documentation"},
	{"203.0.114.0", "public"},
	{"223.255.255.255", "public"},
	{"224.0.0.0", "multicast"},
	{"239.255.255.255", "multicast"},
	{"240.0.0.0", "reserved"},
	{"255.255.255.254", "reserved"},
	{"255.255.255.255", "broadcast"},

	{"::", "unspecified"},
	{"::1", "loopback"},
	{"::2", "reserved"},
	{"::10.0.0.1", "reserved"},
	{"::ffff:10.0.0.1", "private"},
	{"::ffff:8.8.8.8", "public"},
	{"::fffe:8.8.8.8", "reserved"},
	{"100::1", "reserved"},
	{"1fff::1", "reserved"},
	{"2000::", "public"},
	{"2001:1::1", "public"},
	{"2001:2::1", "reserved"},
	{"2001:2:1::1", "public"},
	{"2001:10::1", "reserved"},
	{"2001:20::1", "reserved"},
	{"2001:30::1", "public"},
	{"2001:db7:ffff::1", "public"},
	{"2001:db8::1", "documentation"},
	{"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "documentation"},
	{"2001:db9::", "public"},
	{"2a05:d014::1", "public"},
	{"3ffe:ffff::1", "public"},
	{"3fff::1", "documentation"},
	{"3fff:fff:ffff::1", "documentation"},
	{"3fff:1000::1", "public"},
	{"4000::", "reserved"},
	{"fbff::1", "reserved"},
	{"fc00::", "private"},
	{"fd00:ec2::253", "private"},
	{"fd00:ec2::254", "metadata"},
	{"fdff:ffff::1", "private"},
	{"fe00::1", "reserved"},
	{"fe80::1", "link-local"},
	{"febf:ffff::1", "link-local"},
	{"fec0::1", "private"},
	{"ff02::1", "multicast"},

	/* the IPv4 address inside is judged */
	{"2002:0a00:0001::1", "private"},
	{"2002:0808:0808::1", "public"},
	{"64:ff9b::10.0.0.1", "private"},
	{"64:ff9b::8.8.8.8", "public"},
	{"64:ff9b::169.254.169.254", "metadata"},
	{"64:ff9b:1::10.0.0.1", "public"},
	{"2001:0:4136:e378:8000:63bf:f5ff:fffe", "private"}, /* Teredo of 10.0.0.1 */
	{"2001:0:4136:e378:8000:63bf:f7f7:f7f7", "public"},  /* of 8.8.8.8 */
};

static void
test_scopes(void **state)
{
	struct places *places = load(&(struct places_options){0});

	(void)state;
	for (size_t i = 0; i < COUNT(scopes); i++) {
		struct event_place place = resolve(places, scopes[i].address);

		expect_text(scopes[i].address, place.scope, scopes[i].scope);
		assert_null(place.location);
		assert_null(place.location_law);
		assert_true(place.asn == ABSENT);
	}
	assert_false(places_has_location(places));
	places_free(places);
}

static void
test_own_and_as_public(void **state)
{
	struct places_options options = {
		.own = LIST("10.1.0.0/16", "203.0.113.0/25", "fd12::/16", "100.64.0.0/10", "::/0"),
		.as_public = LIST("documentation", "cgnat"),
	};
	struct places *places = load(&options);
	size_t count;

	(void)state;
	expect_text("own", resolve(places, "10.1.2.3").scope, "own");
	expect_text("beside", resolve(places, "10.2.0.0").scope, "private");
	expect_text("own before documentation", resolve(places, "203.0.113.127").scope, "own");
	expect_text("documentation", resolve(places, "203.0.113.128").scope, "public");
	expect_text("metadata is never own", resolve(places, "100.100.100.200").scope, "metadata");
	expect_text("own cgnat", resolve(places, "100.64.0.1").scope, "own");
	expect_text("own v6", resolve(places, "2a00::1").scope, "own");
	expect_text("::/0 is not IPv4", resolve(places, "8.8.8.8").scope, "public");
	expect_text("loopback is never own", resolve(places, "::1").scope, "loopback");
	expect_text("embedded own", resolve(places, "64:ff9b::10.1.0.1").scope, "own");
	assert_non_null(places_own(places, &count));
	assert_int_equal(count, 5);
	places_free(places);
}

static const char overrides[] = "# where our providers are\n"
				"8.0.0.0/8,US,US\n"
				"8.8.0.0/16,DE,US,\"Example, Inc.\",eu-1\n"
				"8.8.8.0/24,,CN\n"
				"\n"
				"10.0.0.0/8,FR,FR,intra\n"
				"2a00::/16,NL,\n"
				"::/0,SE,SE\n"
				"0.0.0.0/0,,JP\n";

static const char geofeed[] = "8.8.8.8/32,AT,AT-9,Wien,1010\n"
			      "9.9.9.0/24,ch,,,\n"
			      "9.9.0.0/16,,,,\n";

static const struct {
	const char *address, *scope;
	const char *location, *location_source;
	const char *operator_country, *operator_source;
	const char *provider, *region;
} overridden[] = {
	{"8.1.1.1", "public", "US", "override", "US", "override", NULL, NULL},
	{"8.8.4.4", "public", "DE", "override", "US", "override", "Example, Inc.", "eu-1"},
	{"8.8.8.8", "public", "AT", "geofeed", "CN", "override", NULL, NULL},
	{"8.8.8.9", "public", NULL, NULL, "CN", "override", NULL, NULL},
	{"9.9.9.9", "public", "CH", "geofeed", "JP", "override", NULL, NULL},
	{"9.9.8.1", "public", NULL, NULL, "JP", "override", NULL, NULL},
	{"10.2.3.4", "private", "FR", "override", "FR", "override", "intra", NULL},
	{"2a00::1", "public", "NL", "override", NULL, NULL, NULL, NULL},
	{"2b00::1", "public", "SE", "override", "SE", "override", NULL, NULL},
	{"::ffff:8.1.1.1", "public", "US", "override", "US", "override", NULL, NULL},
	{"127.0.0.1", "loopback", NULL, NULL, "JP", "override", NULL, NULL},
	{"64:ff9b::8.1.1.1", "public", "US", "override", "US", "override", NULL, NULL},
};

static void
test_overrides(void **state)
{
	const char *list = put("o.csv", overrides), *feed = put("g.csv", geofeed);
	struct places_options options = {.overrides = LIST(list), .geofeeds = LIST(feed)};
	struct places *places = load(&options);
	const struct place_source *sources;
	size_t count;

	(void)state;
	for (size_t i = 0; i < COUNT(overridden); i++) {
		const char *address = overridden[i].address;
		struct event_place place = resolve(places, address);

		expect_text(address, place.scope, overridden[i].scope);
		expect_text(address, place.location, overridden[i].location);
		expect_text(address, place.location_source, overridden[i].location_source);
		expect_text(address, place.operator_country, overridden[i].operator_country);
		expect_text(address, place.operator_source, overridden[i].operator_source);
		expect_text(address, place.provider, overridden[i].provider);
		expect_text(address, place.region, overridden[i].region);
	}
	assert_true(places_has_location(places));
	sources = places_sources(places, &count);
	assert_int_equal(count, 2);
	assert_int_equal(sources[0].entries, 7);
	assert_int_equal(sources[1].entries, 3);
	assert_string_equal(sources[0].path, list);
	assert_int_equal(strlen(sources[0].digest), 64);
	places_free(places);
}

static void
test_later_file_wins(void **state)
{
	struct places_options options = {
		.overrides = LIST(put("1.csv", "8.8.0.0/16,US,US\n8.8.8.0/24,FR,FR\n"),
				  put("2.csv", "8.8.0.0/16,DE,DE\n8.0.0.0/8,CN,CN\n")),
	};
	struct places *places = load(&options);

	(void)state;
	expect_text("equal", resolve(places, "8.8.1.1").location, "DE");
	expect_text("longer", resolve(places, "8.8.8.1").location, "FR");
	expect_text("shorter", resolve(places, "8.1.1.1").location, "CN");
	places_free(places);
}

static const struct {
	const char *what; /* o: overrides, g: geofeed, l: legal, d: database, w: own, p: public */
	const char *text;
	unsigned int line, column;
	const char *says;
} mistakes[] = {
	{"o", "8.8.8.8/24,US,US\n", 1, 1, "bits after"},
	{"o", "# x\n8.8.8.0/24,us,US\n", 2, 12, "upper-case"},
	{"o", "8.8.8.0/24,UK,US\n", 1, 12, "did you mean 'GB'"},
	{"o", "8.8.8.0/24,US,XX\n", 1, 15, "'XX' is no country"},
	{"o", "8.8.8.0/24,US\n", 1, 12, "got 2 cells"},
	{"o", "8.8.8.0/24,US,US,a,b,c\n", 1, 22, "got 6 cells"},
	{"o", "8.8.8.0/24,US,US,\"a\n", 1, 18, "never closed"},
	{"o", "8.8.8.0/24,US,US,\"a\"b\n", 1, 21, "comma"},
	{"o", "8.8.8.0/24,US,US\n1.0.0.0/8,US,US\n8.8.8.0/24,DE,US\n", 3, 1, "line 1"},
	{"o", "hello,US,US\n", 1, 1, "'hello' is no prefix"},
	{"g", "8.8.8.0/24,DEU,,,\n", 1, 12, "two upper-case"},
	{"g", "8.8.8.0/24,DE,a,b,c,d\n", 1, 21, "expected prefix"},
	{"l", "{\"groups\":[{\"id\":\"eu\",\"membres\":[]}]}", 1, 23, "did you mean 'members'"},
	{"l", "{\"groups\":[{\"id\":\"eu\",\"members\":[{\"country\":\"UK\"}]}]}", 1, 35, "GB"},
	{"l",
	 "{\"groups\":[{\"id\":\"eu\",\"members\":[\n{\"country\":\"GB\",\"from\":\"2020-02-30\"}]}"
	 "]}",
	 2, 17, "a date is like"},
	{"l",
	 "{\"groups\":[{\"id\":\"eu\",\"members\":[{\"country\":\"GB\",\"from\":\"2020-02-02\","
	 "\"until\":\"2020-02-01\"}]}]}",
	 1, 34, "ends before"},
	{"l",
	 "{\"groups\":[{\"id\":\"eu\",\"members\":[{\"country\":\"GB\"}]},\n {\"id\":\"eu\"}]}", 2,
	 3, "already"},
	{"l", "[]", 1, 1, "object"},
	{"l", "{}", 1, 1, "groups"},
	{"l", "{", 1, 0, ""},
	{"d", "not a database", 0, 0, "no usable MMDB"},
	{"d", "", 0, 0, "MMDB"},
	{"w", "10.0.0.1/8", 0, 0, "own network '10.0.0.1/8'"},
	{"p", "documentatoin", 0, 0, "did you mean 'documentation'"},
};

static void
test_mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(mistakes); i++) {
		const char *const *list = LIST(mistakes[i].text);
		const char *const *file = LIST(put("mistake", mistakes[i].text));
		struct places_options options = {0};
		struct places *places = NULL;
		struct error why = {0};
		char what = mistakes[i].what[0];

		options.overrides = what == 'o' ? file : NULL;
		options.geofeeds = what == 'g' ? file : NULL;
		options.legal = what == 'l' ? file : NULL;
		options.databases = what == 'd' ? file : NULL;
		options.own = what == 'w' ? list : NULL;
		options.as_public = what == 'p' ? list : NULL;
		assert_int_equal(places_load(&places, &options, &why), -EINVAL);
		assert_null(places);
		if (!strstr(why.text, mistakes[i].says) || why.line != mistakes[i].line ||
		    (mistakes[i].column && why.column != mistakes[i].column))
			fail_msg("%s: got %u:%u %s", mistakes[i].text, why.line, why.column,
				 why.text);
		expect_text("file", why.file, what == 'w' || what == 'p' ? "" : file[0]);
	}
}

static void
test_missing_file(void **state)
{
	struct places_options options = {.legal = LIST("/no/such/file")};
	struct places *places = NULL;
	struct error why = {0};

	(void)state;
	assert_int_equal(places_load(&places, &options, &why), -ENOENT);
	assert_string_equal(why.file, "/no/such/file");
}

/* More addresses than are remembered, again and again, on either side of Brexit. */
static void
test_remembered_is_the_same(void **state)
{
	const struct places_options options = {
		.overrides = LIST(put("recall.csv", "192.0.2.0/24,GB,US,acme,x-1\n"
						    "198.51.100.0/24,DE,DE\n")),
		.legal = LIST("rules/legal/eu.json"),
		.own = LIST("10.0.0.0/9"),
		.as_public = LIST("documentation"),
	};
	static const uint32_t nets[] = {0xc0000200, 0xc6336400, 0x0a000000, 0x0a800000, 0x08080800};
	static const int64_t days[] = {NOW, 1500000000000}; /* 2026, 2017 */
	struct places *places = load(&options);
	struct place_recall *recall;
	size_t laws = 0;

	(void)state;
	assert_int_equal(place_recall_new(&recall, places), 0);
	for (size_t i = 0; i < 100000; i++) {
		struct ip ip =
			ip_from_v4(nets[(size_t)rand() % COUNT(nets)] | ((uint32_t)rand() & 0xff));
		int64_t wall_ms = days[rand() % 2];
		struct event_place fresh, again;

		place_resolve(places, &ip, wall_ms, &fresh);
		place_recall_resolve(recall, &ip, wall_ms, &again);
		assert_memory_equal(&fresh, &again, sizeof(fresh));
		laws += fresh.location && !strcmp(fresh.location, "GB") && fresh.location_law;
	}
	assert_true(laws > 0);
	place_recall_free(recall);
	places_free(places);
}

static int
make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
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
		cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_own_and_as_public),
		cmocka_unit_test(test_overrides),
		cmocka_unit_test(test_later_file_wins),
		cmocka_unit_test(test_remembered_is_the_same),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_missing_file),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
