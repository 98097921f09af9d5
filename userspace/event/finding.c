/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * finding - an alert once more, as OCSF Detection Finding, for consumers that take no other.
 *
 * An entry of its own, written behind the alert's and pointing at it. The first alert of a
 * fold creates the finding and names it; updates and the close keep the name.
 */
#include <errno.h>
#include <string.h>

#include "event/fields.h"
#include "event/finding.h"

#define PROOF   "evidences[0]"
#define ACTOR   PROOF ".actor"
#define PROCESS ACTOR ".process"
#define PEER    PROOF ".dst_endpoint"
#define WIRE    PROOF ".connection_info"
#define FINDING "finding_info"
#define ALERT   FINDING ".related_events[0]"

static int
decode(struct event *event, const struct wire_head *head)
{
	(void)event;
	(void)head;
	return -EBADMSG; /* no probe sends findings */
}

/* Personal ones are facts alone: what is read back of a finding is not judged again. */
#define PROCESS_PROOF_ROWS                                                                         \
	FACT(TEXT, argv, AT(PROCESS, "cmd_line")),                                                 \
		ALSO(STRING, process.pod, AT(PROCESS ".container", "pod_uuid"), WEAK),             \
		ALSO(STRING, process.runtime, AT(PROCESS ".container", "runtime"), WEAK),          \
		ALSO(STRING, process.container, AT(PROCESS ".container", "uid")),                  \
		FACT(INT, created_ms, AT(PROCESS, "created_time"), WEAK),                          \
		FACT(TEXT, exe_name, AT(PROCESS ".file", "name"), WEAK),                           \
		FACT(TEXT, exe, AT(PROCESS ".file", "path")),                                      \
		CONST(AT(PROCESS ".file", "type_id"), "1"), FACT(TEXT, name, AT(PROCESS, "name")), \
		FACT(TEXT, parent_name, AT(PROCESS ".parent_process", "name"), WEAK),              \
		ALSO(INT, process.ppid, AT(PROCESS ".parent_process", "pid")),                     \
		ALSO(INT, process.pid, AT(PROCESS, "pid")),                                        \
		FACT(TEXT, process_uid, AT(PROCESS, "uid"), WEAK),                                 \
		FACT(TEXT, gid, AT(PROCESS ".user.groups[0]", "uid")),                             \
		FACT(TEXT, user, AT(PROCESS ".user", "name")),                                     \
		FACT(TEXT, uid, AT(PROCESS ".user", "uid")),                                       \
		ALSO(INT, process.session, AT(ACTOR ".session", "uid"), .form = FORM_TEXT),        \
		FACT(TEXT, login_user, AT(ACTOR ".user", "name")),                                 \
		FACT(TEXT, loginuid, AT(ACTOR ".user", "uid"))

#define NETWORK_PROOF_ROWS                                                         \
	FACT(INT, boundary_id, AT(WIRE, "boundary_id"), WEAK),                     \
		CONST(AT(WIRE, "direction_id"), "2"),                              \
		ALSO(STRING, protocol_name, AT(WIRE, "protocol_name")),            \
		ALSO(INT, protocol, AT(WIRE, "protocol_num")),                     \
		FACT(INT, ip_version, AT(WIRE, "protocol_ver_id"), WEAK),          \
		ALSO(INT, cookie, AT(WIRE, "uid"), .form = FORM_TEXT),             \
		ALSO(INT, dst_place.asn, AT(PEER ".autonomous_system", "number")), \
		FACT(TEXT, dst_ip, AT(PEER, "ip")),                                \
		ALSO(STRING, dst_place.location, AT(PEER ".location", "country")), \
		ALSO(INT, dst_port, AT(PEER, "port"), WEAK),                       \
		ALSO(IP, src, AT(PROOF ".src_endpoint", "ip")),                    \
		ALSO(INT, src_port, AT(PROOF ".src_endpoint", "port"), WEAK)

#define FINDING_ROWS                                                                              \
	ALSO(STRING, judgement.title, AT(FINDING ".analytic", "name"), WEAK),                     \
		CONST(AT(FINDING ".analytic", "type_id"), "1"), /* a rule */                      \
		ALSO(STRING, judgement.rule, AT(FINDING ".analytic", "uid")),                     \
		ALSO(STRING, judgement.policy_version, AT(FINDING ".analytic", "version"), WEAK), \
		{.type = FIELD_SET,                                                               \
		 .offset = offsetof(struct event, judgement.tags),                                \
		 AT(FINDING, "attacks"),                                                          \
		 .form = FORM_TECHNIQUES},                                                        \
		FACT(INT, first_seen_ms, AT(FINDING, "created_time")),                            \
		FACT(INT, first_seen_ms, AT(FINDING, "first_seen_time")),                         \
		FACT(INT, last_seen_ms, AT(FINDING, "last_seen_time")),                           \
		FACT(INT, time_ms, AT(FINDING, "modified_time")),                                 \
		FACT(TEXT, subject, AT(ALERT, "type")),                                           \
		FACT(INT, subject_type_uid, AT(ALERT, "type_uid")),                               \
		ALSO(STRING, alert_uid, AT(ALERT, "uid")),                                        \
		ALSO(STRING, judgement.title, AT(FINDING, "title")),                              \
		FACT(TEXT, finding_uid, AT(FINDING, "uid"))

static const struct field fields[] = {
	ACTIVITY_ROWS,      CLASS_ROWS,
	COUNT_ROW,          DEVICE_ROWS,
	END_ROWS,           PLACE_ROWS_OF("\"evidences[0].dst_endpoint.ip\""),
	MORE_ROWS,          JUDGED_ROWS,
	PROCESS_PROOF_ROWS, NETWORK_PROOF_ROWS,
	FINDING_ROWS,       RULE_ROWS,
	MESSAGE_ROWS,       SEVERITY_ROWS,
	START_ROW,          FACT(TEXT, status, TOP("status")),
	STATUS_ROWS,        TIME_ROW,
	TYPE_ROW,           END_ROW,
};

static int
activity_id(const struct event *event)
{
	const char *phase = event->judgement.phase;

	if (phase && strcmp(phase, "close") == 0)
		return FINDING_CLOSE;
	return event->judgement.opened ? FINDING_UPDATE : FINDING_CREATE;
}

const struct event_type event_finding = {
	.name = "finding",
	.kind = WIRE_KIND_MAX,
	.sentence = "an alert once more, as OCSF Detection Finding",
	.class_uid = 2004,
	.decode = decode,
	.fields = fields,
	.activity_id = activity_id,
};
