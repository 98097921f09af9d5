/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* live.h - the kernel side opened as the configuration says. */
#ifndef LIVE_H
#define LIVE_H

#include <stdio.h>

#include "base/error.h"
#include "config.h"
#include "probes.h"

struct live {
	struct probes *probes;
	struct source *source;
};

/* own: the cluster's networks; the special scopes are added here. */
int live_open(struct live *live, const struct config *config, const struct prefix *own,
	      size_t own_count, struct error *why);
void live_close(struct live *live);

/* What probes_open() would be told. own stays the caller's. */
void live_options(struct probes_options *options, const struct config *config);

/* The coverage as a table for people. Returns how many subjects were refused. */
size_t live_print_coverage(const struct probes *probes, FILE *out);

/* /proc/sys/kernel/random/boot_id, without its newline; "" when it cannot be read. */
void boot_id_read(char out[40]);

#endif /* LIVE_H */
