/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* agent - the monitor speaks of itself: start, stop, reload, coverage. */
#include <errno.h>
#include <string.h>

#include "event/decode.h"
#include "event/fields.h"
#include "event/monitor.h"

static const char *
reason(unsigned int life)
{
	switch (life) {
	case WIRE_LIFE_START:
		return "start";
	case WIRE_LIFE_STOP:
		return "stop";
	case WIRE_LIFE_RELOAD:
		return "reload";
	case WIRE_LIFE_RELOAD_FAILED:
		return "reload-failed";
	case WIRE_LIFE_COVERAGE:
		return "coverage";
	case WIRE_LIFE_STREAM:
		return "stream";
	}
	return "unknown";
}

static int
decode(struct event *event, const struct wire_head *head)
{
	const struct wire_agent *agent = wire_cast(head, wire_agent);

	if (!agent)
		return -EBADMSG;
	event->reason = reason(agent->life);
	return decode_slice(event, head, agent->text, &event->message);
}

static const struct field fields[] = {
	ACTIVITY_ROWS,
	CLASS_ROWS,
	COUNT_ROW,
	DEVICE_ROWS,
	END_ROWS,
	BOOT_ROW,
	HEX(message, message, AT(EVENT_DATA, "message_hex")),
	FIELD(STRING, "reason", reason, AT(EVENT_DATA, "reason"),
	      "start, stop, reload, reload-failed, coverage or stream", ),
	EVENT_ROWS,
	JUDGED_ROWS,
	RULE_ROWS,
	FACT(TEXT, log_name, TOP("log_name")),
	MESSAGE_ROWS,
	SEVERITY_ROWS,
	START_ROW,
	STATUS_ROWS,
	TIME_ROW,
	TYPE_ROW,
	END_ROW,
};

/* A reload is no restart: nothing stopped watching meanwhile. */
static int
activity_id(const struct event *event)
{
	if (event->reason && strcmp(event->reason, "start") == 0)
		return MONITOR_START;
	if (event->reason && strcmp(event->reason, "stop") == 0)
		return MONITOR_STOP;
	return MONITOR_OTHER;
}

const struct event_type event_agent = {
	.name = "agent",
	.kind = WIRE_AGENT,
	.sentence = "the monitor speaks of itself: start, stop, reload, coverage",
	.class_uid = 1008,
	.decode = decode,
	.fields = fields,
	.activity_id = activity_id,
};
