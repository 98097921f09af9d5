/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* agent_shed - what the journal refused is counted by cause, and told in gaps when there is room.
 */
#include <string.h>

#include "agent_private.h"

void
agent_count_shed(struct agent *agent)
{
	agent->state.shed++;
	agent->sheds[agent->cause].count++;
}

void
agent_add_shed(struct agent *agent, const struct event *event)
{
	struct shed *shed = &agent->sheds[agent->cause];

	agent_count_shed(agent);
	if (event->delta_bytes != ABSENT)
		shed->bytes += (uint64_t)event->delta_bytes;
	if (event->delta_packets != ABSENT)
		shed->packets += (uint64_t)event->delta_packets;
}

static struct wire_gap
gap_of(const struct shed *shed, enum shed_cause cause, uint64_t now_ns)
{
	static const enum wire_class classes[SHED_CAUSES] = {
		[SHED_SLOW_BULK] = WIRE_CLASS_BULK,
		[SHED_SLOW_CRITICAL] = WIRE_CLASS_CRITICAL,
		[SHED_QUOTA_BULK] = WIRE_CLASS_BULK,
		[SHED_QUOTA_CRITICAL] = WIRE_CLASS_CRITICAL,
	};
	bool is_quota = cause == SHED_QUOTA_BULK || cause == SHED_QUOTA_CRITICAL;

	return (struct wire_gap){
		.head = {.kind = WIRE_GAP,
			 .size = sizeof(struct wire_gap),
			 .cpu = UINT32_MAX,
			 .time_ns = now_ns},
		.loss = is_quota ? WIRE_LOSS_QUOTA : WIRE_LOSS_SHED,
		.missing_kind = WIRE_FLOW,
		.count = shed->count,
		.from_ns = shed->since_ns,
		.to_ns = now_ns,
		.bytes = shed->bytes,
		.packets = shed->packets,
		.class = classes[cause],
	};
}

/* A gap of which nothing found room is no more to tell, and comes again. */
static void
tell(struct agent *agent, enum shed_cause cause, uint64_t now_ns)
{
	struct wire_gap gap = gap_of(&agent->sheds[cause], cause, now_ns);
	uint64_t entries = agent->state.entries, refused = agent->state.shed;
	struct shed untold[SHED_CAUSES];

	memcpy(untold, agent->sheds, sizeof(untold));
	agent->sheds[cause] = (struct shed){.since_ns = now_ns};
	agent_record(&gap.head, agent);
	if (agent->state.entries > entries)
		return;
	memcpy(agent->sheds, untold, sizeof(untold));
	agent->state.shed = refused;
}

void
agent_tell_shed(struct agent *agent, uint64_t now_ns)
{
	for (enum shed_cause cause = 0; cause < SHED_CAUSES; cause++) {
		if (agent->sheds[cause].count)
			tell(agent, cause, now_ns);
		if (!agent->sheds[cause].count)
			agent->sheds[cause].since_ns = now_ns;
	}
}
