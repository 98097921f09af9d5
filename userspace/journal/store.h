/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * store.h - the other side of the disk: batches go over whole, tickets come back.
 *
 * The loop fills a batch and hands it over; the storage thread writes and syncs
 * it, and keeps it until then, so that it can be written again after an error.
 */
#ifndef JOURNAL_STORE_H
#define JOURNAL_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "batch.h"
#include "journal.h"
#include "recover.h"

struct store;

struct store_options {
	const char *directory;
	const char *cluster;
	const char *node;
	size_t segment_bytes;
	unsigned int sync_ms;
	unsigned int close_ms;
	uint64_t quota_bytes;
	uint64_t age_days;
	bool compress;
	uint64_t acknowledged; /* the ticket before the first */
};

int store_open(struct store **out, const struct store_options *options,
	       const struct recovery *recovery, struct error *why);
/* False: the disk did not answer in time, and the store had to be left to its thread. last gets the
 * final state either way. */
bool store_close(struct store *store, struct journal_state *last);

/* An empty batch, or NULL. */
struct batch *store_batch(struct store *store);
/* Takes the batch. One short lock; never blocks on the disk. */
void store_hand_over(struct store *store, struct batch *batch);

int store_fd(const struct store *store);
/* Clears the descriptor. */
uint64_t store_acknowledged(struct store *store);
/* Bytes of acknowledged batches, since the start. */
uint64_t store_released(const struct store *store);

/* Bytes on disk of the shard that has the ticket; 0 before that is on disk. */
uint64_t store_shard_bytes(const struct store *store, uint64_t first);

/* Fills in what the storage thread knows. */
void store_state(const struct store *store, struct journal_state *out);

#endif /* JOURNAL_STORE_H */
