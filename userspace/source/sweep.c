/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sweep - walks the kernel's table of flows, a part at a time. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sweep.h"

#define BATCH        512
#define PROTOCOL_TCP 6

/* Userspace-made flow records carry no CPU: their numbers are not the kernel's. */
#define CPU_USERSPACE UINT32_MAX

struct sweep {
	struct probes *probes;
	struct ring_options options;
	bool can_delete_atomically;
	bool tcp_has_end; /* the kernel closes TCP flows */
	bool in_round;
	uint64_t due_ns; /* of the next round of updates */
	bool updating;   /* this round yields updates */
	uint32_t cursor; /* of the kernel's batch walk */
	size_t counted;
	struct flow_key keys[BATCH];
	struct wire_flow flows[BATCH];
};

static bool
kernel_closes_tcp(const struct probes *probes)
{
	for (size_t i = 0; i < probes->coverage_count; i++)
		if (strstr(probes->coverage[i].subject, "flow end"))
			return probes->coverage[i].state == COVERAGE_ATTACHED;
	return false;
}

int
sweep_new(struct sweep **out, struct probes *probes, const struct ring_options *options)
{
	struct sweep *sweep = calloc(1, sizeof(*sweep));

	if (!sweep)
		return -ENOMEM;
	sweep->probes = probes;
	sweep->options = *options;
	sweep->can_delete_atomically = true;
	sweep->tcp_has_end = kernel_closes_tcp(probes);
	*out = sweep;
	return 0;
}

void
sweep_free(struct sweep *sweep)
{
	free(sweep);
}

static void
yield(struct wire_flow *flow, uint64_t now_ns, uint8_t moment, record_fn fn, void *arg)
{
	flow->head = (struct wire_head){
		.kind = WIRE_FLOW, .size = sizeof(*flow), .cpu = CPU_USERSPACE, .time_ns = now_ns};
	flow->moment = moment;
	fn(&flow->head, arg);
}

/* Read and delete in one step, so that no packet falls between; before 5.14 in two. */
static int
take_flow(struct sweep *sweep, const struct flow_key *key, struct wire_flow *flow)
{
	int fd = probes_map_fd(sweep->probes, "flows");

	if (sweep->can_delete_atomically) {
		if (!bpf_map_lookup_and_delete_elem(fd, key, flow))
			return 0;
		if (errno == ENOENT)
			return -ENOENT;
		sweep->can_delete_atomically = false;
	}
	if (bpf_map_lookup_elem(fd, key, flow) < 0)
		return -errno;
	return bpf_map_delete_elem(fd, key) < 0 ? -errno : 0;
}

static bool
is_idle(const struct sweep *sweep, const struct wire_flow *flow, uint64_t now_ns)
{
	bool ends_itself = flow->protocol == PROTOCOL_TCP && flow->witness == WIRE_WITNESS_GATE &&
			   sweep->tcp_has_end && !(flow->flags & WIRE_FLOW_ENDLESS);

	return !ends_itself && now_ns > flow->last_ns &&
	       now_ns - flow->last_ns > sweep->options.idle_ns;
}

static void
look(struct sweep *sweep, const struct flow_key *key, struct wire_flow *flow, uint64_t now_ns,
     record_fn fn, void *arg)
{
	if (is_idle(sweep, flow, now_ns)) {
		if (!take_flow(sweep, key, flow)) {
			flow->flags |= WIRE_FLOW_IDLE;
			yield(flow, now_ns, WIRE_MOMENT_CLOSE, fn, arg);
		}
	} else if (sweep->updating) {
		yield(flow, now_ns, WIRE_MOMENT_UPDATE, fn, arg);
	}
}

static void
begin_round(struct sweep *sweep, uint64_t now_ns)
{
	sweep->in_round = true;
	sweep->counted = 0;
	sweep->updating = now_ns >= sweep->due_ns;
	if (sweep->updating)
		sweep->due_ns = now_ns + sweep->options.interval_ns;
}

bool
sweep_step(struct sweep *sweep, uint64_t now_ns, record_fn fn, void *arg)
{
	bool first = !sweep->in_round;
	uint32_t count = BATCH;
	int result;

	if (first)
		begin_round(sweep, now_ns);
	result = bpf_map_lookup_batch(probes_map_fd(sweep->probes, "flows"),
				      first ? NULL : &sweep->cursor, &sweep->cursor, sweep->keys,
				      sweep->flows, &count, NULL);
	if (result < 0 && errno != ENOENT)
		count = 0;
	for (uint32_t i = 0; i < count; i++)
		look(sweep, &sweep->keys[i], &sweep->flows[i], now_ns, fn, arg);
	sweep->counted += count;
	if (!result)
		return true;
	sweep->in_round = false;
	sweep->probes->flow_count = sweep->counted;
	return false;
}

void
sweep_all(struct sweep *sweep, uint64_t now_ns, record_fn fn, void *arg)
{
	sweep->in_round = false;
	sweep->due_ns = 0;
	while (sweep_step(sweep, now_ns, fn, arg))
		;
}
