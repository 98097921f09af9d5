/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sweep - walks the kernel's table of flows, a part at a time. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "sweep.h"

#define STEP  1024 /* entries: half a millisecond, one when each of them has a record */
#define BATCH 512

#define UNSEEN_NS 10000000000ull /* for the sweep to pass by all of them twice */

/* Userspace-made flow records carry no CPU: their numbers are not the kernel's. */
#define CPU_USERSPACE UINT32_MAX

/* The two upper bits of an entry's packets are marks (bpf/socks.h). */
#define PACKETS_MASK ((1ull << 62) - 1)

struct sweep {
	struct probes *probes;
	struct ring_options options;
	int pass; /* file of the iterator, or -1 between passes */
	size_t counted;
};

int
sweep_new(struct sweep **out, struct probes *probes, const struct ring_options *options)
{
	struct sweep *sweep = calloc(1, sizeof(*sweep));

	if (!sweep)
		return -ENOMEM;
	sweep->probes = probes;
	sweep->options = *options;
	sweep->pass = -1;
	*out = sweep;
	return 0;
}

static void
end_pass(struct sweep *sweep)
{
	fd_drop(&sweep->pass);
	sweep->pass = -1;
}

void
sweep_free(struct sweep *sweep)
{
	if (sweep)
		end_pass(sweep);
	free(sweep);
}

/* Not while there may be flows whose end nobody saw: they are closed when idle. */
static bool
kernel_closes_tcp(const struct probes *probes, uint64_t idle_ns)
{
	if (probes->ends_missed_ns &&
	    clock_boot_ns() - probes->ends_missed_ns < idle_ns + UNSEEN_NS)
		return false;
	for (size_t i = 0; i < probes->coverage_count; i++)
		if (strstr(probes->coverage[i].subject, "flow end"))
			return probes->coverage[i].state == COVERAGE_ATTACHED;
	return false;
}

static void
begin_pass(struct sweep *sweep, int link)
{
	struct wire_settings *settings = sweep->probes->settings;

	settings->interval_ns = sweep->options.interval_ns;
	settings->idle_ns = sweep->options.idle_ns;
	settings->tcp_ends = kernel_closes_tcp(sweep->probes, sweep->options.idle_ns);
	sweep->counted = 0;
	sweep->pass = bpf_iter_create(link);
}

/* The iterator writes a byte for each entry, so that a read ends after so many. */
bool
sweep_step(struct sweep *sweep)
{
	int link = probes_sweeper(sweep->probes);
	char seen[STEP];
	ssize_t count;

	if (link < 0) /* refused, which coverage tells, or detached since */
		end_pass(sweep);
	else if (sweep->pass < 0)
		begin_pass(sweep, link);
	if (sweep->pass < 0)
		return false;
	count = read(sweep->pass, seen, sizeof(seen));
	if (count > 0) {
		sweep->counted += (size_t)count;
		return true;
	}
	if (!count)
		sweep->probes->flow_count = sweep->counted;
	end_pass(sweep);
	return false;
}

/* An older build's entry is shorter than ours: the record ends where it does. */
static void
yield(const void *entry, uint32_t size, uint64_t now_ns, record_fn fn, void *arg)
{
	struct wire_flow flow = {0};

	if (size > sizeof(flow))
		size = sizeof(flow);
	memcpy(&flow, entry, size);
	flow.head = (struct wire_head){
		.kind = WIRE_FLOW, .size = (uint16_t)size, .cpu = CPU_USERSPACE, .time_ns = now_ns};
	flow.moment = WIRE_MOMENT_CLOSE;
	flow.packets &= PACKETS_MASK;
	flow.flags &= (uint16_t)~WIRE_FLOW_UNTOLD;
	fn(&flow.head, arg);
}

void
sweep_all(struct sweep *sweep, uint64_t now_ns, record_fn fn, void *arg)
{
	int table = probes_map_fd(sweep->probes, "flows"), result = 0;
	char *keys cleanup(free_drop) = NULL, *entries cleanup(free_drop) = NULL;
	struct bpf_map_info info = {0};
	uint32_t length = sizeof(info), cursor, count;
	bool first = true;

	end_pass(sweep);
	if (bpf_obj_get_info_by_fd(table, &info, &length) < 0)
		return;
	keys = calloc(BATCH, info.key_size);
	entries = calloc(BATCH, info.value_size);
	while (keys && entries && !result) {
		count = BATCH;
		result = bpf_map_lookup_batch(table, first ? NULL : &cursor, &cursor, keys, entries,
					      &count, NULL);
		if (result < 0 && errno != ENOENT)
			return;
		for (uint32_t i = 0; i < count; i++)
			yield(entries + (size_t)i * info.value_size, info.value_size, now_ns, fn,
			      arg);
		first = false;
	}
}
