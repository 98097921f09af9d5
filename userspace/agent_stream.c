/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* agent_stream - what the journal must hear of its stream: losses, and whose law binds the brokers.
 */
#include <stdio.h>

#include "agent_private.h"
#include "base/clock.h"
#include "base/log.h"

void
agent_say_unread(struct agent *agent, uint64_t count)
{
	struct wire_gap gap = {
		.head = {.kind = WIRE_GAP,
			 .size = sizeof(gap),
			 .cpu = UINT32_MAX,
			 .time_ns = clock_boot_ns()},
		.loss = WIRE_LOSS_UNREAD,
		.count = count,
		.to_ns = clock_boot_ns(),
	};

	agent_record(&gap.head, agent);
}

/* A flow to it, as it would be judged; that flow itself passes the gate like any other. */
static void
judge_address(struct agent *agent, struct event *event, const struct ip *ip, const char **verdict,
	      const char **rule)
{
	event_init(event, &event_flow);
	event->dst = *ip;
	event->role = "client";
	event->moment = "open";
	event->protocol = 6;
	event->wall_ms = clock_wall_ms();
	agent_verdict(agent, event, true, verdict, rule);
}

void
agent_say_broker(struct agent *agent, const char *name, const char *address)
{
	struct event event;
	const char *verdict, *rule;
	char text[WIRE_TEXT_BYTES];
	struct ip ip;

	if (ip_parse(&ip, address) < 0) {
		snprintf(text, sizeof(text), "streams to broker %.120s, whose address is not known",
			 name);
	} else {
		judge_address(agent, &event, &ip, &verdict, &rule);
		snprintf(text, sizeof(text),
			 "streams to broker %.100s at %s (%s), in %s, operator %s: %s%s%.60s", name,
			 address, event.dst_place.scope ? event.dst_place.scope : "?",
			 event.dst_place.location ? event.dst_place.location : "?",
			 event.dst_place.operator_country ? event.dst_place.operator_country : "?",
			 verdict, rule ? " by " : "", rule ? rule : "");
	}
	log_info("kafka", "%s", text);
	agent_say(agent, WIRE_LIFE_STREAM, text);
}
