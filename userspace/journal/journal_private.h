/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* journal_private.h - what the loop's side keeps between calls; for journal.c and journal_state.c.
 */
#ifndef JOURNAL_PRIVATE_H
#define JOURNAL_PRIVATE_H

#include "journal.h"

#include "base/buf.h"
#include "batch.h"
#include "recover.h"
#include "segment.h"
#include "shard.h"

#define UID_BYTES 16
#define UID_TEXT  (2 * UID_BYTES + 1)

struct journal {
	struct store *store;
	int lock_fd;
	char cluster[SEGMENT_CLUSTER];
	char node[SEGMENT_NODE];
	char log_name[SEGMENT_LOG_NAME];
	char uid[UID_TEXT];

	bool has_shard;
	struct shard shard;
	uint64_t sequence; /* of the next entry */

	struct carry *carry;
	struct buf carried;  /* last tickets of the batches in it, by order */
	size_t carried_at;   /* bytes of it that are done with */
	struct queue sealed; /* whole batches, which the store has not got yet */
	struct batch *open;
	size_t entry_at; /* where the entry being written begins in the open batch */
	bool is_admitted;
	struct frame_header head;

	size_t staging_bytes;
	uint64_t staged; /* bytes ever added; minus the store's released: waiting */
	uint64_t ticket;
	uint64_t admitted;
	uint64_t refused[2]; /* by class */
	uint64_t refused_quota[2];
	uint64_t quota_bytes;
	uint64_t reserve_bytes;
	uint64_t shard_ticket; /* the first in the shard, when that began in this run */
	uint64_t too_long;
	struct recovery recovery;
	uint64_t began_at; /* the ticket before this journal's first */
	uint64_t restored;
	uint64_t unrestored;
	uint64_t gone;
	struct shard kept_shard; /* what the carry knows of the next number */
	uint64_t kept_sequence;

	unsigned char random[64 * UID_BYTES];
	size_t random_used;
};

#endif
