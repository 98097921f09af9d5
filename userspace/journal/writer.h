/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* writer.h - the segment being written, and the shards that may stay. For the storage thread. */
#ifndef JOURNAL_WRITER_H
#define JOURNAL_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "recover.h"
#include "shard.h"
#include "store.h"

struct writer;

int writer_new(struct writer **out, const struct store_options *options,
	       const struct recovery *recovery);
void writer_free(struct writer *writer);

/* True when there is no segment, it is full, or it is of another shard. */
bool writer_needs_segment(const struct writer *writer, const struct shard *shard);
/* Leaves the current segment, which must be synced, and begins the next. 0 or -errno. */
int writer_begin(struct writer *writer, const struct shard *shard, uint64_t first_sequence,
		 int64_t now_ms);
/* Seals the frames in bytes and writes them. */
int writer_append(struct writer *writer, struct buf *bytes);
/* Everything appended is on disk when this returns 0. */
int writer_sync(struct writer *writer);
/* True while a segment that is left can be compressed; a step of that. */
bool writer_can_pack(const struct writer *writer);
void writer_pack(struct writer *writer);
/* After an error: leaves the segment, keeping of it what was synced. */
void writer_abandon(struct writer *writer);

uint64_t writer_disk_bytes(const struct writer *writer);
uint64_t writer_packed(const struct writer *writer);      /* segments */
uint64_t writer_shard_bytes(const struct writer *writer); /* of the current one */
uint64_t writer_expired(const struct writer *writer);

#endif /* JOURNAL_WRITER_H */
