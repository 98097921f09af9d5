/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* batch.c - entries that travel together, and queues of them. */
#include "batch.h"

#include <stdlib.h>

void
queue_put(struct queue *queue, struct batch *batch)
{
	batch->next = NULL;
	if (queue->tail)
		queue->tail->next = batch;
	else
		queue->head = batch;
	queue->tail = batch;
}

struct batch *
queue_pop(struct queue *queue)
{
	struct batch *batch = queue->head;

	if (batch && !(queue->head = batch->next))
		queue->tail = NULL;
	return batch;
}

void
batch_free(struct batch *batch)
{
	buf_fini(&batch->bytes);
	free(batch);
}

bool
batch_merge(struct batch *into, const struct batch *from)
{
	if (!into || shard_compare(&into->shard, &from->shard) != 0 ||
	    into->bytes.length + from->bytes.length > BATCH_MERGE_BYTES ||
	    !buf_reserve(&into->bytes, from->bytes.length)) {
		if (into)
			into->bytes.failed = false;
		return false;
	}
	buf_add(&into->bytes, from->bytes.data, from->bytes.length);
	into->count += from->count;
	into->last_ticket = from->last_ticket;
	into->critical |= from->critical;
	return true;
}
