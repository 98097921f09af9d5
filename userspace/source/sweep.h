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
 * Yield the next flows of a detached set, about so many, as their closing records. at
 * is where in the table, 0 at first: it means the same to every process, because
 * nothing comes into that table and nothing is deleted. False: those were the last.
 */
bool sweep_end(struct sweep *sweep, uint32_t *at, uint32_t budget, uint64_t now_ns, record_fn fn,
	       void *arg);

#endif /* SWEEP_H */
