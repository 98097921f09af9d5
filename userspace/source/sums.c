/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sums - the kernel's counters and totals, read over all CPUs. */
#include <string.h>

#include "probes_private.h"

void
probes_counters(const struct probes *probes, enum wire_kind kind, struct wire_counters *out)
{
	memset(out, 0, sizeof(*out));
	for (unsigned int cpu = 0; cpu < probes->cpus; cpu++) {
		const volatile struct wire_counters *c =
			&probes->counters[cpu * WIRE_KIND_MAX + kind];

		out->seen += c->seen;
		out->filtered += c->filtered;
		out->folded += c->folded;
		out->issued += c->issued;
		out->submitted += c->submitted;
		out->dropped += c->dropped;
	}
}

void
probes_total(const struct probes *probes, enum wire_total total, struct wire_sum *out)
{
	memset(out, 0, sizeof(*out));
	for (unsigned int cpu = 0; cpu < probes->cpus; cpu++) {
		const volatile struct wire_sum *sum = &probes->totals[cpu * WIRE_TOTALS + total];

		out->flows += sum->flows;
		out->packets += sum->packets;
		out->bytes += sum->bytes;
		out->wire_bytes += sum->wire_bytes;
	}
}

size_t
probes_flows(const struct probes *probes)
{
	return probes->flow_count;
}
