/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sweep.h - walks the kernel's table of flows, a part at a time.
 *
 * Yields an update of every open flow once an interval, also when nothing moved, and
 * closes datagram flows in which nothing moves: they have no end of their own.
 */
#ifndef SWEEP_H
#define SWEEP_H

#include "probes_private.h"

struct sweep;

int sweep_new(struct sweep **out, struct probes *probes, const struct ring_options *options);
void sweep_free(struct sweep *sweep);

/* Look at some entries. True while this round has more; start a round every second or so. */
bool sweep_step(struct sweep *sweep, uint64_t now_ns, record_fn fn, void *arg);
/* A whole round, yielding every flow. */
void sweep_all(struct sweep *sweep, uint64_t now_ns, record_fn fn, void *arg);

#endif /* SWEEP_H */
