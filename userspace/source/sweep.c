/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sweep - walks the kernel's table of flows, a part at a time. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "sweep.h"

#define STEP 1024 /* entries: half a millisecond, one when each of them has a record */

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
yield(const struct wire_flow *entry, uint32_t size, uint8_t moment, record_fn fn, void *arg)
{
	struct wire_flow flow = *entry;

	flow.head.size = (uint16_t)size;
	flow.moment = moment;
	fn(&flow.head, arg);
}

/* An opening that met a full ring, and which no sweep has told since, is still due. */
static void
yield_end(const void *entry, uint32_t size, uint64_t now_ns, record_fn fn, void *arg)
{
	struct wire_flow flow = {0};
	bool untold;

	if (size > sizeof(flow))
		size = sizeof(flow);
	memcpy(&flow, entry, size);
	flow.head = (struct wire_head){.kind = WIRE_FLOW, .cpu = CPU_USERSPACE, .time_ns = now_ns};
	untold = flow.flags & WIRE_FLOW_UNTOLD;
	flow.packets &= PACKETS_MASK;
	flow.flags &= (uint16_t)~WIRE_FLOW_UNTOLD;
	if (untold)
		yield(&flow, size, WIRE_MOMENT_OPEN, fn, arg);
	yield(&flow, size, WIRE_MOMENT_CLOSE, fn, arg);
}

/* What the kernel reads at once, which is whole buckets: it wants room for the longest. */
struct batch {
	uint32_t key_bytes;
	uint32_t entry_bytes;
	uint32_t count;
	char *keys;
	char *entries;
};

static void
batch_fini(struct batch *batch)
{
	free(batch->keys);
	free(batch->entries);
}

/* 0; -ENOENT: these are the last; -ENOSPC: too few for the next bucket. */
static int
read_batch(struct batch *batch, int table, uint32_t *at)
{
	free(batch->keys);
	free(batch->entries);
	batch->keys = calloc(batch->count, batch->key_bytes);
	batch->entries = calloc(batch->count, batch->entry_bytes);
	if (!batch->keys || !batch->entries)
		return -ENOMEM;
	return bpf_map_lookup_batch(table, at, at, batch->keys, batch->entries, &batch->count,
				    NULL) < 0
		       ? -errno
		       : 0;
}

bool
sweep_end(struct sweep *sweep, uint32_t *at, uint32_t budget, uint64_t now_ns, record_fn fn,
	  void *arg)
{
	int table = probes_map_fd(sweep->probes, "flows"), result;
	struct batch batch cleanup(batch_fini) = {0};
	struct bpf_map_info info = {0};
	uint32_t length = sizeof(info);

	end_pass(sweep);
	if (bpf_obj_get_info_by_fd(table, &info, &length) < 0)
		return false;
	batch.key_bytes = info.key_size;
	batch.entry_bytes = info.value_size;
	do {
		batch.count = budget;
		result = read_batch(&batch, table, at);
		budget *= 2;
	} while (result == -ENOSPC && budget);
	if (result < 0 && result != -ENOENT) {
		log_error("sweep", "the table of flows cannot be read: %s", strerror(-result));
		return false;
	}
	for (uint32_t i = 0; i < batch.count; i++)
		yield_end(batch.entries + (size_t)i * info.value_size, info.value_size, now_ns, fn,
			  arg);
	return !result;
}
