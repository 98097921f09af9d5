/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* audit_private.h - what gathering (audit.c) and summing up (report.c) share. */
#ifndef AUDIT_PRIVATE_H
#define AUDIT_PRIVATE_H

#include "audit.h"
#include "audit/sparse.h"
#include "base/hash.h"

#define AUDIT_TEXT   512
#define AUDIT_DIGEST 16
#define AUDIT_HOLES  20

struct stream_tally {
	struct audit_stream row;
	struct sparse places; /* the topic's number -> the entry's number + 1 */
	uint64_t placed;
	uint64_t last_sequence;
	uint64_t head_ordinal; /* by a heartbeat, the broker has all before these */
	uint64_t head_sequence;
	int32_t partition;
	UT_hash_handle hh;
	char name[]; /* topic, NUL, log_name, NUL */
};

struct digest {
	unsigned char bytes[AUDIT_DIGEST];
	bool is_used;
	bool is_known; /* else only its stub was seen */
};

struct shard_tally {
	struct audit_shard row;
	struct sparse digests; /* the entry's number -> struct digest */
	UT_hash_handle hh;
	char name[];
};

struct audit {
	struct stream_tally *streams;
	struct shard_tally *shards;
	uint64_t messages, beats, foreign, unreadable;
	char *words[AUDIT_WORDS];
	size_t word_count;
	struct audit_stream *stream_rows;
	struct audit_shard *shard_rows;
	struct audit_missing holes[AUDIT_HOLES];
};

#endif /* AUDIT_PRIVATE_H */
