/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * losses.h - tells what the kernel counted but could not hand over, each once.
 *
 * Three things are told as WIRE_GAP records: holes in the sequence numbers, where a
 * ring was full; sums of the flows that met a full table; and, on kernels where the
 * numbers are only approximate, plain numbers of drops. What was told is kept in
 * carry with the turn in which it was told, so the next agent tells only the rest.
 */
#ifndef LOSSES_H
#define LOSSES_H

#include "carry.h"
#include "probes_private.h"
#include "source.h"

struct losses;

/* -EINVAL: the maps of the set are smaller than what every build makes. */
int losses_new(struct losses **out, const struct probes *probes);
void losses_free(struct losses *losses);

/* A record was read. */
void losses_note(struct losses *losses, const struct wire_head *record);

/* The rings are empty: holes that are certain. */
void losses_tell(struct losses *losses, uint64_t now_ns, record_fn fn, void *arg);
/* Once a second: sums; and with the rings empty, losses behind the last record. */
void losses_tell_sums(struct losses *losses, bool empty, uint64_t now_ns, record_fn fn, void *arg);
/* At the end: all that was not told yet. */
void losses_tell_all(struct losses *losses, uint64_t now_ns, record_fn fn, void *arg);

/* Take what was counted so far for told: nobody knows how much of it was. */
void losses_skip(struct losses *losses, uint64_t now_ns);

/* Of the set of maps that was counted in. drop: it is done with. */
void losses_keep(struct losses *losses, struct carry *carry, uint64_t set);
void losses_restore(struct losses *losses, const struct carry *carry, uint64_t set);
void losses_drop(struct losses *losses, struct carry *carry, uint64_t set);

#endif /* LOSSES_H */
