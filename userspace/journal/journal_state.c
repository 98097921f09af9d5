/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* journal_state.c - what the journal tells of itself. */
#include "journal_private.h"
#include "store.h"

int
journal_fd(const struct journal *journal)
{
	return store_fd(journal->store);
}

uint64_t
journal_acknowledged(struct journal *journal)
{
	return store_acknowledged(journal->store);
}

bool
journal_is_behind(const struct journal *journal)
{
	return journal->staged - store_released(journal->store) > journal->staging_bytes / 2;
}

void
journal_state(const struct journal *journal, struct journal_state *out)
{
	*out = (struct journal_state){
		.admitted = journal->admitted,
		.refused_bulk = journal->refused[JOURNAL_BULK],
		.refused_critical = journal->refused[JOURNAL_CRITICAL],
		.staged_bytes = journal->staged - store_released(journal->store),
		.recovered_entries = journal->recovery.entries,
		.last_logged_ms = journal->recovery.last_logged_ms,
		.cut_bytes = journal->recovery.cut_bytes,
		.damaged = journal->recovery.damaged,
		.too_long = journal->too_long,
		.quota_bulk = journal->refused_quota[JOURNAL_BULK],
		.quota_critical = journal->refused_quota[JOURNAL_CRITICAL],
		.restored = journal->restored,
		.unrestored = journal->unrestored,
		.gone = journal->gone,
		.shard = journal->log_name,
		.next_sequence = journal->sequence,
	};
	store_state(journal->store, out);
	out->waiting = journal->ticket - out->acknowledged;
	out->acknowledged -= journal->began_at; /* so that it compares with admitted */
}
