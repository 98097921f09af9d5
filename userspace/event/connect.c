/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* connect - a connection attempt that did not succeed. */
#include <errno.h>
#include <stddef.h>

#include "event/decode.h"
#include "event/fields.h"
#include "event/network.h"

static const char *
outcome(int error, bool unsent)
{
	switch (error) {
	case 0: /* closed by its owner before an answer */
		return unsent ? "unsent" : "aborted";
	case ECONNREFUSED:
		return "refused";
	case ETIMEDOUT:
		return "timeout";
	case EHOSTUNREACH:
	case ENETUNREACH:
		return "unreachable";
	}
	return "failed";
}

static int
decode(struct event *event, const struct wire_head *head)
{
	const struct wire_connect *attempt = (const void *)head;

	if (head->size < offsetof(struct wire_connect, started_ns))
		return -EBADMSG;
	decode_owner(event, &attempt->owner);
	decode_started(event, head, offsetof(struct wire_connect, started_ns));
	decode_program(event, head, offsetof(struct wire_connect, program));
	if (event->process.cgroup == ABSENT)
		event->process.cgroup = decode_unless(attempt->cgroup, 0);
	decode_protocol(event, attempt->protocol);
	event->dst = decode_ip(&attempt->dst);
	event->dst_port = decode_port(attempt->dst_port, attempt->protocol);
	if (attempt->flags & WIRE_FLOW_REQUESTED) {
		event->requested = decode_ip(&attempt->requested);
		event->requested_port = decode_port(attempt->requested_port, attempt->protocol);
	}
	event->cookie = decode_unless(attempt->cookie, 0);
	event->error = attempt->error < 0 ? -(int64_t)attempt->error : attempt->error;
	event->outcome = outcome((int)event->error, attempt->flags & WIRE_CONNECT_UNSENT);
	return 0;
}

static const struct field fields[] = {
	NETWORK_HEAD_ROWS,
	END_ROWS,
	PLACE_ROWS,
	FIELD(STRING, "basis", basis, AT(EVENT_DATA, "basis"),
	      "why this process is the owner: connect, create, sender or unknown", ),
	BOOT_ROW,
	FIELD(INT, "error", error, AT(EVENT_DATA, "error"),
	      "errno that ended it; 0: closed by its owner before an answer", ),
	ALSO(INT, noted_ns, AT(EVENT_DATA, "noted_ns")),
	FIELD(IP, "requested.ip", requested, AT(EVENT_DATA, "requested_ip"),
	      "address asked for, before NAT", ),
	FIELD(INT, "requested.port", requested_port, AT(EVENT_DATA, "requested_port"),
	      "port asked for, before NAT", ),
	EVENT_ROWS,
	MORE_ROWS,
	JUDGED_ROWS,
	RULE_ROWS,
	MESSAGE_ROWS,
	SEVERITY_ROWS,
	FACT(TEXT, node, AT("src_endpoint", "hostname")),
	START_ROW,
	FACT(TEXT, status_code, TOP("status_code")),
	FIELD(STRING, "outcome", outcome, TOP("status_detail"),
	      "refused, timeout, unreachable, aborted, unsent or failed", ),
	STATUS_ROWS,
	TIME_ROW,
	TYPE_ROW,
	END_ROW,
};

static int
activity_id(const struct event *event)
{
	return event->error == ECONNREFUSED ? NETWORK_REFUSE : NETWORK_FAIL;
}

const struct event_type event_connect = {
	.name = "connect",
	.kind = WIRE_CONNECT,
	.sentence = "a connection attempt that did not succeed",
	.class_uid = 4001,
	.decode = decode,
	.fields = fields,
	.activity_id = activity_id,
};
