/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sequence.h - finds the records that are missing.
 *
 * Records of one kind on one CPU are numbered without a gap. They may come
 * slightly out of order (programs nest, and there are two rings), so a missing
 * number is only called lost when it is still missing after two whole drains. Pure.
 */
#ifndef SEQUENCE_H
#define SEQUENCE_H

#include "source.h"

struct sequences;

int sequences_new(struct sequences **out, unsigned int cpus);
void sequences_free(struct sequences *sequences);

void sequence_note(struct sequences *sequences, const struct wire_head *head);

/*
 * End a drain: yield a WIRE_GAP record for every hole that is old enough, or for
 * every hole when flush. issued(cpu, kind) tells, on flush, how many numbers the
 * kernel gave, so that a hole at the very end is found too; it may be NULL.
 */
typedef uint64_t (*issued_fn)(unsigned int cpu, unsigned int kind, void *arg);
void sequence_gaps(struct sequences *sequences, bool flush, uint64_t now_ns, issued_fn issued,
		   void *issued_arg, record_fn fn, void *arg);

#endif /* SEQUENCE_H */
