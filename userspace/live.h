/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* live.h - the kernel side opened as the configuration says. */
#ifndef LIVE_H
#define LIVE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "config.h"
#include "probes.h"

struct live {
	struct probes *probes;
	struct source *source;
};

struct live_options {
	const struct prefix *own; /* the cluster's networks; the special scopes are added */
	size_t own_count;
	const struct carry *carry; /* what the last agent left, or NULL */
	bool apart;                /* beside an agent, for a moment: see struct probes_options */
};

int live_open(struct live *live, const struct config *config, const struct live_options *options,
	      struct error *why);
void live_close(struct live *live);

/*
 * The next set that an agent with another layout left, to be read with ring_finish()
 * and then discarded. Only after live_open(), which silenced it. -ENOENT: no more.
 * Without a source: it is damaged, and what was in it is lost.
 */
int live_open_stale(struct live *live, const struct config *config, const struct carry *carry,
		    uint64_t *stopped_ns, struct error *why);
void live_discard(struct live *live);

/* What probes_open() would be told. Own networks are the caller's to add. */
void live_probes_options(struct probes_options *options, const struct config *config);

/* The coverage as a table for people. Returns how many subjects were refused. */
size_t live_print_coverage(const struct probes *probes, FILE *out);

/* /proc/sys/kernel/random/boot_id, without its newline; "" when it cannot be read. */
void boot_id_read(char out[40]);

#endif /* LIVE_H */
