/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sweep.h - walks the kernel's table of flows, a part at a time.
 *
 * While the probes are attached, the kernel does the telling: a pass reads the file
 * of its iterator (bpf/sweep.bpf.c), whose records come by the rings. Of a set that
 * is detached nothing more is told by itself, so its flows are read from here.
 */
#ifndef SWEEP_H
#define SWEEP_H

#include "probes_private.h"

struct sweep;

int sweep_new(struct sweep **out, struct probes *probes, const struct ring_options *options);
void sweep_free(struct sweep *sweep); /* NULL is welcome */

/* Look at some entries. True while this pass has more; begin one every second or so. */
bool sweep_step(struct sweep *sweep);
/*
 * Yield every flow of a detached set as its closing record. Nothing is deleted: who is
 * killed meanwhile does it again, and yields the same.
 */
void sweep_all(struct sweep *sweep, uint64_t now_ns, record_fn fn, void *arg);

#endif /* SWEEP_H */
