/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* journal.c - admission: who gets in, under which number, in which batch. The loop's side. */
#include "journal_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "folder.h"
#include "restore.h"
#include "store.h"

#define STAGING_BYTES ((size_t)64 * 1024 * 1024)
#define SEGMENT_BYTES ((size_t)64 * 1024 * 1024)
#define SYNC_MS       50
#define CLOSE_MS      10000
#define STANDALONE    "standalone"

/* Opening
 * -------
 */

static void
name_shard(struct journal *journal)
{
	char name[SHARD_TEXT];

	snprintf(journal->log_name, sizeof(journal->log_name), "%s/%s/%s", journal->cluster,
		 journal->node, shard_format(&journal->shard, name));
}

static int
recover(struct journal *journal, const char *directory, struct error *why)
{
	struct recovery *recovery = &journal->recovery;
	int error = journal_recover(recovery, directory, journal->cluster, journal->node, why);

	if (error)
		return error;
	if (!recovery->found)
		return 0;
	journal->has_shard = true;
	journal->shard = recovery->shard;
	journal->sequence = recovery->next_sequence;
	name_shard(journal);
	log_info("journal", "%s goes on at entry %" PRIu64, journal->log_name, journal->sequence);
	return 0;
}

static int
start_store(struct journal *journal, const struct journal_options *options, uint64_t acknowledged,
	    struct error *why)
{
	struct store_options settings = {
		.acknowledged = acknowledged,
		.directory = options->directory,
		.cluster = journal->cluster,
		.node = journal->node,
		.segment_bytes = options->segment_bytes ? options->segment_bytes : SEGMENT_BYTES,
		.sync_ms = options->sync_ms ? options->sync_ms : SYNC_MS,
		.close_ms = options->close_ms ? options->close_ms : CLOSE_MS,
		.quota_bytes = options->quota_bytes,
		.age_days = options->age_days,
		.compress = options->compress,
	};

	return store_open(&journal->store, &settings, &journal->recovery, why);
}

/* What only the carry has goes to the disk before anything else, under its old numbers. */
static void
take_over(struct journal *journal, struct restored *restored)
{
	struct batch *batch;

	journal->ticket = restored->ticket;
	journal->began_at = restored->acknowledged;
	journal->restored = restored->entries;
	journal->unrestored = restored->lost;
	while ((batch = queue_pop(&restored->missing))) {
		journal->has_shard = true;
		journal->shard = batch->shard;
		journal->sequence = batch->first_sequence + batch->count;
		journal->staged += batch->bytes.length;
		buf_add(&journal->carried, &batch->last_ticket, sizeof(batch->last_ticket));
		name_shard(journal);
		store_hand_over(journal->store, batch);
	}
}

/* Numbers of what is gone are not given again: another incarnation of the shard begins. */
static void
leave_behind(struct journal *journal, const struct shard *shard, uint64_t gone)
{
	journal->gone = gone;
	if (!gone)
		return;
	log_error("journal",
		  "%" PRIu64 " entries that were written are gone: somebody removed them, or cut "
		  "the file",
		  gone);
	if (journal->has_shard && shard_compare(&journal->shard, shard) > 0)
		return;
	journal->has_shard = true;
	journal->shard = *shard;
	journal->shard.incarnation++;
	journal->shard_ticket = journal->ticket + 1;
	journal->sequence = 0;
	name_shard(journal);
}

static int
start(struct journal *journal, const struct journal_options *options, struct error *why)
{
	struct restored restored cleanup(restored_fini) = {0};
	struct shard shard = {0};
	char prefix[SEGMENT_LOG_NAME];
	uint64_t gone = 0;
	int error = 0;

	snprintf(prefix, sizeof(prefix), "%s/%s/", journal->cluster, journal->node);
	if (journal->carry)
		error = restore_batches(&restored, journal->carry, &journal->recovery, prefix);
	if (error)
		return error_set(why, error, "cannot restore what is carried: %s",
				 strerror(-error));
	if (journal->carry)
		gone = end_missing(&shard, journal->carry, &journal->recovery, &restored);
	error = start_store(journal, options, restored.acknowledged, why);
	if (error)
		return error;
	take_over(journal, &restored);
	leave_behind(journal, &shard, gone);
	return 0;
}

static void
free_journal(struct journal *journal)
{
	struct batch *batch;

	if (!journal)
		return;
	while ((batch = queue_pop(&journal->sealed)))
		batch_free(batch);
	buf_fini(&journal->carried);
	if (journal->lock_fd >= 0)
		close(journal->lock_fd);
	free(journal);
}

DEFINE_DROP(struct journal *, journal, free_journal)

int
journal_open(struct journal **out, const struct journal_options *options, struct error *why)
{
	struct journal *journal cleanup(journal_drop) = calloc(1, sizeof(*journal));
	int error;

	if (!journal)
		return error_set(why, -ENOMEM, "out of memory");
	journal->lock_fd = -1;
	journal->carry = options->carry;
	journal->quota_bytes = options->quota_bytes;
	journal->reserve_bytes = options->reserve_bytes < options->quota_bytes / 2
					 ? options->reserve_bytes
					 : options->quota_bytes / 2;
	journal->random_used = sizeof(journal->random);
	journal->staging_bytes = options->staging_bytes ? options->staging_bytes : STAGING_BYTES;
	error = name_take(journal->cluster, sizeof(journal->cluster),
			  options->cluster ? options->cluster : STANDALONE, "cluster", why);
	if (!error)
		error = name_take(journal->node, sizeof(journal->node), options->node, "node", why);
	if (!error)
		error = folder_make(options->directory, why);
	if (!error)
		error = folder_lock(&journal->lock_fd, options->directory, why);
	if (!error)
		error = recover(journal, options->directory, why);
	if (!error)
		error = start(journal, options, why);
	if (!error)
		*out = take(journal);
	return error;
}

/* Synced entries need not be carried: not even a power cut takes them back. */
static void
drop_carried(struct journal *journal, uint64_t acknowledged)
{
	struct buf *carried = &journal->carried;
	uint64_t ticket;

	while (journal->carried_at < carried->length) {
		memcpy(&ticket, carried->data + journal->carried_at, sizeof(ticket));
		if (ticket > acknowledged)
			return;
		carry_drop(journal->carry, CARRY_BATCH, ticket);
		journal->carried_at += sizeof(ticket);
	}
	journal->carried_at = 0;
	buf_clear(carried);
}

uint64_t
journal_close(struct journal *journal)
{
	struct journal_state state;

	if (!journal)
		return 0;
	journal_commit(journal);
	if (!store_close(journal->store, &state)) {
		log_error("journal",
			  "the disk does not answer; not known to be stored: %" PRIu64 " entries",
			  journal->ticket - state.acknowledged);
		journal->lock_fd = -1; /* the thread may write yet: the lock stays to the end */
	} else if (state.acknowledged < journal->ticket) {
		log_error("journal", "not stored: %" PRIu64 " entries: %s",
			  journal->ticket - state.acknowledged, strerror(state.failing));
	}
	drop_carried(journal, state.acknowledged);
	free_journal(journal);
	return state.acknowledged;
}

/* Admission
 * ---------
 */

static int
make_uid(struct journal *journal)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *bytes;
	ssize_t got;
	size_t i;

	if (journal->random_used == sizeof(journal->random)) {
		do
			got = getrandom(journal->random, sizeof(journal->random), 0);
		while (got < 0 && errno == EINTR);
		if (got != (ssize_t)sizeof(journal->random))
			return -EIO;
		journal->random_used = 0;
	}
	bytes = journal->random + journal->random_used;
	for (i = 0; i < UID_BYTES; i++) {
		journal->uid[2 * i] = digits[bytes[i] >> 4];
		journal->uid[2 * i + 1] = digits[bytes[i] & 15];
	}
	journal->random_used += UID_BYTES;
	return 0;
}

/* No entry is added to the open batch any more. */
static void
seal(struct journal *journal)
{
	if (journal->open && journal->open->count)
		queue_put(&journal->sealed, take(journal->open));
}

/* Forward only: a clock that steps back stays in the shard that is open. */
static void
roll(struct journal *journal, int64_t now_ms)
{
	struct shard today = shard_of(now_ms);

	if (journal->has_shard && today.day <= journal->shard.day)
		return;
	seal(journal);
	journal->has_shard = true;
	journal->shard = today;
	journal->shard_ticket = journal->ticket + 1;
	journal->sequence = 0;
	name_shard(journal);
}

static bool
has_room(const struct journal *journal, enum journal_class class)
{
	uint64_t waiting = journal->staged - store_released(journal->store);
	size_t limit = journal->staging_bytes;

	return waiting < (class == JOURNAL_BULK ? limit / 4 * 3 : limit);
}

/* Nothing goes that has a number in the current shard: that takes the quota at most. */
static bool
has_quota(const struct journal *journal, enum journal_class class, int64_t now_ms)
{
	uint64_t waiting = journal->staged - store_released(journal->store);
	uint64_t limit = journal->quota_bytes;

	if (!limit || !journal->has_shard || shard_of(now_ms).day > journal->shard.day)
		return true;
	if (class == JOURNAL_BULK)
		limit -= journal->reserve_bytes;
	return store_shard_bytes(journal->store, journal->shard_ticket) + waiting < limit;
}

/* The open batch, with room for the frame's header. */
static bool
begin_frame(struct journal *journal)
{
	struct batch *batch = journal->open;

	if (!batch) {
		if (!(batch = store_batch(journal->store)))
			return false;
		batch->shard = journal->shard;
		batch->first_sequence = journal->sequence;
		journal->open = batch;
	}
	journal->entry_at = batch->bytes.length;
	if (!buf_reserve(&batch->bytes, frame_size(1024))) {
		batch->bytes.failed = false;
		return false;
	}
	batch->bytes.length += sizeof(struct frame_header);
	return true;
}

/* Take back the frame begun. */
static void
drop_frame(struct journal *journal)
{
	journal->open->bytes.length = journal->entry_at;
	journal->open->bytes.failed = false;
	journal->is_admitted = false;
}

int
journal_admit(struct journal *journal, enum journal_class class, int64_t now_ms,
	      struct event_stamp *stamp)
{
	bool is_full = !has_quota(journal, class, now_ms);

	if (journal->is_admitted)
		drop_frame(journal);
	journal->refused_quota[class] += is_full;
	if (is_full || !has_room(journal, class)) {
		journal->refused[class]++;
		return is_full ? -EDQUOT : -EAGAIN;
	}
	roll(journal, now_ms);
	if (make_uid(journal) < 0 || !begin_frame(journal)) {
		journal->refused[class]++;
		return -EAGAIN;
	}
	journal->is_admitted = true;
	journal->head = (struct frame_header){
		.sequence = journal->sequence, .logged_ms = now_ms, .class = class};
	stamp->uid = journal->uid;
	stamp->sequence = journal->sequence;
	stamp->log_name = journal->log_name;
	stamp->logged_ms = now_ms;
	return 0;
}

struct buf *
journal_bytes(struct journal *journal)
{
	return &journal->open->bytes;
}

static bool
pad_frame(struct journal *journal, size_t length)
{
	static const char zeroes[8];
	struct buf *bytes = &journal->open->bytes;

	buf_add(bytes, zeroes, frame_size((uint32_t)length) - sizeof(journal->head) - length);
	return !bytes->failed;
}

uint64_t
journal_add(struct journal *journal)
{
	struct batch *batch = journal->open;
	enum journal_class class = journal->head.class;
	size_t length;

	if (!journal->is_admitted)
		return 0;
	length = batch->bytes.length - journal->entry_at - sizeof(journal->head);
	if (batch->bytes.failed || length == 0 || length > JOURNAL_ENTRY_BYTES ||
	    !pad_frame(journal, length)) {
		journal->too_long += length > JOURNAL_ENTRY_BYTES;
		journal->refused[class]++;
		drop_frame(journal);
		return 0;
	}
	journal->head.length = (uint32_t)length;
	memcpy(batch->bytes.data + journal->entry_at, &journal->head, sizeof(journal->head));
	batch->count++;
	batch->last_ticket = ++journal->ticket;
	batch->critical |= class == JOURNAL_CRITICAL;
	journal->staged += frame_size((uint32_t)length);
	journal->sequence++;
	journal->admitted++;
	journal->is_admitted = false;
	return journal->ticket;
}

static void
keep_end(struct journal *journal)
{
	if (!journal->has_shard || (journal->kept_sequence == journal->sequence &&
				    !shard_compare(&journal->kept_shard, &journal->shard)))
		return;
	end_keep(journal->carry, &journal->shard, journal->sequence);
	journal->kept_shard = journal->shard;
	journal->kept_sequence = journal->sequence;
}

void
journal_keep(struct journal *journal)
{
	char name[SHARD_TEXT], log_name[SEGMENT_LOG_NAME];
	struct batch *batch;

	if (journal->is_admitted)
		drop_frame(journal);
	seal(journal);
	if (!journal->carry)
		return;
	drop_carried(journal, store_acknowledged(journal->store));
	keep_end(journal);
	for (batch = journal->sealed.head; batch; batch = batch->next) {
		if (batch->kept)
			continue;
		snprintf(log_name, sizeof(log_name), "%s/%s/%s", journal->cluster, journal->node,
			 shard_format(&batch->shard, name));
		batch_keep(journal->carry, batch, log_name);
		batch->kept = true;
		buf_add(&journal->carried, &batch->last_ticket, sizeof(batch->last_ticket));
	}
}

void
journal_commit(struct journal *journal)
{
	struct batch *batch;

	if (journal->is_admitted)
		drop_frame(journal);
	seal(journal);
	while ((batch = queue_pop(&journal->sealed)))
		store_hand_over(journal->store, batch);
}

size_t
journal_open_bytes(const struct journal *journal)
{
	return journal->open ? journal->open->bytes.length : 0;
}
