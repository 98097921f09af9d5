/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* restore.h - batches in the carry, and what of them the recovered shards lack. */
#ifndef JOURNAL_RESTORE_H
#define JOURNAL_RESTORE_H

#include <stdint.h>

#include "batch.h"
#include "carry.h"
#include "recover.h"

/* Put a batch into the carry, under its last ticket. */
void batch_keep(struct carry *carry, const struct batch *batch, const char *log_name);

struct restored {
	struct queue missing;  /* from the disk, in order; cut to what is missing */
	uint64_t acknowledged; /* the ticket before the first of them */
	uint64_t ticket;       /* the highest in the carry */
	uint64_t entries;      /* that are missing */
	uint64_t lost;         /* that can be read no more, or are of another name */
};

/*
 * Look through what is carried; prefix is how log_names of this journal begin.
 * What is on disk already, or lost, is dropped from the carry.
 */
int restore_batches(struct restored *out, struct carry *carry, const struct recovery *recovery,
		    const char *prefix);

/* Keep where the journal ends: numbers below were given. */
void end_keep(struct carry *carry, const struct shard *shard, uint64_t sequence);
/*
 * Entries that have a number, and are neither on the disk nor among those that are
 * restored: somebody has removed them, or cut the file. out: their shard.
 */
uint64_t end_missing(struct shard *out, const struct carry *carry, const struct recovery *recovery,
		     const struct restored *restored);
void restored_fini(struct restored *restored);

#endif /* JOURNAL_RESTORE_H */
