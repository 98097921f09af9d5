/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* seed.h - the processes that were there before the agent, as records. */
#ifndef CONTEXT_SEED_H
#define CONTEXT_SEED_H

#include "context.h"
#include "context/ask.h"
#include "context/proc.h"

/* See context_seed(). -ENOENT without a /proc. */
int seed_scan(const struct proc *proc, struct asking *asking, const char *cgroup,
	      context_emit_fn emit, void *arg);

#endif /* CONTEXT_SEED_H */
