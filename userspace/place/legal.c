/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* legal - dated groups of countries, read from JSON. Pure. */
#include "place/legal.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/jsonc.h"

#define DAY_MS       86400000LL
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const file_keys[] = {"$schema", "title", "date", "source", "note", "groups"};
static const char *const group_keys[] = {"id", "title", "source", "note", "members"};
static const char *const member_keys[] = {"country", "from", "until", "source", "note"};

static int
check_keys(const struct jsonc *doc, const cJSON *object, const char *const *keys, size_t count,
	   struct error *why)
{
	const cJSON *item;

	if (!cJSON_IsObject(object))
		return jsonc_error(doc, object, why, "must be an object");
	cJSON_ArrayForEach(item, object)
	{
		const char *near;
		size_t i = 0;

		while (i < count && strcmp(keys[i], item->string) != 0)
			i++;
		if (i < count)
			continue;
		near = nearest_word(item->string, keys, count);
		return jsonc_error(doc, item, why, "no key '%.64s' here%s%s%s", item->string,
				   near ? "; did you mean '" : "", near ? near : "",
				   near ? "'?" : "");
	}
	return 0;
}

/* A string member. *out is NULL when it is absent and need not be there. */
static int
get_string(const struct jsonc *doc, const cJSON *object, const char *key, bool is_needed,
	   const cJSON **out, struct error *why)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	*out = item;
	if (!item && is_needed)
		return jsonc_error(doc, object, why, "needs '%s'", key);
	if (item && (!cJSON_IsString(item) || !*item->valuestring))
		return jsonc_error(doc, item, why, "must be a string that is not empty");
	return 0;
}

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar from the year 1 on. */
static int64_t
count_days(int year, int month, int day)
{
	static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	int64_t past = year - 1;

	return past * 365 + past / 4 - past / 100 + past / 400 + before[month - 1] +
	       (month > 2 && is_leap(year)) + day - 1 - 719162;
}

/* "2020-01-31" to the first millisecond of that day. */
static int
parse_date(int64_t *out, const char *text)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int parts[3] = {0}, at = 0;

	if (strlen(text) != 10 || text[4] != '-' || text[7] != '-')
		return -EINVAL;
	for (int i = 0; i < 10; i++) {
		if (i == 4 || i == 7) {
			at++;
			continue;
		}
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		parts[at] = parts[at] * 10 + (text[i] - '0');
	}
	if (parts[0] < 1 || parts[1] < 1 || parts[1] > 12 || parts[2] < 1 ||
	    parts[2] > lengths[parts[1] - 1] + (parts[1] == 2 && is_leap(parts[0])))
		return -EINVAL;
	*out = count_days(parts[0], parts[1], parts[2]) * DAY_MS;
	return 0;
}

/* Leaves *out alone when the key is absent. */
static int
get_date(const struct jsonc *doc, const cJSON *object, const char *key, int64_t *out,
	 struct error *why)
{
	const cJSON *item;

	if (get_string(doc, object, key, false, &item, why) < 0)
		return -EINVAL;
	if (item && parse_date(out, item->valuestring) < 0)
		return jsonc_error(doc, item, why, "a date is like '2020-01-31', not '%.32s'",
				   item->valuestring);
	return 0;
}

static int
add_membership(struct legal *legal, const struct membership *membership)
{
	if (legal->count == legal->room) {
		size_t room = legal->room ? legal->room * 2 : 128;
		struct membership *memberships =
			reallocarray(legal->memberships, room, sizeof(*memberships));

		if (!memberships)
			return -ENOMEM;
		legal->memberships = memberships;
		legal->room = room;
	}
	legal->memberships[legal->count++] = *membership;
	return 0;
}

static int
read_member(struct legal *legal, const struct jsonc *doc, const cJSON *object, struct error *why)
{
	struct membership membership = {
		.from_ms = INT64_MIN,
		.until_ms = INT64_MAX,
		.group = (uint32_t)legal->group_count - 1,
	};
	const cJSON *country;
	struct error wrong = {0};

	if (check_keys(doc, object, member_keys, COUNT(member_keys), why) < 0 ||
	    get_string(doc, object, "country", true, &country, why) < 0 ||
	    get_date(doc, object, "from", &membership.from_ms, why) < 0 ||
	    get_date(doc, object, "until", &membership.until_ms, why) < 0)
		return -EINVAL;
	if (country_parse(&membership.country, country->valuestring, &wrong) < 0)
		return jsonc_error(doc, country, why, "%s", wrong.text);
	if (membership.until_ms != INT64_MAX)
		membership.until_ms += DAY_MS;
	if (membership.from_ms >= membership.until_ms)
		return jsonc_error(doc, object, why, "ends before it begins");
	if (add_membership(legal, &membership) < 0)
		return error_set(why, -ENOMEM, "no memory");
	return 0;
}

static int
add_group(struct legal *legal, const char *id)
{
	struct legal_group *groups =
		reallocarray(legal->groups, legal->group_count + 1, sizeof(*groups));
	const char *kept = names_keep(&legal->names, id, strlen(id));

	if (groups)
		legal->groups = groups;
	if (!groups || !kept)
		return -ENOMEM;
	groups[legal->group_count++] = (struct legal_group){.id = kept};
	return 0;
}

static const struct legal_group *
find_group(const struct legal *legal, const char *id)
{
	for (size_t i = 0; i < legal->group_count; i++) {
		if (!strcmp(legal->groups[i].id, id))
			return &legal->groups[i];
	}
	return NULL;
}

static int
read_group(struct legal *legal, const struct jsonc *doc, const cJSON *object, struct error *why)
{
	const cJSON *members, *member, *id, *source;

	if (check_keys(doc, object, group_keys, COUNT(group_keys), why) < 0 ||
	    get_string(doc, object, "id", true, &id, why) < 0 ||
	    get_string(doc, object, "source", false, &source, why) < 0)
		return -EINVAL;
	if (find_group(legal, id->valuestring))
		return jsonc_error(doc, id, why, "there is a group '%.64s' already",
				   id->valuestring);
	members = cJSON_GetObjectItemCaseSensitive(object, "members");
	if (!cJSON_IsArray(members) || !members->child)
		return jsonc_error(doc, members ? members : object, why,
				   "needs 'members', an array that is not empty");
	if (add_group(legal, id->valuestring) < 0)
		return error_set(why, -ENOMEM, "no memory");
	cJSON_ArrayForEach(member, members)
	{
		int err = read_member(legal, doc, member, why);

		if (err < 0)
			return err;
	}
	return 0;
}

int
legal_read(struct legal *legal, const char *text, size_t length, uint64_t *entries,
	   int64_t *date_ms, struct error *why)
{
	struct jsonc doc cleanup(jsonc_fini) = {0};
	size_t before = legal->count;
	const cJSON *groups, *group;
	int err = jsonc_parse(&doc, text, length, why);

	if (err < 0)
		return err;
	*date_ms = 0;
	if (check_keys(&doc, doc.root, file_keys, COUNT(file_keys), why) < 0 ||
	    get_date(&doc, doc.root, "date", date_ms, why) < 0)
		return -EINVAL;
	groups = cJSON_GetObjectItemCaseSensitive(doc.root, "groups");
	if (!cJSON_IsArray(groups))
		return jsonc_error(&doc, groups ? groups : doc.root, why,
				   "needs 'groups', an array");
	cJSON_ArrayForEach(group, groups)
	{
		err = read_group(legal, &doc, group, why);
		if (err < 0)
			return err;
	}
	*entries = legal->count - before;
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const struct membership *left = a, *right = b;

	if (left->group != right->group)
		return left->group < right->group ? -1 : 1;
	return (left->country > right->country) - (left->country < right->country);
}

/* The memberships of one group (country NONE) or of one country, as periods. */
static size_t
pick(const struct legal *legal, uint32_t group, uint8_t country, struct period *periods)
{
	size_t count = 0;

	for (size_t i = 0; i < legal->count; i++) {
		const struct membership *m = &legal->memberships[i];
		const char *text = country_name(m->country);

		if (country == COUNTRY_NONE ? m->group != group : m->country != country)
			continue;
		if (country != COUNTRY_NONE)
			text = legal->groups[m->group].id;
		periods[count++] = (struct period){m->from_ms, m->until_ms, text};
	}
	return count;
}

int
legal_finish(struct legal *legal)
{
	struct period *periods cleanup(free_drop) = NULL;
	int err = 0;

	if (legal->count == 0)
		return 0;
	periods = calloc(legal->count, sizeof(*periods));
	if (!periods)
		return -ENOMEM;
	qsort(legal->memberships, legal->count, sizeof(*legal->memberships), compare);
	for (uint32_t i = 0; i < legal->group_count && err == 0; i++) {
		size_t count = pick(legal, i, COUNTRY_NONE, periods);

		err = timeline_build(&legal->groups[i].members, periods, count);
	}
	for (uint8_t i = 1; i < COUNTRY_COUNT && err == 0; i++) {
		size_t count = pick(legal, 0, i, periods);

		err = timeline_build(&legal->law[i], periods, count);
	}
	return err;
}

const char *const *
legal_law(const struct legal *legal, uint8_t country, int64_t wall_ms)
{
	return country == COUNTRY_NONE ? NULL : timeline_find(&legal->law[country], wall_ms);
}

const char *const *
legal_group_members(const struct legal *legal, const char *id, int64_t wall_ms)
{
	const struct legal_group *group = find_group(legal, id);

	return group ? timeline_find(&group->members, wall_ms) : NULL;
}

void
legal_fini(struct legal *legal)
{
	for (size_t i = 0; i < legal->group_count; i++)
		timeline_fini(&legal->groups[i].members);
	for (size_t i = 0; i < COUNTRY_COUNT; i++)
		timeline_fini(&legal->law[i]);
	free(legal->groups);
	free(legal->memberships);
	names_fini(&legal->names);
	*legal = (struct legal){0};
}
