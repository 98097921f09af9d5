/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* batch.h - entries that travel together, and queues of them. No locks: the owner has them. */
#ifndef JOURNAL_BATCH_H
#define JOURNAL_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "shard.h"

#define BATCH_MERGE_BYTES ((size_t)1024 * 1024)

struct batch {
	struct batch *next;
	struct buf bytes; /* whole frames, of one shard */
	struct shard shard;
	uint64_t first_sequence;
	uint64_t count;
	uint64_t last_ticket;
	bool critical; /* somebody waits: sync at once */
	bool kept;     /* it is in the carry */
};

struct queue {
	struct batch *head;
	struct batch *tail;
};

void queue_put(struct queue *queue, struct batch *batch);
struct batch *queue_pop(struct queue *queue); /* NULL when empty */

/*
 * Behind a slow disk small batches pile up: copy from's entries to the end of
 * into, when they are of one shard and small. False: not done.
 */
bool batch_merge(struct batch *into, const struct batch *from);
void batch_free(struct batch *batch);

#endif /* JOURNAL_BATCH_H */
