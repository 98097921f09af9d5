/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* audit.c - put each message in its place, and notice what does not fit. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_private.h"
#include "audit/claim.h"

int
audit_new(struct audit **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

static void
free_stream(struct audit *audit, struct stream_tally *stream)
{
	HASH_DELETE(hh, audit->streams, stream);
	sparse_fini(&stream->places);
	free(stream);
}

static void
free_shard(struct audit *audit, struct shard_tally *shard)
{
	HASH_DELETE(hh, audit->shards, shard);
	sparse_fini(&shard->digests);
	free(shard);
}

void
audit_free(struct audit *audit)
{
	struct stream_tally *stream, *next_stream;
	struct shard_tally *shard, *next_shard;

	if (!audit)
		return;
	HASH_ITER (hh, audit->streams, stream, next_stream)
		free_stream(audit, stream);
	HASH_ITER (hh, audit->shards, shard, next_shard)
		free_shard(audit, shard);
	for (size_t i = 0; i < audit->word_count; i++)
		free(audit->words[i]);
	free(audit->stream_rows);
	free(audit->shard_rows);
	free(audit);
}

static void __attribute__((format(printf, 3, 4)))
note(struct audit *audit, const struct consumer_message *message, const char *format, ...)
{
	char text[AUDIT_TEXT], what[256];
	va_list args;

	if (audit->word_count == AUDIT_WORDS)
		return;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (message)
		snprintf(text, sizeof(text), "%.200s[%d] at %lld: %s", message->topic,
			 message->partition, (long long)message->offset, what);
	else
		snprintf(text, sizeof(text), "%s", what);
	audit->words[audit->word_count] = strdup(text);
	audit->word_count += audit->words[audit->word_count] != NULL;
}

void
audit_unreadable(struct audit *audit, const char *why)
{
	audit->unreadable++;
	note(audit, NULL, "%.200s", why);
}

/* Finding the row
 * ---------------
 */

static struct stream_tally *
find_stream(struct audit *audit, const char *topic, const char *log_name)
{
	size_t topic_length = strlen(topic), length = topic_length + strlen(log_name) + 2;
	char *name = malloc(length);
	struct stream_tally *stream = NULL;

	if (!name)
		return NULL;
	memcpy(name, topic, topic_length + 1);
	memcpy(name + topic_length + 1, log_name, length - topic_length - 1);
	HASH_FIND(hh, audit->streams, name, length, stream);
	if (!stream && (stream = calloc(1, sizeof(*stream) + length))) {
		memcpy(stream->name, name, length);
		stream->row.topic = stream->name;
		stream->row.log_name = stream->name + topic_length + 1;
		stream->places.element_bytes = sizeof(uint64_t);
		stream->partition = -1;
		HASH_ADD(hh, audit->streams, name, length, stream);
		if (!stream->hh.tbl) {
			free(stream);
			stream = NULL;
		}
	}
	free(name);
	return stream;
}

static struct shard_tally *
find_shard(struct audit *audit, const char *log_name)
{
	size_t length = strlen(log_name) + 1;
	struct shard_tally *shard;

	HASH_FIND(hh, audit->shards, log_name, length, shard);
	if (shard || !(shard = calloc(1, sizeof(*shard) + length)))
		return shard;
	memcpy(shard->name, log_name, length);
	shard->row.log_name = shard->name;
	shard->digests.element_bytes = sizeof(struct digest);
	HASH_ADD(hh, audit->shards, name, length, shard);
	if (shard->hh.tbl)
		return shard;
	free(shard);
	return NULL;
}

/* Judging
 * -------
 */

static void
alter(struct audit *audit, struct stream_tally *stream, const struct consumer_message *message,
      const char *what)
{
	stream->row.altered++;
	note(audit, message, "%s", what);
}

static void
note_extent(struct audit_shard *row, uint64_t sequence)
{
	if (!row->entries || sequence < row->first)
		row->first = sequence;
	if (!row->entries || sequence > row->last)
		row->last = sequence;
	row->entries++;
}

/* Every copy of an entry, whatever topic it is in, has the same bytes; a stub has others. */
static int
put_digest(struct audit *audit, struct stream_tally *stream, struct shard_tally *shard,
	   const struct claim *claim, const struct consumer_message *message)
{
	static const struct digest none;
	struct digest *digest = sparse_make(&shard->digests, claim->sequence);

	if (!digest)
		return -ENOMEM;
	if (memcmp(digest, &none, sizeof(none)) == 0) {
		note_extent(&shard->row, claim->sequence);
		shard->row.unread += claim->is_unread ? claim->lost : 0;
		digest->is_used = true;
	}
	if (claim->kind == CLAIM_STUB)
		return 0;
	if (digest->is_known && memcmp(digest->bytes, claim->digest, AUDIT_DIGEST) != 0)
		alter(audit, stream, message, "another copy of this entry has other bytes");
	digest->is_known = true;
	memcpy(digest->bytes, claim->digest, AUDIT_DIGEST);
	return 0;
}

/* The order in which numbers came for the first time is the order of the node. */
static void
put_in_order(struct audit *audit, struct stream_tally *stream, const struct claim *claim,
	     const struct consumer_message *message)
{
	struct audit_stream *row = &stream->row;

	if (!stream->placed++) {
		row->first = row->last = claim->ordinal;
		stream->last_sequence = claim->sequence;
		return;
	}
	if (claim->ordinal < row->last) {
		row->late++;
		note(audit, message, "number %llu of the topic came behind %llu",
		     (unsigned long long)claim->ordinal, (unsigned long long)row->last);
		if (claim->ordinal < row->first)
			row->first = claim->ordinal;
		return;
	}
	if (claim->sequence <= stream->last_sequence)
		alter(audit, stream, message, "the entry's number does not rise with the topic's");
	row->last = claim->ordinal;
	stream->last_sequence = claim->sequence;
}

/* 1: the number is new, 0: it is a repeat. Places hold the entry's number + 1. */
static int
put_place(struct audit *audit, struct stream_tally *stream, const struct claim *claim,
	  const struct consumer_message *message)
{
	uint64_t *place = sparse_make(&stream->places, claim->ordinal);

	if (!place)
		return -ENOMEM;
	if (!*place) {
		*place = claim->sequence + 1;
		put_in_order(audit, stream, claim, message);
		return 1;
	}
	if (*place == claim->sequence + 1)
		stream->row.duplicates++;
	else
		alter(audit, stream, message,
		      "this number of the topic was another entry's before");
	return 0;
}

static void
note_partition(struct stream_tally *stream, int32_t partition)
{
	if (stream->partition == partition)
		return;
	stream->partition = partition;
	stream->row.parts++;
}

static int
put_entry(struct audit *audit, const struct consumer_message *message, const struct claim *claim)
{
	struct stream_tally *stream = find_stream(audit, message->topic, claim->log_name);
	struct shard_tally *shard = stream ? find_shard(audit, claim->log_name) : NULL;
	int is_new;

	if (!shard)
		return -ENOMEM;
	stream->row.messages++;
	note_partition(stream, message->partition);
	if (claim->fault[0])
		alter(audit, stream, message, claim->fault);
	is_new = put_place(audit, stream, claim, message);
	if (is_new == 1) {
		stream->row.stubs += claim->kind == CLAIM_STUB;
		stream->row.gaps += claim->is_gap;
		stream->row.lost += claim->is_gap ? claim->lost : 0;
	}
	return is_new < 0 ? is_new : put_digest(audit, stream, shard, claim, message);
}

/* What the node knew the broker to have. */
static int
put_heads(struct audit *audit, const struct claim *claim)
{
	struct stream_tally *stream;

	for (size_t i = 0; i < claim->head_count; i++) {
		const struct claim_head *head = &claim->heads[i];

		if (!head->topic[0] || !head->log_name[0])
			continue;
		stream = find_stream(audit, head->topic, head->log_name);
		if (!stream)
			return -ENOMEM;
		if (head->ordinal > stream->head_ordinal)
			stream->head_ordinal = head->ordinal;
		if (head->sequence > stream->head_sequence)
			stream->head_sequence = head->sequence;
	}
	return 0;
}

int
audit_message(struct audit *audit, const struct consumer_message *message)
{
	struct claim claim = {0};

	claim_read(&claim, message);
	audit->messages++;
	switch (claim.kind) {
	case CLAIM_BEAT:
		audit->beats++;
		return put_heads(audit, &claim);
	case CLAIM_FOREIGN:
		audit->foreign++;
		note(audit, message, "%s", claim.fault);
		return 0;
	default:
		return put_entry(audit, message, &claim);
	}
}
