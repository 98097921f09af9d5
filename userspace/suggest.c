/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* suggest - draft an allow-list from what a journal has seen. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "event.h"
#include "journal.h"
#include "suggest.h"

#define SUGGESTIONS_MAX 1000 /* a longer list is a policy to rethink, not to paste */
#define DAY_MS          86400000LL

struct suggestion {
	char key[768];
	char rule[128];
	char exe[256];
	char country[4];
	char ip[IP_TEXT];
	int64_t port;
	int64_t count;
	UT_hash_handle hh;
};

static void
fill(struct suggestion *s, const struct event *event)
{
	memset(s, 0, sizeof(*s));
	snprintf(s->rule, sizeof(s->rule), "%s", event->judgement.rule);
	snprintf(s->exe, sizeof(s->exe), "%s", event->process.exe ? event->process.exe : "");
	snprintf(s->country, sizeof(s->country), "%s",
		 event->dst_place.location ? event->dst_place.location : "");
	ip_format(&event->dst, s->ip);
	s->port = event->dst_port;
	snprintf(s->key, sizeof(s->key), "%s|%s|%s|%lld", s->rule, s->exe, s->ip,
		 (long long)s->port);
}

/* An alert's opening counts one; updates and closes say how many there were in all. */
static int
add(struct suggestion **all, const struct event *event)
{
	int64_t count = event->judgement.count == ABSENT ? 1 : event->judgement.count;
	struct suggestion one, *known = NULL;

	if (event->type != &event_flow || !event->judgement.alert || !event->judgement.rule)
		return 0;
	fill(&one, event);
	HASH_FIND_STR(*all, one.key, known);
	if (known) {
		known->count = count > known->count ? count : known->count;
		return 0;
	}
	if (HASH_COUNT(*all) == SUGGESTIONS_MAX)
		return -E2BIG;
	known = malloc(sizeof(*known));
	if (!known)
		return -ENOMEM;
	*known = one;
	known->count = count;
	HASH_ADD_STR(*all, key, known);
	return 0;
}

static int
read_all(struct suggestion **all, const char *path, struct error *why)
{
	struct journal_reader *reader;
	struct buf store cleanup(buf_fini) = {0};
	struct event *event cleanup(free_drop) = malloc(sizeof(*event));
	const char *bytes;
	size_t length;
	bool is_empty = true;
	char text[600];
	int result = journal_reader_open(&reader, path, why);

	if (result < 0 || !event)
		return result;
	while ((result = journal_reader_next(reader, &bytes, &length, why)) > 0 ||
	       result == -EBADMSG) {
		is_empty = false;
		if (result < 0)
			log_warn("suggest", "%s", error_format(why, text, sizeof(text)));
		if (result < 0 || event_read(event, &store, bytes, length, why) < 0)
			continue; /* an entry of a kind that is younger than this program */
		result = add(all, event);
		if (result < 0)
			break;
	}
	journal_reader_close(reader);
	if (!result && is_empty)
		return error_set(why, -ENOENT, "%s: no entries of a journal in it", path);
	return result == -E2BIG
		       ? error_set(why, result,
				   "more than %d different alerts in %s: change the rules instead",
				   SUGGESTIONS_MAX, path)
		       : result;
}

static int
by_rule(const struct suggestion *a, const struct suggestion *b)
{
	int order = strcmp(a->rule, b->rule);

	return order                 ? order
	       : a->count < b->count ? 1
	       : a->count > b->count ? -1
				     : strcmp(a->key, b->key);
}

static cJSON *
exception(const struct suggestion *s, const char *expires)
{
	cJSON *object = cJSON_CreateObject();
	cJSON *match = cJSON_AddObjectToObject(object, "match");
	char reason[160];

	cJSON_AddStringToObject(match, "dst.ip", s->ip);
	cJSON_AddNumberToObject(match, "dst.port", (double)s->port);
	if (*s->exe)
		cJSON_AddStringToObject(match, "process.exe", s->exe);
	snprintf(reason, sizeof(reason), "seen %lld times, in %s: say why this is right",
		 (long long)s->count, *s->country ? s->country : "an unknown place");
	cJSON_AddStringToObject(object, "reason", reason);
	cJSON_AddStringToObject(object, "owner", "");
	cJSON_AddStringToObject(object, "expires", expires);
	return object;
}

static void
print_all(FILE *out, const struct suggestion *all, unsigned int days)
{
	char expires[CLOCK_TEXT];
	const struct suggestion *s;
	const char *rule = "";
	bool first = true;

	clock_format(clock_wall_ms() + days * DAY_MS, expires);
	expires[10] = 0; /* the date */
	fprintf(out, "// Draft. Paste into \"exceptions\" of the rule named, cut it down, name an "
		     "owner.\n");
	for (s = all; s; s = s->hh.next) {
		cJSON *object = exception(s, expires);
		char *text cleanup(free_drop) = cJSON_PrintUnformatted(object);

		if (strcmp(rule, s->rule) != 0) {
			fprintf(out, "%s// rule %s\n\"exceptions\": [\n", *rule ? "\n],\n" : "",
				s->rule);
			first = true;
		}
		rule = s->rule;
		fprintf(out, "%s\t%s", first ? "" : ",\n", text ? text : "");
		first = false;
		cJSON_Delete(object);
	}
	fprintf(out, *rule ? "\n]\n" : "// No alerts: nothing to allow.\n");
}

int
suggest(FILE *out, const char *journal, unsigned int days, struct error *why)
{
	struct suggestion *all = NULL, *s, *next;
	int result = read_all(&all, journal, why);

	HASH_SORT(all, by_rule);
	if (!result)
		print_all(out, all, days);
	HASH_ITER (hh, all, s, next) {
		HASH_DEL(all, s);
		free(s);
	}
	return result;
}
