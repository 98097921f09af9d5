/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* gap - records that are known to be missing, and how many. */
#include <errno.h>
#include <stddef.h>

#include "event/decode.h"
#include "event/fields.h"
#include "event/monitor.h"

static const char *
reason(unsigned int loss)
{
	switch (loss) {
	case WIRE_LOSS_RING:
		return "ring";
	case WIRE_LOSS_TABLE:
		return "table";
	case WIRE_LOSS_SHED:
		return "shed";
	case WIRE_LOSS_DOWN:
		return "down";
	case WIRE_LOSS_UNREAD:
		return "unread";
	case WIRE_LOSS_GONE:
		return "gone";
	case WIRE_LOSS_QUOTA:
		return "quota";
	}
	return "unknown";
}

/* Recordings of before there were classes do not say. */
static const char *
class_of(const struct wire_gap *gap)
{
	static const char *const classes[] = {NULL, "bulk", "critical"};

	if (gap->head.size < offsetof(struct wire_gap, class) + sizeof(gap->class) ||
	    gap->class >= sizeof(classes) / sizeof(classes[0]))
		return NULL;
	return classes[gap->class];
}

static bool
is_refused(const struct wire_gap *gap)
{
	return gap->loss == WIRE_LOSS_SHED || gap->loss == WIRE_LOSS_QUOTA;
}

static int
decode(struct event *event, const struct wire_head *head)
{
	const struct wire_gap *gap = (const void *)head;
	const struct event_type *missing;

	if (head->size < offsetof(struct wire_gap, class))
		return -EBADMSG;
	missing = event_type_by_kind(gap->missing_kind);
	event->reason = reason(gap->loss);
	event->missing = missing ? missing->name : NULL;
	if (gap->count || (gap->loss != WIRE_LOSS_DOWN && gap->loss != WIRE_LOSS_UNREAD))
		event->lost = decode_count(gap->count);
	if (gap->loss == WIRE_LOSS_TABLE || (is_refused(gap) && gap->packets)) {
		event->lost_bytes = decode_count(gap->bytes);
		event->lost_packets = decode_count(gap->packets);
	}
	if (is_refused(gap))
		event->lost_class = class_of(gap);
	if (gap->loss == WIRE_LOSS_RING) {
		event->lost_cpu = head->cpu;
		event->lost_sequence = decode_count(gap->first_sequence);
	}
	if (gap->from_ns)
		event->from_ms = decode_count(gap->from_ns / 1000000);
	if (gap->to_ns)
		event->to_ms = decode_count(gap->to_ns / 1000000);
	return 0;
}

static const struct field fields[] = {
	ACTIVITY_ROWS,
	CLASS_ROWS,
	FIELD(INT, "lost", lost, TOP("count"), "how many are missing", ),
	DEVICE_ROWS,
	FIELD(INT, "to_ms", to_ms, TOP("end_time"), "end of the hole, ms since 1970", ),
	BOOT_ROW,
	FIELD(STRING, "class", lost_class, AT(EVENT_DATA, "class"),
	      "of entries that were refused: bulk or critical", ),
	FIELD(INT, "lost_bytes", lost_bytes, AT(EVENT_DATA, "lost_bytes"),
	      "bytes of the flows that are missing", ),
	ALSO(INT, lost_cpu, AT(EVENT_DATA, "lost_cpu")),
	FIELD(INT, "lost_packets", lost_packets, AT(EVENT_DATA, "lost_packets"),
	      "packets of the flows that are missing", ),
	ALSO(INT, lost_sequence, AT(EVENT_DATA, "lost_sequence")),
	FIELD(STRING, "missing", missing, AT(EVENT_DATA, "missing"),
	      "the kind of what is missing", ),
	FIELD(STRING, "reason", reason, AT(EVENT_DATA, "reason"),
	      "ring, table, shed, quota, down, unread or gone", ),
	EVENT_ROWS,
	FIELD(INT, "count", judgement.count, AT(JUDGED_DATA, "count"),
	      "events folded into this entry; absent: 1", ),
	FIELD(INT, "first_ms", judgement.first_ms, AT(JUDGED_DATA, "first_ms"),
	      "time of the first event folded into this entry, ms since 1970", ),
	FIELD(INT, "last_ms", judgement.last_ms, AT(JUDGED_DATA, "last_ms"),
	      "time of the last event folded into this entry, ms since 1970", ),
	JUDGED_ROWS,
	RULE_ROWS,
	FACT(TEXT, log_name, TOP("log_name")),
	MESSAGE_ROWS,
	SEVERITY_ROWS,
	FIELD(INT, "from_ms", from_ms, TOP("start_time"), "start of the hole, ms since 1970", ),
	TIME_ROW,
	TYPE_ROW,
	END_ROW,
};

static int
activity_id(const struct event *event)
{
	(void)event;
	return MONITOR_OTHER;
}

const struct event_type event_gap = {
	.name = "gap",
	.kind = WIRE_GAP,
	.sentence = "records that are known to be missing, and how many",
	.class_uid = 1008,
	.decode = decode,
	.fields = fields,
	.activity_id = activity_id,
};
