/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* limits.c - a table of what settings take: words, ranges, forms. */
#include "config/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ip.h"

#define UINT_MOST (UINT64_C(1) << 53) /* JSON holds no larger integer exactly */
#define DAY_S     86400

static const char *const bools[] = {"false", "true", NULL};
static const char *const privacy_modes[] = {"full", "pseudonym", "drop", NULL};
static const char *const flow_modes[] = {"folded", "each", NULL};
static const char *const log_levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const log_formats[] = {"logfmt", "json", NULL};

static const struct {
	const char *name;
	const char *const *words;
} enumerations[] = {
	{"privacy.user", privacy_modes},   {"privacy.argv", privacy_modes},
	{"privacy.origin", privacy_modes}, {"privacy.peer", privacy_modes},
	{"journal.flows", flow_modes},     {"log.level", log_levels},
	{"log.format", log_formats},
};

struct range {
	const char *name;
	uint64_t least, most;
	bool is_power_of_two;
};

static const struct range ranges[] = {
	{"flows.table_entries", 1, 1 << 24, false}, {"flows.interval_s", 1, DAY_S, false},
	{"flows.idle_s", 1, DAY_S, false},          {"ring.critical_bytes", 4096, 1 << 30, true},
	{"ring.bulk_bytes", 4096, 1 << 30, true},   {"journal.fold_s", 1, DAY_S, false},
	{"journal.staging_mib", 1, 1 << 16, false}, {"journal.sync_ms", 1, 60000, false},
	{"journal.quota_mib", 0, 1 << 30, false},   {"journal.reserve_mib", 0, 1 << 30, false},
	{"journal.age_days", 0, 36500, false},      {"kafka.health_s", 1, 3600, false},
};

static const struct range any = {NULL, 0, UINT_MOST, false};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int
check_word(const struct setting *setting, const char *text, const char *const *words,
	   struct error *why)
{
	const char *nearest;
	char list[96] = "";
	size_t count = 0;

	for (; words[count]; count++) {
		size_t used = strlen(list);

		if (strcmp(words[count], text) == 0)
			return 0;
		snprintf(list + used, sizeof(list) - used, "%s%s",
			 count == 0         ? ""
			 : words[count + 1] ? ", "
					    : " or ",
			 words[count]);
	}
	nearest = nearest_word(text, words, count);
	return error_set(why, -EINVAL, "%s must be %s, not '%s'%s%s%s", setting->name, list, text,
			 nearest ? "; did you mean '" : "", nearest ? nearest : "",
			 nearest ? "'?" : "");
}

static const struct range *
find_range(const char *name)
{
	for (size_t i = 0; i < COUNT(ranges); i++)
		if (strcmp(ranges[i].name, name) == 0)
			return &ranges[i];
	return &any;
}

static int
check_number(const struct setting *setting, const char *text, struct error *why)
{
	const struct range *range = find_range(setting->name);
	bool is_number = text[0] && !text[strspn(text, "0123456789")];
	uint64_t value;

	errno = 0;
	value = is_number ? strtoull(text, NULL, 10) : 0;
	if (is_number && !errno && value >= range->least && value <= range->most &&
	    !(range->is_power_of_two && (value & (value - 1))))
		return 0;
	return error_set(why, -EINVAL, "%s must be %s from %" PRIu64 " to %" PRIu64 ", not '%s'",
			 setting->name,
			 range->is_power_of_two ? "a power of two" : "a whole number", range->least,
			 range->most, text);
}

/* Part of socket and file names, so: nothing that leads out of a directory. */
static int
check_instance(const char *text, struct error *why)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-.";

	if (text[0] && text[0] != '.' && strlen(text) < 64 && !text[strspn(text, bytes)])
		return 0;
	return error_set(why, -EINVAL,
			 "instance must be 1 to 63 letters, digits, '-', '_' or '.', and not begin "
			 "with '.'");
}

/* Held open by nobody, so it must be found again from any directory. */
static int
check_pins(const char *text, struct error *why)
{
	if (!text[0] || (text[0] == '/' && strlen(text) < 256))
		return 0;
	return error_set(why, -EINVAL,
			 "pins must be empty, or an absolute path shorter than 256 bytes: '%s'",
			 text);
}

/* Part of the name of every log, cut by slashes, and shown to people. */
static int
check_identity(const struct setting *setting, const char *text, struct error *why)
{
	for (const unsigned char *byte = (const unsigned char *)text; *byte; byte++)
		if (*byte == '/' || *byte < 0x20 || *byte == 0x7f)
			return error_set(why, -EINVAL,
					 "%s must have no slash or control character in it: '%s'",
					 setting->name, text);
	return strlen(text) < 128 ? 0
				  : error_set(why, -EINVAL, "%s must be shorter than 128 bytes",
					      setting->name);
}

/* The value is not repeated: it may be a secret that lost its name. */
static int
check_pair(const struct setting *setting, const char *text, struct error *why)
{
	if (strchr(text, '=') && *text != '=')
		return 0;
	return error_set(why, -EINVAL, "%s must hold name=value", setting->name);
}

/* Dots or underscores, never both: Kafka's metrics fold them. Room is left for the rest. */
static int
check_prefix(const char *text, struct error *why)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-.";

	if (text[0] && text[0] != '.' && strlen(text) < 200 && !text[strspn(text, bytes)])
		return 0;
	return error_set(why, -EINVAL,
			 "kafka.topic_prefix must be 1 to 199 letters, digits, '-' or '.', and not "
			 "begin with '.'");
}

static int
check_text(const struct setting *setting, const char *text, struct error *why)
{
	struct prefix prefix;

	for (size_t i = 0; i < COUNT(enumerations); i++)
		if (strcmp(enumerations[i].name, setting->name) == 0)
			return check_word(setting, text, enumerations[i].words, why);
	if (setting->type == SETTING_PAIRS)
		return check_pair(setting, text, why);
	if (strcmp(setting->name, "instance") == 0)
		return check_instance(text, why);
	if (strcmp(setting->name, "pins") == 0)
		return check_pins(text, why);
	if (strcmp(setting->name, "kafka.topic_prefix") == 0)
		return check_prefix(text, why);
	if (strcmp(setting->name, "node") == 0 || strcmp(setting->name, "cluster") == 0)
		return check_identity(setting, text, why);
	if (strcmp(setting->name, "place.own") == 0 && prefix_parse(&prefix, text) < 0)
		return error_set(why, -EINVAL,
				 "place.own: '%s' is not a prefix such as 10.0.0.0/8 (or has bits "
				 "set after its length)",
				 text);
	if ((setting->type == SETTING_LIST || strstr(setting->name, "_directory")) && !text[0])
		return error_set(why, -EINVAL,
				 setting->type == SETTING_LIST ? "%s must hold no empty text"
							       : "%s must not be empty",
				 setting->name);
	return 0;
}

int
limits_check(const struct setting *setting, const char *text, struct error *why)
{
	if (setting->type == SETTING_UINT)
		return check_number(setting, text, why);
	if (setting->type == SETTING_BOOL)
		return check_word(setting, text, bools, why);
	return check_text(setting, text, why);
}
