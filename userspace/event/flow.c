/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* flow - traffic of one socket to one destination. */
#include <errno.h>
#include <stddef.h>

#include "event/decode.h"
#include "event/fields.h"
#include "event/network.h"

static const char *const roles[] = {"unknown", "client", "server"};
static const char *const witnesses[] = {"gate", "nic", "forwarded"};
static const char *const moments[] = {NULL, "open", "update", "close"};

/* NULL for a number that this version has no word for. */
#define word(words, number) ((number) < sizeof(words) / sizeof((words)[0]) ? (words)[number] : NULL)

static void
decode_amounts(struct event *event, const struct wire_flow *flow)
{
	event->bytes = decode_count(flow->bytes);
	event->wire_bytes = decode_count(flow->wire_bytes);
	event->packets = decode_count(flow->packets);
	if (flow->flags & WIRE_FLOW_RECEIVED)
		event->bytes_in = decode_count(flow->bytes_in);
	if (flow->last_ns >= flow->first_ns)
		event->duration_ms = decode_count((flow->last_ns - flow->first_ns) / 1000000);
}

/*
 * What is new since the flow's record before. An opening carries no bytes of its own,
 * since the next record holds its packet too. Recordings of before there was told_bytes
 * cannot say what their updates told: there the closing record tells it all.
 */
static void
decode_new(struct event *event, const struct wire_flow *flow)
{
	bool has_told = flow->head.size >=
			offsetof(struct wire_flow, told_packets) + sizeof(flow->told_packets);
	uint64_t bytes = flow->bytes, packets = flow->packets;

	if (flow->moment == WIRE_MOMENT_OPEN || (!has_told && flow->moment == WIRE_MOMENT_UPDATE)) {
		bytes = 0;
		packets = 0;
	} else if (has_told) {
		bytes -= flow->told_bytes < bytes ? flow->told_bytes : bytes;
		packets -= flow->told_packets < packets ? flow->told_packets : packets;
	}
	event->delta_bytes = decode_count(bytes);
	event->delta_packets = decode_count(packets);
}

static int
decode(struct event *event, const struct wire_head *head)
{
	const struct wire_flow *flow = (const void *)head;

	if (head->size < offsetof(struct wire_flow, told_bytes))
		return -EBADMSG;
	decode_owner(event, &flow->owner);
	decode_started(event, head, offsetof(struct wire_flow, started_ns));
	decode_program(event, head, offsetof(struct wire_flow, program));
	if (event->process.cgroup == ABSENT)
		event->process.cgroup = decode_unless(flow->cgroup, 0);
	decode_protocol(event, flow->protocol);
	event->src = decode_ip(&flow->src);
	event->dst = decode_ip(&flow->dst);
	event->src_port = decode_port(flow->src_port, flow->protocol);
	event->dst_port = decode_port(flow->dst_port, flow->protocol);
	if (flow->flags & WIRE_FLOW_REQUESTED) {
		event->requested = decode_ip(&flow->requested);
		event->requested_port = decode_port(flow->requested_port, flow->protocol);
	}
	event->role = word(roles, flow->role);
	event->witness = word(witnesses, flow->witness);
	event->moment = word(moments, flow->moment);
	event->cookie = decode_unless(flow->cookie, 0);
	decode_amounts(event, flow);
	decode_new(event, flow);
	return 0;
}

static const struct field fields[] = {
	NETWORK_HEAD_ROWS,
	FIELD(INT, "duration_ms", duration_ms, TOP("duration"), "first to last packet, ms", ),
	END_ROWS,
	PLACE_ROWS,
	FIELD(STRING, "basis", basis, AT(EVENT_DATA, "basis"),
	      "why this process is the owner: connect, create, listener, sender, holder or "
	      "unknown", ),
	BOOT_ROW,
	ALSO(INT, delta_bytes, AT(EVENT_DATA, "delta_bytes")),
	ALSO(INT, delta_packets, AT(EVENT_DATA, "delta_packets")),
	FIELD(STRING, "moment", moment, AT(EVENT_DATA, "moment"), "open, update or close", ),
	ALSO(INT, noted_ns, AT(EVENT_DATA, "noted_ns")),
	FIELD(IP, "requested.ip", requested, AT(EVENT_DATA, "requested_ip"),
	      "address asked for, before NAT", ),
	FIELD(INT, "requested.port", requested_port, AT(EVENT_DATA, "requested_port"),
	      "port asked for, before NAT", ),
	FIELD(STRING, "role", role, AT(EVENT_DATA, "role"), "client, server or unknown", ),
	FIELD(INT, "wire_bytes", wire_bytes, AT(EVENT_DATA, "wire_bytes"),
	      "bytes sent, with the headers that segmentation adds", ),
	FIELD(STRING, "witness", witness, AT(EVENT_DATA, "witness"),
	      "who saw the packets: gate, nic or forwarded", ),
	EVENT_ROWS,
	MORE_ROWS,
	JUDGED_ROWS,
	RULE_ROWS,
	MESSAGE_ROWS,
	SEVERITY_ROWS,
	FACT(TEXT, node, AT("src_endpoint", "hostname")),
	FIELD(IP, "src.ip", src, AT("src_endpoint", "ip"), "address it left from", ),
	FIELD(INT, "src.port", src_port, AT("src_endpoint", "port"), "port it left from", WEAK),
	START_ROW,
	TIME_ROW,
	FIELD(INT, "bytes_in", bytes_in, AT("traffic", "bytes_in"),
	      "bytes received; absent where not known", ),
	FIELD(INT, "bytes", bytes, AT("traffic", "bytes_out"), "bytes sent, IP headers included", ),
	FIELD(INT, "packets", packets, AT("traffic", "packets_out"), "packets sent", ),
	TYPE_ROW,
	END_ROW,
};

static int
activity_id(const struct event *event)
{
	const char *phase = event->judgement.phase;
	bool is_sum = phase ? phase[0] != 'o' : event->judgement.count > 1;

	if (is_sum || !event->moment)
		return NETWORK_TRAFFIC;
	switch (event->moment[0]) {
	case 'o':
		return NETWORK_OPEN;
	case 'c':
		return NETWORK_CLOSE;
	}
	return NETWORK_TRAFFIC;
}

const struct event_type event_flow = {
	.name = "flow",
	.kind = WIRE_FLOW,
	.sentence = "traffic of one socket to one destination",
	.class_uid = 4001,
	.decode = decode,
	.fields = fields,
	.activity_id = activity_id,
};
