/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* reader_private.h - what reading on (reader.c) and going to a place (seek.c) share. */
#ifndef JOURNAL_READER_PRIVATE_H
#define JOURNAL_READER_PRIVATE_H

#include <stdbool.h>

#include "journal.h"
#include "segment.h"
#include "shard.h"

#define PATH_BYTES 4096

struct journal_reader {
	char root[PATH_BYTES];   /* of the shards; "" when a shard or segment was named */
	char folder[PATH_BYTES]; /* of the segments; "" before the first shard or for a file */
	char path[PATH_BYTES];   /* of the segment */
	struct shard shard;
	bool has_shard;
	unsigned int segment; /* number of the current one, or of the last */
	bool has_segment;
	bool is_file; /* one segment, nothing after it */

	struct scan scan; /* fd -1: between segments */
	bool is_sealed;   /* there is a later segment: nothing more will be written here */
	uint64_t limit;   /* first sequence of the next segment in this shard, if any */
	uint64_t expected;
	bool is_any;     /* a lone file with a damaged header may begin anywhere */
	bool is_pending; /* frame was read, but not given */
	struct frame frame;
	char log_name[SEGMENT_LOG_NAME];

	bool is_whole;     /* the shard was seen to have no more segments, and a shard after it */
	struct shard next; /* the shard that was seen after it */
	bool has_next;
	bool has_lost; /* to be said before anything else is given */
	struct journal_lost lost;
	char lost_name[SEGMENT_LOG_NAME];
};

/* Remember what is passed over: entries first to next - 1 of a shard. */
void reader_lose(struct journal_reader *reader, const char *log_name, uint64_t first,
		 uint64_t next);
int reader_fail(const struct journal_reader *reader, struct error *why, int error);
int reader_join(char out[PATH_BYTES], const char *folder, const char *name);

#endif /* JOURNAL_READER_PRIVATE_H */
