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

int sequences_new(struct sequences **out, unsigned int cpus);
void sequences_free(struct sequences *sequences);

void sequence_note(struct sequences *sequences, const struct wire_head *head);

/* What the kernel's counters say of one kind on one CPU. */
struct slot_counts {
	uint64_t issued;  /* numbers given */
	uint64_t dropped; /* of these, without a record */
};
typedef struct slot_counts (*slot_counts_fn)(unsigned int cpu, unsigned int kind, void *arg);

/*
 * End a drain that emptied the rings: yield a WIRE_GAP record for every hole that
 * is 100 ms old and that the drops account for; with flush, also for a hole at the very
 * end. So the gaps' counts add up to the drops.
 */
void sequence_gaps(struct sequences *sequences, bool flush, uint64_t now_ns, slot_counts_fn counts,
		   void *counts_arg, record_fn fn, void *arg);

#endif /* SEQUENCE_H */
