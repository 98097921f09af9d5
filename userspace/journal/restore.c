/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * restore.c - batches in the carry, and what of them the recovered shards lack.
 *
 *	header, log_name padded with zeros to 8, frames as in a segment but unsealed
 */
#include "restore.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "segment.h"

struct carried {
	uint32_t header_bytes; /* where the log_name begins */
	uint32_t log_name_bytes;
	int64_t day;
	uint32_t incarnation;
	uint32_t critical;
	uint64_t first_sequence;
	uint64_t count;
};

_Static_assert(sizeof(struct carried) == 40, "grow at the tail, then change this number");

static size_t
align(size_t length)
{
	return (length + 7) & ~(size_t)7;
}

void
batch_keep(struct carry *carry, const struct batch *batch, const char *log_name)
{
	struct carried head = {
		.header_bytes = sizeof(head),
		.log_name_bytes = (uint32_t)strlen(log_name),
		.day = batch->shard.day,
		.incarnation = batch->shard.incarnation,
		.critical = batch->critical,
		.first_sequence = batch->first_sequence,
		.count = batch->count,
	};
	size_t name_bytes = align(head.log_name_bytes);
	char *room = carry_place(carry, CARRY_BATCH, batch->last_ticket,
				 sizeof(head) + name_bytes + batch->bytes.length);

	if (!room)
		return;
	room = mempcpy(room, &head, sizeof(head));
	memset(room, 0, name_bytes);
	memcpy(room, log_name, head.log_name_bytes);
	memcpy(room + name_bytes, batch->bytes.data, batch->bytes.length);
}

/*
 * Reading
 * -------
 */

struct restorer {
	struct restored *out;
	const struct recovery *recovery;
	const char *prefix;
	struct buf done; /* tickets of batches that are not needed any more */
	int error;
};

/* A carried batch, checked: its frames fill it exactly and count up. */
struct reading {
	struct carried head;
	const char *log_name;
	const char *frames;
	size_t frames_bytes;
};

static bool
are_frames(const struct reading *reading)
{
	uint64_t sequence = reading->head.first_sequence;
	struct frame_header head;
	size_t at = 0;

	while (reading->frames_bytes - at >= sizeof(head)) {
		memcpy(&head, reading->frames + at, sizeof(head));
		if (head.sequence != sequence++ || head.length == 0 ||
		    head.length > JOURNAL_ENTRY_BYTES ||
		    frame_size(head.length) > reading->frames_bytes - at)
			return false;
		at += frame_size(head.length);
	}
	return at == reading->frames_bytes &&
	       sequence == reading->head.first_sequence + reading->head.count;
}

static bool
read_carried(struct reading *out, const char *bytes, size_t length)
{
	size_t at;

	if (length < sizeof(out->head))
		return false;
	memcpy(&out->head, bytes, sizeof(out->head));
	at = out->head.header_bytes;
	if (at < sizeof(out->head) || at % 8 || at > length ||
	    align(out->head.log_name_bytes) > length - at)
		return false;
	out->log_name = bytes + at;
	at += align(out->head.log_name_bytes);
	out->frames = bytes + at;
	out->frames_bytes = length - at;
	return out->head.count > 0 && are_frames(out);
}

/* How many of its entries, from the first on, the disk has. */
static uint64_t
count_stored(const struct reading *reading, const struct recovery *recovery)
{
	const struct carried *head = &reading->head;
	struct shard shard = {head->day, head->incarnation};
	int order = recovery->found ? shard_compare(&shard, &recovery->left) : 1;

	if (order != 0)
		return order < 0 ? head->count : 0;
	if (recovery->left_sequence <= head->first_sequence)
		return 0;
	if (recovery->left_sequence - head->first_sequence >= head->count)
		return head->count;
	return recovery->left_sequence - head->first_sequence;
}

static struct batch *
make_batch(const struct reading *reading, uint64_t stored, uint64_t ticket)
{
	struct batch *batch = calloc(1, sizeof(*batch));
	struct frame_header head;
	size_t at = 0;

	if (!batch)
		return NULL;
	for (uint64_t i = 0; i < stored; i++) {
		memcpy(&head, reading->frames + at, sizeof(head));
		at += frame_size(head.length);
	}
	*batch = (struct batch){
		.shard = {reading->head.day, reading->head.incarnation},
		.first_sequence = reading->head.first_sequence + stored,
		.count = reading->head.count - stored,
		.last_ticket = ticket,
		.critical = true, /* it has waited long enough */
		.kept = true,
	};
	buf_add(&batch->bytes, reading->frames + at, reading->frames_bytes - at);
	if (!batch->bytes.failed)
		return batch;
	batch_free(batch);
	return NULL;
}

static bool
has_prefix(const struct reading *reading, const char *prefix)
{
	size_t length = strlen(prefix);

	return reading->head.log_name_bytes >= length &&
	       memcmp(reading->log_name, prefix, length) == 0;
}

static void
restore(uint64_t ticket, const void *bytes, size_t length, void *arg)
{
	struct restorer *restorer = arg;
	struct restored *out = restorer->out;
	struct reading reading;
	struct batch *batch;
	uint64_t stored = 0;
	bool is_good = read_carried(&reading, bytes, length);

	out->ticket = ticket;
	if (is_good)
		stored = count_stored(&reading, restorer->recovery);
	if (!is_good || stored == reading.head.count || !has_prefix(&reading, restorer->prefix)) {
		out->lost += is_good ? reading.head.count - stored : 1;
		buf_add(&restorer->done, &ticket, sizeof(ticket));
		return;
	}
	batch = make_batch(&reading, stored, ticket);
	if (!batch) {
		restorer->error = -ENOMEM;
		return;
	}
	if (!out->missing.head)
		out->acknowledged = ticket - batch->count;
	out->entries += batch->count;
	queue_put(&out->missing, batch);
}

int
restore_batches(struct restored *out, struct carry *carry, const struct recovery *recovery,
		const char *prefix)
{
	struct restorer restorer = {.out = out, .recovery = recovery, .prefix = prefix};
	uint64_t ticket;

	*out = (struct restored){0};
	carry_each(carry, CARRY_BATCH, restore, &restorer);
	for (size_t at = 0; at < restorer.done.length; at += sizeof(ticket)) {
		memcpy(&ticket, restorer.done.data + at, sizeof(ticket));
		carry_drop(carry, CARRY_BATCH, ticket);
	}
	buf_fini(&restorer.done);
	if (!out->missing.head)
		out->acknowledged = out->ticket;
	if (out->entries)
		log_info("journal", "%" PRIu64 " entries come from the carry", out->entries);
	if (out->lost)
		log_error("journal",
			  "%" PRIu64 " carried entries are damaged, or of another node or cluster",
			  out->lost);
	return restorer.error;
}

/* Grows at its tail. */
struct carried_end {
	int64_t day;
	uint64_t sequence;
	uint32_t incarnation;
	uint32_t pad;
};

void
end_keep(struct carry *carry, const struct shard *shard, uint64_t sequence)
{
	const struct carried_end end = {
		.day = shard->day, .incarnation = shard->incarnation, .sequence = sequence};

	carry_put(carry, CARRY_END, 0, &end, sizeof(end));
}

uint64_t
end_missing(struct shard *out, const struct carry *carry, const struct recovery *recovery,
	    const struct restored *restored)
{
	struct carried_end end = {0};
	uint64_t found = 0;
	int order;

	if (carry_get(carry, CARRY_END, 0, &end, sizeof(end)) < (long)sizeof(end))
		return 0;
	*out = (struct shard){end.day, end.incarnation};
	order = recovery->found ? shard_compare(out, &recovery->left) : 1;
	if (order < 0)
		return 0;
	if (order == 0)
		found = recovery->left_sequence;
	for (const struct batch *batch = restored->missing.head; batch; batch = batch->next)
		if (!shard_compare(&batch->shard, out))
			found += batch->count;
	found += restored->lost; /* told already */
	return end.sequence > found ? end.sequence - found : 0;
}

void
restored_fini(struct restored *restored)
{
	struct batch *batch;

	while ((batch = queue_pop(&restored->missing)))
		batch_free(batch);
}
