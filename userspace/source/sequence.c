/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sequence - finds the records that are missing, and where. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sequence.h"

#define PATIENCE_NS \
	100000000u /* a preempted task hands its record over within this, nearly always */
#define LIFETIME_NS 10000000000u /* after this a hole is told as far as the drops bear it out */
#define KIND_BITS   12           /* of a slot's name; the CPU has the 20 above */
#define HOLES       64           /* at once, per CPU and kind; more run together into the oldest */

struct hole {
	uint64_t first;
	uint64_t count;
	uint64_t from_ns;
	uint64_t to_ns;
};

struct slot {
	uint64_t next; /* the number that should come */
	uint64_t last_ns;
	uint64_t told; /* lost records that a gap has reported */
	size_t hole_count;
	struct hole holes[HOLES];
};

/* A slot as it is kept. Both sizes may grow at their tails. */
struct kept_slot {
	uint64_t set;
	uint64_t next;
	uint64_t last_ns;
	uint64_t told;
	uint16_t head_bytes;
	uint16_t hole_bytes;
	uint32_t hole_count;
	struct hole holes[HOLES]; /* as many as there are */
};
#define KEPT_HEAD offsetof(struct kept_slot, holes)

struct sequences {
	unsigned int cpus;
	unsigned int kinds;
	size_t open;         /* holes, in all slots */
	bool *changed;       /* since the last keep; apart, so that looking for them is cheap */
	struct slot slots[]; /* cpus * kinds */
};

int
sequences_new(struct sequences **out, unsigned int cpus, unsigned int kinds)
{
	size_t slots = (size_t)cpus * kinds;
	struct sequences *made = calloc(1, sizeof(*made) + slots * sizeof(struct slot));

	if (!made)
		return -ENOMEM;
	made->changed = calloc(slots, sizeof(*made->changed));
	if (!made->changed) {
		free(made);
		return -ENOMEM;
	}
	made->cpus = cpus;
	made->kinds = kinds;
	*out = made;
	return 0;
}

void
sequences_free(struct sequences *sequences)
{
	if (sequences)
		free(sequences->changed);
	free(sequences);
}

static void
open_hole(struct slot *slot, uint64_t end, uint64_t now_ns)
{
	struct hole *hole;

	if (slot->hole_count == HOLES) {
		hole = &slot->holes[HOLES - 1];
		hole->count += end - slot->next;
		hole->to_ns = now_ns;
		return;
	}
	hole = &slot->holes[slot->hole_count++];
	*hole = (struct hole){.first = slot->next,
			      .count = end - slot->next,
			      .from_ns = slot->last_ns,
			      .to_ns = now_ns};
}

static void
remove_hole(struct slot *slot, size_t i)
{
	slot->hole_count--;
	memmove(&slot->holes[i], &slot->holes[i + 1],
		(slot->hole_count - i) * sizeof(slot->holes[0]));
}

/* A number that was missed has come late: its hole shrinks, or is cut in two. */
static void
fill(struct slot *slot, uint64_t number)
{
	for (size_t i = 0; i < slot->hole_count; i++) {
		struct hole *hole = &slot->holes[i];

		if (number < hole->first || number >= hole->first + hole->count)
			continue;
		if (number == hole->first) {
			hole->first++;
		} else if (number != hole->first + hole->count - 1 && slot->hole_count < HOLES) {
			struct hole upper = *hole;

			upper.first = number + 1;
			upper.count = hole->first + hole->count - upper.first;
			slot->holes[slot->hole_count++] = upper;
			hole->count -= upper.count;
		}
		if (--hole->count == 0)
			remove_hole(slot, i);
		return;
	}
}

static void
note(struct slot *slot, const struct wire_head *head)
{
	if (head->sequence < slot->next) {
		fill(slot, head->sequence);
		return;
	}
	if (head->sequence > slot->next)
		open_hole(slot, head->sequence, head->time_ns);
	slot->next = head->sequence + 1;
	slot->last_ns = head->time_ns;
}

void
sequence_note(struct sequences *sequences, const struct wire_head *head)
{
	size_t i = (size_t)head->cpu * sequences->kinds + head->kind, before;

	if (head->cpu >= sequences->cpus || head->kind >= sequences->kinds)
		return;
	before = sequences->slots[i].hole_count;
	note(&sequences->slots[i], head);
	sequences->open += sequences->slots[i].hole_count - before;
	sequences->changed[i] = true;
}

static void
yield(unsigned int cpu, unsigned int kind, const struct hole *hole, uint64_t now_ns, record_fn fn,
      void *arg)
{
	struct wire_gap gap = {
		.head = {.kind = WIRE_GAP, .size = sizeof(gap), .cpu = cpu, .time_ns = now_ns},
		.loss = WIRE_LOSS_RING,
		.missing_kind = kind,
		.count = hole->count,
		.first_sequence = hole->first,
		.from_ns = hole->from_ns,
		.to_ns = hole->to_ns,
	};

	fn(&gap.head, arg);
}

/* Holes that ran together, or were filled out of sight, are larger than what was lost. */
static uint64_t
lost_in(const struct slot *slot, const struct hole *hole, uint64_t dropped)
{
	uint64_t untold = dropped - slot->told;

	return hole->count < untold ? hole->count : untold;
}

static void
tell_holes(struct slot *slot, unsigned int cpu, unsigned int kind, uint64_t dropped, bool flush,
	   uint64_t now_ns, record_fn fn, void *arg)
{
	for (size_t i = 0; i < slot->hole_count;) {
		struct hole *hole = &slot->holes[i];
		bool certain =
			now_ns >= hole->to_ns + PATIENCE_NS && slot->told + hole->count <= dropped;

		if (!certain && !flush && now_ns < hole->to_ns + LIFETIME_NS) {
			i++;
			continue;
		}
		hole->count = lost_in(slot, hole, dropped);
		slot->told += hole->count;
		if (hole->count)
			yield(cpu, kind, hole, now_ns, fn, arg);
		remove_hole(slot, i);
	}
}

/* At the end, what dropped without a hole to show for it is told without a place. */
static void
tell_rest(struct slot *slot, unsigned int cpu, unsigned int kind, uint64_t dropped, uint64_t now_ns,
	  record_fn fn, void *arg)
{
	const struct hole rest = {.count = dropped - slot->told, .to_ns = now_ns};

	if (!rest.count)
		return;
	slot->told = dropped;
	yield(cpu, kind, &rest, now_ns, fn, arg);
}

/* Of one slot. True when something was told or given up. */
static bool
tell_slot(struct slot *slot, unsigned int cpu, unsigned int kind, struct slot_counts said,
	  bool flush, uint64_t now_ns, record_fn fn, void *arg)
{
	size_t holes = slot->hole_count;
	uint64_t told = slot->told, next = slot->next;

	if (flush && said.issued > slot->next) {
		open_hole(slot, said.issued, now_ns);
		slot->next = said.issued;
	}
	tell_holes(slot, cpu, kind, said.dropped, flush, now_ns, fn, arg);
	if (flush)
		tell_rest(slot, cpu, kind, said.dropped, now_ns, fn, arg);
	return slot->hole_count != holes || slot->told != told || slot->next != next;
}

void
sequence_gaps(struct sequences *sequences, bool flush, uint64_t now_ns, slot_counts_fn counts,
	      void *counts_arg, record_fn fn, void *arg)
{
	if (!sequences->open && !flush)
		return;
	for (unsigned int i = 0; i < sequences->cpus * sequences->kinds; i++) {
		struct slot *slot = &sequences->slots[i];
		unsigned int cpu = i / sequences->kinds, kind = i % sequences->kinds;
		size_t before = slot->hole_count;

		if (!slot->hole_count && !flush)
			continue;
		if (tell_slot(slot, cpu, kind, counts(cpu, kind, counts_arg), flush, now_ns, fn,
			      arg))
			sequences->changed[i] = true;
		sequences->open += slot->hole_count - before;
	}
}

void
sequences_skip(struct sequences *sequences, uint64_t now_ns, slot_counts_fn counts,
	       void *counts_arg)
{
	for (unsigned int i = 0; i < sequences->cpus * sequences->kinds; i++) {
		struct slot_counts said =
			counts(i / sequences->kinds, i % sequences->kinds, counts_arg);

		if (!said.issued)
			continue;
		sequences->open -= sequences->slots[i].hole_count;
		sequences->slots[i] =
			(struct slot){.next = said.issued, .last_ns = now_ns, .told = said.dropped};
		sequences->changed[i] = true;
	}
}

static uint64_t
missing_in(const struct slot *slot)
{
	uint64_t missing = 0;

	for (size_t i = 0; i < slot->hole_count; i++)
		missing += slot->holes[i].count;
	return missing;
}

/* At most what is missing was dropped: when all of it was, so was what comes last. */
void
sequence_ends(struct sequences *sequences, uint64_t now_ns, slot_counts_fn counts, void *counts_arg)
{
	for (unsigned int i = 0; i < sequences->cpus * sequences->kinds; i++) {
		struct slot *slot = &sequences->slots[i];
		struct slot_counts said =
			counts(i / sequences->kinds, i % sequences->kinds, counts_arg);
		size_t before = slot->hole_count;

		if (said.issued <= slot->next ||
		    said.dropped - slot->told != missing_in(slot) + said.issued - slot->next)
			continue;
		open_hole(slot, said.issued, now_ns);
		slot->next = said.issued;
		sequences->open += slot->hole_count - before;
		sequences->changed[i] = true;
	}
}

/* The name of a slot, the same whatever number of kinds a build knows. */
static uint64_t
slot_id(const struct sequences *sequences, uint64_t set, unsigned int i)
{
	return set << 32 | (uint64_t)(i / sequences->kinds) << KIND_BITS | i % sequences->kinds;
}

static size_t
write_slot(struct kept_slot *kept, uint64_t set, const struct slot *slot)
{
	size_t bytes = slot->hole_count * sizeof(struct hole);

	kept->set = set;
	kept->next = slot->next;
	kept->last_ns = slot->last_ns;
	kept->told = slot->told;
	kept->head_bytes = KEPT_HEAD;
	kept->hole_bytes = sizeof(struct hole);
	kept->hole_count = (uint32_t)slot->hole_count;
	memcpy(kept->holes, slot->holes, bytes);
	return KEPT_HEAD + bytes;
}

void
sequences_keep(struct sequences *sequences, uint64_t set, slot_fn fn, void *arg)
{
	struct kept_slot kept;

	for (unsigned int i = 0; i < sequences->cpus * sequences->kinds; i++) {
		if (!sequences->changed[i])
			continue;
		fn(slot_id(sequences, set, i), &kept, write_slot(&kept, set, &sequences->slots[i]),
		   arg);
		sequences->changed[i] = false;
	}
}

void
sequences_names(const struct sequences *sequences, uint64_t set, slot_fn fn, void *arg)
{
	for (unsigned int i = 0; i < sequences->cpus * sequences->kinds; i++)
		fn(slot_id(sequences, set, i), NULL, 0, arg);
}

/* Bytes of another build: the head of what both know, then holes of the same kind. */
static int
read_slot(struct slot *slot, uint64_t set, const unsigned char *bytes, size_t length)
{
	struct kept_slot kept = {0};

	if (length < KEPT_HEAD)
		return -EBADMSG;
	memcpy(&kept, bytes, KEPT_HEAD);
	if (kept.set != set)
		return -ESTALE;
	if (kept.head_bytes < KEPT_HEAD || kept.hole_bytes < sizeof(struct hole) ||
	    kept.hole_count > HOLES ||
	    length != kept.head_bytes + (size_t)kept.hole_count * kept.hole_bytes)
		return -EBADMSG;
	*slot = (struct slot){.next = kept.next,
			      .last_ns = kept.last_ns,
			      .told = kept.told,
			      .hole_count = kept.hole_count};
	for (size_t i = 0; i < kept.hole_count; i++)
		memcpy(&slot->holes[i], bytes + kept.head_bytes + i * kept.hole_bytes,
		       sizeof(slot->holes[i]));
	return 0;
}

int
sequences_restore(struct sequences *sequences, uint64_t set, uint64_t id, const void *bytes,
		  size_t length)
{
	unsigned int cpu = (uint32_t)id >> KIND_BITS, kind = id & ((1u << KIND_BITS) - 1);
	struct slot *slot = &sequences->slots[(size_t)cpu * sequences->kinds + kind];
	int result;

	if (cpu >= sequences->cpus || kind >= sequences->kinds)
		return -ERANGE;
	sequences->open -= slot->hole_count;
	result = read_slot(slot, set, bytes, length);
	sequences->open += slot->hole_count;
	return result;
}
