/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sequence - finds the records that are missing, and where. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sequence.h"

#define PATIENCE_NS \
	100000000u /* a preempted task hands its record over within this, nearly always */
#define LIFETIME_NS 10000000000u /* after this a hole is told as far as the drops bear it out */
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

struct sequences {
	unsigned int cpus;
	struct slot slots[]; /* cpus * WIRE_KIND_MAX */
};

int
sequences_new(struct sequences **out, unsigned int cpus)
{
	struct sequences *made =
		calloc(1, sizeof(*made) + cpus * WIRE_KIND_MAX * sizeof(struct slot));

	if (!made)
		return -ENOMEM;
	made->cpus = cpus;
	*out = made;
	return 0;
}

void
sequences_free(struct sequences *sequences)
{
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

void
sequence_note(struct sequences *sequences, const struct wire_head *head)
{
	struct slot *slot;

	if (head->cpu >= sequences->cpus || head->kind >= WIRE_KIND_MAX)
		return;
	slot = &sequences->slots[head->cpu * WIRE_KIND_MAX + head->kind];
	if (head->sequence < slot->next) {
		fill(slot, head->sequence);
		return;
	}
	if (head->sequence > slot->next)
		open_hole(slot, head->sequence, head->time_ns);
	slot->next = head->sequence + 1;
	slot->last_ns = head->time_ns;
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

void
sequence_gaps(struct sequences *sequences, bool flush, uint64_t now_ns, slot_counts_fn counts,
	      void *counts_arg, record_fn fn, void *arg)
{
	for (unsigned int i = 0; i < sequences->cpus * WIRE_KIND_MAX; i++) {
		struct slot *slot = &sequences->slots[i];
		unsigned int cpu = i / WIRE_KIND_MAX, kind = i % WIRE_KIND_MAX;
		struct slot_counts said;

		if (!slot->hole_count && !flush)
			continue;
		said = counts(cpu, kind, counts_arg);
		if (flush && said.issued > slot->next) {
			open_hole(slot, said.issued, now_ns);
			slot->next = said.issued;
		}
		tell_holes(slot, cpu, kind, said.dropped, flush, now_ns, fn, arg);
		if (flush)
			tell_rest(slot, cpu, kind, said.dropped, now_ns, fn, arg);
	}
}
