/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* report.c - sum up what came, and what therefore is missing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_private.h"

#define ENTRY_TOPICS 3

static const char *const entry_topics[ENTRY_TOPICS] = {".violations.v1", ".activity.v1",
						       ".evidence.v1"};

/* Order
 * -----
 */

/* Shards are named <cluster>/<node>/<YYYY-MM-DD>. */
static size_t
node_length(const char *log_name)
{
	const char *slash = strrchr(log_name, '/');

	return slash ? (size_t)(slash - log_name) : 0;
}

static bool
is_same_node(const char *a, const char *b)
{
	size_t length = node_length(a);

	return length == node_length(b) && memcmp(a, b, length) == 0;
}

/* Is a an older shard of the same node than b? */
static bool
is_older(const char *a, const char *b)
{
	return is_same_node(a, b) && strcmp(a, b) < 0;
}

static int
compare_streams(const void *a, const void *b)
{
	const struct audit_stream *left = a, *right = b;
	int order = strcmp(left->topic, right->topic);

	return order ? order : strcmp(left->log_name, right->log_name);
}

static int
compare_shards(const void *a, const void *b)
{
	return strcmp(((const struct audit_shard *)a)->log_name,
		      ((const struct audit_shard *)b)->log_name);
}

static int
by_stream(struct stream_tally *a, struct stream_tally *b)
{
	return compare_streams(&a->row, &b->row);
}

/* Streams
 * -------
 */

static void
add_hole(struct audit *audit, struct audit_report *out, const char *topic, const char *log_name,
	 uint64_t from, uint64_t to)
{
	if (out->hole_count < AUDIT_HOLES)
		audit->holes[out->hole_count++] = (struct audit_missing){topic, log_name, from, to};
}

/* The numbers of a stream that never came, from first up to before end. */
static void
find_holes(struct audit *audit, struct audit_report *out, struct stream_tally *stream,
	   uint64_t first, uint64_t end)
{
	uint64_t at = first, from;

	while (at < end && out->hole_count < AUDIT_HOLES) {
		if (sparse_is_used(&stream->places, at)) {
			at++;
			continue;
		}
		for (from = at; at < end && !sparse_is_used(&stream->places, at);) {
			at++;
			if (at < end)
				at = sparse_skip(&stream->places, at);
		}
		at = at < end ? at : end;
		add_hole(audit, out, stream->row.topic, stream->row.log_name, from, at - 1);
	}
}

/* Did this topic have an older shard of the node? Then this one was seen from its beginning. */
static bool
is_continued(const struct audit *audit, const struct stream_tally *stream)
{
	const struct stream_tally *each;

	for (each = audit->streams; each; each = each->hh.next)
		if (each->placed && strcmp(each->row.topic, stream->row.topic) == 0 &&
		    is_older(each->row.log_name, stream->row.log_name))
			return true;
	return false;
}

static void
sum_stream(struct audit *audit, struct audit_report *out, struct stream_tally *stream)
{
	struct audit_stream *row = &stream->row;
	uint64_t first = is_continued(audit, stream) ? 0 : row->first;
	uint64_t end = stream->placed ? row->last + 1 : 0;

	if (!stream->placed)
		return;
	if (stream->head_ordinal > end)
		end = stream->head_ordinal;
	row->missing = end - first - stream->placed;
	if (row->missing)
		find_holes(audit, out, stream, first, end);
}

/* A topic that was not read is no topic in which something is missing. */
static bool
was_read(const struct audit *audit, const char *topic)
{
	const struct stream_tally *each;

	for (each = audit->streams; each; each = each->hh.next)
		if (each->row.messages && strcmp(each->row.topic, topic) == 0)
			return true;
	return false;
}

/* A heartbeat speaks of messages of which none is here: they may be lost, or have expired. */
static bool
is_vanished(const struct audit *audit, const struct stream_tally *stream)
{
	return !stream->placed && stream->head_ordinal && was_read(audit, stream->row.topic);
}

/* Shards
 * ------
 */

/* Entries before this number that belong to the topic were seen. 0: nobody knows. */
static uint64_t
known_of(const struct audit *audit, const char *log_name, const char *ending)
{
	const struct stream_tally *each;
	uint64_t known = 0;
	size_t length;

	for (each = audit->streams; each; each = each->hh.next) {
		length = strlen(each->row.topic);
		if (length < strlen(ending) ||
		    strcmp(each->row.topic + length - strlen(ending), ending) != 0)
			continue;
		if (each->placed && is_older(log_name, each->row.log_name))
			return UINT64_MAX;
		if (strcmp(each->row.log_name, log_name) != 0)
			continue;
		if (each->placed && each->last_sequence + 1 > known)
			known = each->last_sequence + 1;
		if (each->head_sequence > known && was_read(audit, each->row.topic))
			known = each->head_sequence;
	}
	return known;
}

static void
sum_shard(const struct audit *audit, struct shard_tally *shard)
{
	struct audit_shard *row = &shard->row;
	uint64_t at, found = 0;

	row->known = row->last + 1;
	row->is_whole = true;
	for (size_t i = 0; i < ENTRY_TOPICS; i++) {
		uint64_t known = known_of(audit, row->log_name, entry_topics[i]);

		row->is_whole &= known > 0;
		row->known = known < row->known ? known : row->known;
	}
	row->missing = 0;
	if (!row->is_whole || row->known <= row->first) {
		row->known = row->first;
		return;
	}
	for (at = row->first; at < row->known; at = sparse_skip(&shard->digests, at + 1))
		found += sparse_is_used(&shard->digests, at);
	row->missing = row->known - row->first - found;
}

/* All
 * ---
 */

static int
make_rows(struct audit *audit, struct audit_report *out)
{
	struct stream_tally *stream;
	struct shard_tally *shard;
	size_t streams = HASH_COUNT(audit->streams), shards = HASH_COUNT(audit->shards);

	free(audit->stream_rows);
	free(audit->shard_rows);
	audit->stream_rows = calloc(streams + 1, sizeof(*audit->stream_rows));
	audit->shard_rows = calloc(shards + 1, sizeof(*audit->shard_rows));
	if (!audit->stream_rows || !audit->shard_rows)
		return -ENOMEM;
	for (stream = audit->streams; stream; stream = stream->hh.next)
		if (stream->placed)
			audit->stream_rows[out->stream_count++] = stream->row;
		else
			out->vanished += is_vanished(audit, stream);
	for (shard = audit->shards; shard; shard = shard->hh.next)
		audit->shard_rows[out->shard_count++] = shard->row;
	qsort(audit->shard_rows, out->shard_count, sizeof(struct audit_shard), compare_shards);
	out->streams = audit->stream_rows;
	out->shards = audit->shard_rows;
	return 0;
}

static enum audit_verdict
judge(const struct audit_report *report)
{
	bool is_ordered = true;

	for (size_t i = 0; i < report->stream_count; i++) {
		const struct audit_stream *row = &report->streams[i];

		if (row->missing || row->altered || (row->late && row->parts == 1))
			return AUDIT_BROKEN;
		is_ordered &= row->parts <= 1;
	}
	for (size_t i = 0; i < report->shard_count; i++)
		if (report->shards[i].missing > report->shards[i].unread)
			return AUDIT_BROKEN;
	if (!report->stream_count || !is_ordered || report->foreign || report->unreadable ||
	    report->vanished)
		return AUDIT_UNDECIDED;
	return AUDIT_PROVEN;
}

int
audit_report(struct audit *audit, struct audit_report *out)
{
	struct stream_tally *stream;
	struct shard_tally *shard;
	int error;

	*out = (struct audit_report){
		.messages = audit->messages,
		.beats = audit->beats,
		.foreign = audit->foreign,
		.unreadable = audit->unreadable,
		.holes = audit->holes,
		.word_count = audit->word_count,
	};
	HASH_SORT(audit->streams, by_stream);
	for (stream = audit->streams; stream; stream = stream->hh.next)
		sum_stream(audit, out, stream);
	for (shard = audit->shards; shard; shard = shard->hh.next)
		sum_shard(audit, shard);
	for (size_t i = 0; i < audit->word_count; i++)
		out->words[i] = audit->words[i];
	error = make_rows(audit, out);
	if (error)
		return error;
	out->verdict = judge(out);
	return 0;
}
