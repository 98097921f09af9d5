/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* audit_print - an audit's report, for people and for programs. */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <string.h>

#include "audit_print.h"
#include "base/buf.h"
#include "base/cleanup.h"

static const char *const verdicts[] = {"proven", "broken", "undecided"};

/* People
 * ------
 */

/* Names come from whoever wrote to the topic: nothing in them may steer a terminal. */
static void
put_text(FILE *out, const char *text)
{
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text, out);
}

static void
print_stream(const struct audit_stream *row, FILE *out)
{
	put_text(out, row->topic);
	fputs("  ", out);
	put_text(out, row->log_name);
	fprintf(out,
		"\n    %" PRIu64 " messages: numbers %" PRIu64 " to %" PRIu64 ", %" PRIu64
		" repeated, %" PRIu64 " stubs\n",
		row->messages, row->first, row->last, row->duplicates, row->stubs);
	fprintf(out, "    %" PRIu64 " missing, %" PRIu64 " late, %" PRIu64 " altered", row->missing,
		row->late, row->altered);
	if (row->gaps)
		fprintf(out, "; %" PRIu64 " gap entries tell of %" PRIu64 " lost at the node",
			row->gaps, row->lost);
	if (row->parts > 1)
		fprintf(out, "; in %" PRIu64 " partitions: no order", row->parts);
	fputc('\n', out);
}

static void
print_shard(const struct audit_shard *row, FILE *out)
{
	put_text(out, row->log_name);
	if (!row->is_whole || row->known <= row->first) {
		fprintf(out, "  %" PRIu64 " entries; the shard is proven only by all its topics\n",
			row->entries);
		return;
	}
	fprintf(out,
		"  %" PRIu64 " entries in all topics; of %" PRIu64 " to %" PRIu64
		", which all topics have passed, %" PRIu64 " are missing",
		row->entries, row->first, row->known - 1, row->missing);
	if (row->unread)
		fprintf(out, " (%" PRIu64 " by the node's own word)", row->unread);
	fputc('\n', out);
}

static void
print_findings(const struct audit_report *report, FILE *out)
{
	for (size_t i = 0; i < report->hole_count; i++) {
		fputs("missing: ", out);
		put_text(out, report->holes[i].topic);
		fputc(' ', out);
		put_text(out, report->holes[i].log_name);
		fprintf(out, " %" PRIu64 " to %" PRIu64 "\n", report->holes[i].from,
			report->holes[i].to);
	}
	for (size_t i = 0; i < report->word_count; i++) {
		fputs("found: ", out);
		put_text(out, report->words[i]);
		fputc('\n', out);
	}
	if (report->vanished)
		fprintf(out,
			"found: of %" PRIu64 " shards that heartbeats speak of, the topics hold "
			"nothing\n",
			report->vanished);
}

void
audit_print(const struct audit_report *report, FILE *out)
{
	static const char *const sentences[] = {
		"proven: nothing is missing, altered or out of order",
		"BROKEN: something is missing, altered or out of order",
		"undecided: these messages prove nothing, or not all can be judged",
	};

	for (size_t i = 0; i < report->stream_count; i++)
		print_stream(&report->streams[i], out);
	for (size_t i = 0; i < report->shard_count; i++)
		print_shard(&report->shards[i], out);
	print_findings(report, out);
	fprintf(out,
		"%" PRIu64 " messages, %" PRIu64 " heartbeats, %" PRIu64 " foreign, %" PRIu64
		" unreadable\n%s\n",
		report->messages, report->beats, report->foreign, report->unreadable,
		sentences[report->verdict]);
}

/* Programs
 * --------
 */

static void
add(cJSON *object, const char *name, uint64_t value)
{
	cJSON_AddNumberToObject(object, name, (double)value);
}

static cJSON *
stream_json(const struct audit_stream *row)
{
	cJSON *object = cJSON_CreateObject();

	cJSON_AddStringToObject(object, "topic", row->topic);
	cJSON_AddStringToObject(object, "log_name", row->log_name);
	add(object, "messages", row->messages);
	add(object, "duplicates", row->duplicates);
	add(object, "stubs", row->stubs);
	add(object, "first", row->first);
	add(object, "last", row->last);
	add(object, "missing", row->missing);
	add(object, "late", row->late);
	add(object, "altered", row->altered);
	add(object, "gaps", row->gaps);
	add(object, "lost", row->lost);
	add(object, "partitions", row->parts);
	return object;
}

static cJSON *
shard_json(const struct audit_shard *row)
{
	cJSON *object = cJSON_CreateObject();

	cJSON_AddStringToObject(object, "log_name", row->log_name);
	add(object, "entries", row->entries);
	add(object, "first", row->first);
	add(object, "last", row->last);
	cJSON_AddBoolToObject(object, "is_whole", row->is_whole);
	add(object, "known", row->known);
	add(object, "missing", row->missing);
	add(object, "unread", row->unread);
	return object;
}

static cJSON *
hole_json(const struct audit_missing *hole)
{
	cJSON *object = cJSON_CreateObject();

	cJSON_AddStringToObject(object, "topic", hole->topic);
	cJSON_AddStringToObject(object, "log_name", hole->log_name);
	add(object, "from", hole->from);
	add(object, "to", hole->to);
	return object;
}

void
audit_print_json(const struct audit_report *report, FILE *out)
{
	cJSON *root = cJSON_CreateObject();
	cJSON *streams = cJSON_AddArrayToObject(root, "streams");
	cJSON *shards = cJSON_AddArrayToObject(root, "shards");
	cJSON *holes = cJSON_AddArrayToObject(root, "holes");
	cJSON *words = cJSON_AddArrayToObject(root, "findings");
	char *text cleanup(free_drop) = NULL;

	cJSON_AddStringToObject(root, "verdict", verdicts[report->verdict]);
	add(root, "messages", report->messages);
	add(root, "heartbeats", report->beats);
	add(root, "foreign", report->foreign);
	add(root, "unreadable", report->unreadable);
	add(root, "vanished", report->vanished);
	for (size_t i = 0; i < report->stream_count; i++)
		cJSON_AddItemToArray(streams, stream_json(&report->streams[i]));
	for (size_t i = 0; i < report->shard_count; i++)
		cJSON_AddItemToArray(shards, shard_json(&report->shards[i]));
	for (size_t i = 0; i < report->hole_count; i++)
		cJSON_AddItemToArray(holes, hole_json(&report->holes[i]));
	for (size_t i = 0; i < report->word_count; i++)
		cJSON_AddItemToArray(words, cJSON_CreateString(report->words[i]));
	text = cJSON_PrintUnformatted(root);
	cJSON_Delete(root);
	fprintf(out, "%s\n", text ? text : "{}");
}
