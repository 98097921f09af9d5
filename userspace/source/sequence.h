/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sequence.h - finds the records that are missing, and where.
 *
 * Records of one kind on one CPU are numbered without a gap. They may come out
 * of order (programs nest, there are two rings, and a task may be preempted
 * between taking its number and handing its record over), so a missing number is
 * only called lost when the kernel's count of drops bears it out. Pure.
 */
#ifndef SEQUENCE_H
#define SEQUENCE_H

#include "source.h"

struct sequences;

int sequences_new(struct sequences **out, unsigned int cpus, unsigned int kinds);
void sequences_free(struct sequences *sequences);

void sequence_note(struct sequences *sequences, const struct wire_head *head);

/*
 * What the kernel's counters say of one kind on one CPU. They are read in this
 * order, so that a drop is never counted whose number is not.
 */
struct slot_counts {
	uint64_t dropped; /* of the numbers given: without a record */
	uint64_t issued;  /* numbers given */
};
typedef struct slot_counts (*slot_counts_fn)(unsigned int cpu, unsigned int kind, void *arg);

/* Take what was counted so far for told: nobody knows how much of it was. */
void sequences_skip(struct sequences *sequences, uint64_t now_ns, slot_counts_fn counts,
		    void *counts_arg);

/*
 * A hole behind the last record shows only when another record comes. This finds
 * it before: the drops say when nothing but a hole can be there. Rings empty, once
 * in a while.
 */
void sequence_ends(struct sequences *sequences, uint64_t now_ns, slot_counts_fn counts,
		   void *counts_arg);

/*
 * End a drain that emptied the rings: yield a WIRE_GAP record for every hole that
 * is 100 ms old and that the drops account for; with flush, also for a hole at the very
 * end. So the gaps' counts add up to the drops.
 */
void sequence_gaps(struct sequences *sequences, bool flush, uint64_t now_ns, slot_counts_fn counts,
		   void *counts_arg, record_fn fn, void *arg);

/*
 * What is known of one kind on one CPU, as bytes that outlive the process: keep
 * yields what changed since the last keep, restore takes it back. set names the maps
 * that were counted in. Of another set the bytes are of no use: -ESTALE; nor when they
 * are not whole: -EBADMSG; nor for a CPU or kind that there is not: -ERANGE.
 */
typedef void (*slot_fn)(uint64_t id, const void *bytes, size_t length, void *arg);
void sequences_keep(struct sequences *sequences, uint64_t set, slot_fn fn, void *arg);
int sequences_restore(struct sequences *sequences, uint64_t set, uint64_t id, const void *bytes,
		      size_t length);
/* Every id that may have been kept, without bytes: to drop them all. */
void sequences_names(const struct sequences *sequences, uint64_t set, slot_fn fn, void *arg);

#endif /* SEQUENCE_H */
