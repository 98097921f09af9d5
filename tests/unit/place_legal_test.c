/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* place: the legal groups that ship, across the days on which they changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/jsonc.h"
#include "place.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const files[] = {"rules/legal/eu.json", "rules/legal/adequacy.json", NULL};

/* "2020-01-31T23:59:59" */
static int64_t
at(const char *text)
{
	struct tm parts = {0};

	assert_non_null(strptime(text, "%Y-%m-%dT%H:%M:%S", &parts));
	return (int64_t)timegm(&parts) * 1000;
}

static const char *
join(const char *const *set, char *out, size_t room)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; set && set[i] && used < room; i++)
		used += (size_t)snprintf(out + used, room - used, "%s%s", i ? " " : "", set[i]);
	return out;
}

static const struct {
	const char *country, *when, *law;
} laws[] = {
	{"DE", "2026-11-23T12:00:00", "eu eea"},
	{"DE", "1993-10-31T23:59:59", ""},
	{"DE", "1993-11-01T00:00:00", "eu"},
	{"DE", "1994-01-01T00:00:00", "eu eea"},
	{"HR", "2013-06-30T23:59:59", ""},
	{"HR", "2013-07-01T00:00:00", "eu"},
	{"HR", "2026-11-23T00:00:00", "eu eea"},
	{"GB", "2020-01-31T23:59:59", "eu eea"},
	{"GB", "2020-02-01T00:00:00", "bridged"},
	{"GB", "2021-01-01T00:00:00", "bridged"},
	{"GB", "2021-06-27T23:59:59", "bridged"},
	{"GB", "2021-06-28T00:00:00", "adequate"},
	{"GB", "2026-11-23T00:00:00", "adequate"},
	{"GB", "2031-12-28T00:00:00", ""},
	{"GI", "2026-11-23T00:00:00", ""},
	{"IS", "2026-11-23T00:00:00", "eea"},
	{"LI", "2026-11-23T00:00:00", "eea"},
	{"NO", "2026-11-23T00:00:00", "eea"},
	{"SJ", "2026-11-23T00:00:00", ""},
	{"CH", "2026-11-23T00:00:00", "adequate"},
	{"BR", "2026-01-25T00:00:00", ""},
	{"BR", "2026-11-23T00:00:00", "adequate"},
	{"CA", "2026-11-23T00:00:00", "adequate_conditional"},
	{"US", "2015-10-05T00:00:00", "adequate_conditional"},
	{"US", "2015-10-06T00:00:00", ""},
	{"US", "2020-07-15T23:59:59", "adequate_conditional"},
	{"US", "2023-07-09T23:59:59", ""},
	{"US", "2023-07-10T00:00:00", "adequate_conditional"},
	{"RE", "2026-11-23T00:00:00", "eu eea"},
	{"YT", "2013-12-31T23:59:59", ""},
	{"YT", "2014-01-01T00:00:00", "eu eea"},
	{"BL", "2012-01-01T00:00:00", ""},
	{"CN", "2026-11-23T00:00:00", ""},
};

static void
test_law_by_date(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(laws); i++) {
		struct places_options options = {.legal = files};
		struct places *places = NULL;
		struct event_place place;
		struct error why = {0};
		struct ip ip;
		char path[] = "/tmp/demarc-legal-XXXXXX", got[200];
		int fd = mkstemp(path);

		/* An override gives the address its country. */
		assert_true(fd >= 0);
		assert_true(dprintf(fd, "192.0.2.0/24,%s,\n", laws[i].country) > 0);
		close(fd);
		options.overrides = (const char *const[]){path, NULL};
		assert_int_equal(places_load(&places, &options, &why), 0);
		assert_int_equal(ip_parse(&ip, "192.0.2.1"), 0);
		place_resolve(places, &ip, at(laws[i].when), &place);
		join(place.location_law, got, sizeof(got));
		if (strcmp(got, laws[i].law) != 0)
			fail_msg("%s at %s: '%s'", laws[i].country, laws[i].when, got);
		assert_true((place.location_law == NULL) == (laws[i].law[0] == '\0'));
		assert_null(place.operator_law);
		places_free(places);
		unlink(path);
	}
}

static const struct {
	const char *group, *when;
	size_t members; /* 0: no such group then */
} groups[] = {
	{"eu", "1993-10-31T00:00:00", 0},
	{"eu", "2019-01-01T00:00:00", 28 + 1 + 1 + 6}, /* and Gibraltar, Aland, outermost */
	{"eu", "2026-11-23T00:00:00", 27 + 1 + 6},
	{"eea", "2026-11-23T00:00:00", 30 + 1 + 6},
	{"adequate", "2026-11-23T00:00:00", 14},
	{"adequate_conditional", "2026-11-23T00:00:00", 2},
	{"bridged", "2026-11-23T00:00:00", 0},
	{"apec", "2026-11-23T00:00:00", 0},
};

static void
test_members_by_date(void **state)
{
	struct places_options options = {.legal = files};
	struct places *places = NULL;
	struct error why = {0};

	(void)state;
	assert_int_equal(places_load(&places, &options, &why), 0);
	for (size_t i = 0; i < COUNT(groups); i++) {
		const char *const *members =
			legal_members(places, groups[i].group, at(groups[i].when));
		size_t count = 0;

		while (members && members[count]) {
			assert_true(count == 0 || strcmp(members[count - 1], members[count]) < 0);
			count++;
		}
		if (count != groups[i].members || !members != !count)
			fail_msg("%s at %s: %zu members", groups[i].group, groups[i].when, count);
	}
	places_free(places);
}

static void
expect_source(const cJSON *group, const cJSON *member)
{
	const cJSON *own = cJSON_GetObjectItemCaseSensitive(member, "source");
	const cJSON *shared = cJSON_GetObjectItemCaseSensitive(group, "source");

	assert_true(cJSON_IsString(own) || cJSON_IsString(shared));
	assert_true(cJSON_IsString(cJSON_GetObjectItemCaseSensitive(member, "from")));
}

static void
test_every_membership_has_a_source(void **state)
{
	(void)state;
	for (size_t i = 0; files[i]; i++) {
		struct jsonc doc cleanup(jsonc_fini) = {0};
		const cJSON *group, *member;
		struct error why = {0};

		assert_int_equal(jsonc_parse_file(&doc, files[i], &why), 0);
		cJSON_ArrayForEach(group, cJSON_GetObjectItemCaseSensitive(doc.root, "groups"))
		{
			cJSON_ArrayForEach(member,
					   cJSON_GetObjectItemCaseSensitive(group, "members"))
				expect_source(group, member);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_law_by_date),
		cmocka_unit_test(test_members_by_date),
		cmocka_unit_test(test_every_membership_has_a_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
