/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * journal.h - the node's append-only, checksummed, synced store of entries.
 *
 * One shard per node and UTC day, named <cluster>/<node>/<YYYY-MM-DD>; entries
 * of a shard are numbered from 0 without a gap. The loop admits an entry (which
 * gives it its number), writes its bytes, and commits a batch; one storage
 * thread writes, syncs and answers through an eventfd. Nothing is published
 * before it is acknowledged. Nothing blocks the loop: when the storage thread
 * falls behind, bulk entries are refused at admission, before they get a
 * number, and the caller counts them; critical entries have a reserve. So it is
 * with the quota when the current shard fills it: nothing numbered is taken back.
 *
 *	if (journal_admit(journal, JOURNAL_BULK, now_ms, &stamp) < 0)
 *		shed++;
 *	event_write(journal_bytes(journal), event, &stamp, privacy);
 *	ticket = journal_add(journal);
 *	...
 *	journal_keep(journal);			once a turn, before carry_commit()
 *	journal_commit(journal);		after it
 *	journal_acknowledged(journal)		when journal_fd() is readable
 *
 * What was admitted and is not synced yet is carried, so that kill -9 loses no
 * entry that was given its number: the next journal_open() appends, byte for byte,
 * what the recovered shards lack.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "event.h"

struct journal;
struct carry;

#define JOURNAL_ENTRY_BYTES 16384 /* longest entry */

enum journal_class { JOURNAL_BULK, JOURNAL_CRITICAL };

struct journal_options {
	const char *directory; /* created with mode 0700 */
	const char *cluster;   /* NULL: "standalone" */
	const char *node;
	size_t staging_bytes;  /* waiting for the storage thread, at most; 0: 64 MiB. A quarter is
				  the reserve */
	size_t segment_bytes;  /* a new file beyond this; 0: 64 MiB */
	unsigned int sync_ms;  /* bulk is synced within this; 0: 50 */
	unsigned int close_ms; /* journal_close() waits for the disk at most this long; 0: 10000 */
	uint64_t quota_bytes; /* of all shards on disk; oldest whole shards go first; 0: no limit */
	uint64_t reserve_bytes; /* of it, for critical entries only; half of it at most */
	uint64_t age_days;      /* shards that are older than the newest by more go; 0: none */
	bool compress;          /* segments that are not written any more */
	struct carry *carry; /* NULL: a killed process loses what waits. Must outlive the journal */
};

/*
 * Opens, recovers what a crash left (cuts a torn tail, says how much in the log),
 * starts the thread. -EBUSY: another process has this journal open.
 */
int journal_open(struct journal **out, const struct journal_options *options, struct error *why);
/*
 * Writes and syncs what was admitted, joins the thread; says in the log what could
 * not be saved. Returns the highest ticket that is on disk: publish no other.
 */
uint64_t journal_close(struct journal *journal);

/*
 * Fills uid, sequence, log_name, logged_ms of the stamp. -EAGAIN: the disk is behind, no room for
 * this class; -EDQUOT: the quota has none. Pair with journal_add().
 */
int journal_admit(struct journal *journal, enum journal_class class, int64_t now_ms,
		  struct event_stamp *stamp);
/* Where the admitted entry's bytes go: append only. */
struct buf *journal_bytes(struct journal *journal);
/*
 * Ends the entry. Returns its ticket: tickets count up, from 1 or behind those that
 * are carried. 0: the entry is empty, longer than JOURNAL_ENTRY_BYTES, or
 * memory ran out; it is counted as refused and the next entry gets its number.
 */
uint64_t journal_add(struct journal *journal);

/* Put what was admitted since into the carry, and drop what is on disk from it. */
void journal_keep(struct journal *journal);
/* Hand all that was admitted over. Never blocks. */
void journal_commit(struct journal *journal);

/* More than half of staging_bytes waits for the disk: what can wait should. */
bool journal_is_behind(const struct journal *journal);

/* Bytes of the entries that no journal_commit() has handed over yet. */
size_t journal_open_bytes(const struct journal *journal);

int journal_fd(const struct journal *journal);
/* Highest ticket that is on disk; clears the eventfd. */
uint64_t journal_acknowledged(struct journal *journal);

struct journal_state {
	uint64_t admitted;
	uint64_t refused_bulk;
	uint64_t refused_critical;
	uint64_t acknowledged;
	uint64_t waiting; /* numbered, or restored at open, and not on disk yet */
	uint64_t staged_bytes;
	uint64_t written_bytes;
	uint64_t syncs;
	uint64_t slowest_sync_ns;
	uint64_t sync_errors;
	uint64_t recovered_entries; /* found at open */
	int64_t last_logged_ms;     /* of the newest entry found at open; 0: there was none */
	uint64_t cut_bytes;         /* torn tail removed at open */
	const char *shard;          /* metadata.log_name; "" before the first entry */
	uint64_t next_sequence;     /* of the next entry in it */
	uint64_t quota_bulk;        /* of refused_bulk: the current shard fills the quota */
	uint64_t quota_critical;    /* of refused_critical, likewise */
	uint64_t too_long;          /* entries over JOURNAL_ENTRY_BYTES; counted in refused_* too */
	uint64_t write_errors;      /* failed writes and creations; sync_errors are apart */
	int failing;             /* errno while the disk refuses, else 0; retried until it takes */
	uint64_t disk_bytes;     /* of all shards */
	uint64_t expired_shards; /* removed because of quota_bytes or age_days */
	uint64_t compressed;     /* segments, since the start */
	uint64_t damaged;        /* places in the newest segment found damaged at open */
	uint64_t restored;       /* entries that only the carry had at open */
	uint64_t unrestored;     /* of these: of another node or cluster, or damaged: lost */
	uint64_t gone;           /* that were written before, and are on the disk no more at open */
};
void journal_state(const struct journal *journal, struct journal_state *out);

/*
 * Reading: a directory (all shards in order), one shard's folder, or one segment
 * file. Checks every checksum. next() gives bytes valid until the next call; 0 at
 * the end, 1 for an entry, -EBADMSG with file and offset in why when something is
 * damaged or missing; the call after that goes on behind the damage. A directory
 * may be read while it is written: at the end, call again later.
 */
struct journal_reader;
int journal_reader_open(struct journal_reader **out, const char *path, struct error *why);
int journal_reader_next(struct journal_reader *reader, const char **bytes, size_t *length,
			struct error *why);

/* About the entry that next() gave last. */
struct journal_position {
	const char *log_name; /* valid until the next call */
	uint64_t sequence;
	int64_t logged_ms;
	enum journal_class class;
};
void journal_reader_position(const struct journal_reader *reader, struct journal_position *out);
void journal_reader_close(struct journal_reader *reader);

/* What next() passed over when it said -EBADMSG. */
struct journal_lost {
	const char *log_name; /* valid until the next call */
	uint64_t first;
	uint64_t next; /* UINT64_MAX: all that followed in the shard, and shards that went with it;
			  first == next: nothing that is known */
};
void journal_reader_lost(const struct journal_reader *reader, struct journal_lost *out);

/*
 * Of a directory: go on with that entry of that shard, or with what comes first behind
 * it. A shard that is gone is said by next() as lost.
 */
int journal_reader_seek(struct journal_reader *reader, const char *log_name, uint64_t sequence,
			struct error *why);

/* Below 0, 0, above 0: by the days that two shards are of, whoever wrote them. */
int journal_log_compare(const char *a, const char *b);

#endif /* JOURNAL_H */
