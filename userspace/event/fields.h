/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fields.h - the rows that kinds share, in canonical order of their paths.
 *
 *	FIELD(STRING, "role", role, AT(EVENT_DATA, "role"), "client, server or unknown")
 *
 * is a field that rules can name; ALSO() writes (and reads) a member at a second
 * place; FACT() writes what facts.c worked out; CONST() raw JSON. Further
 * members of struct field may follow: .weak = true, .privacy = ...
 *
 * A kind's table is made of these groups with its own rows between them; the
 * unit test event_table says which row stands out of order.
 */
#ifndef EVENT_FIELDS_H
#define EVENT_FIELDS_H

#include "event.h"
#include "event/facts.h"

#define KEY(name) .key = ",\"" name "\":", .key_length = sizeof(name) + 3
#define TOP(name) .ocsf = name, KEY(name)
#define AT(above, name) \
	.ocsf = above "." name, .parent = above, .parent_length = sizeof(above) - 1, KEY(name)

#define FIELD(kind, rule, member, path, text, ...)                                            \
	{                                                                                     \
		.name = rule, .type = FIELD_##kind, .offset = offsetof(struct event, member), \
		path, .doc = text, __VA_ARGS__                                                \
	}
#define ALSO(kind, member, path, ...)                                                             \
	{                                                                                         \
		.type = FIELD_##kind, .offset = offsetof(struct event, member), path, __VA_ARGS__ \
	}
/* A member that is written as a fact, such as a user as pseudonym. */
#define SHOWN(kind, rule, member, path, shape, source, text, ...)                             \
	{                                                                                     \
		.name = rule, .type = FIELD_##kind, .offset = offsetof(struct event, member), \
		path, .form = FORM_FACT_##shape, .fact = offsetof(struct facts, source),      \
		.doc = text, __VA_ARGS__                                                      \
	}
#define FACT(shape, source, path, ...)                                                   \
	{                                                                                \
		path, .form = FORM_FACT_##shape, .fact = offsetof(struct facts, source), \
		      __VA_ARGS__                                                        \
	}
#define CONST(path, json)                                                                 \
	{                                                                                 \
		path, .constant = json, .constant_length = sizeof(json) - 1, .weak = true \
	}
#define HEX(member, source, path)                                                     \
	{                                                                             \
		.type = FIELD_STRING, .offset = offsetof(struct event, member), path, \
		.form = FORM_HEX, .fact = offsetof(struct facts, source)              \
	}

#define PERSONAL .privacy = PRIVACY_USER
#define PATHLIKE .privacy = PRIVACY_PATH
#define WEAK     .weak = true
#define END_ROW   \
	{         \
		0 \
	}

#define ACTIVITY_ROWS                                                             \
	CONST(TOP("action_id"), "3"), FACT(INT, activity_id, TOP("activity_id")), \
		FACT(TEXT, activity_name, TOP("activity_name"))

/* The process, at the path of the event's class. */
#define PROCESS_ROWS(at)                                                                           \
	SHOWN(STRING, "process.argv", process.argv, AT(at, "cmd_line"), TEXT, argv,                \
	      "arguments, joined by spaces; only when configured", .privacy = PRIVACY_ARGV),       \
		ALSO(STRING, process.pod, AT(at ".container", "pod_uuid"), WEAK),                  \
		FIELD(STRING, "process.runtime", process.runtime, AT(at ".container", "runtime"),  \
		      "containerd, cri-o, docker, podman, lxc or runc", WEAK),                     \
		FIELD(STRING, "process.container", process.container, AT(at ".container", "uid"),  \
		      "container id, in full", ),                                                  \
		FACT(INT, created_ms, AT(at, "created_time"), WEAK),                               \
		FACT(TEXT, exe_name, AT(at ".file", "name"), WEAK),                                \
		SHOWN(STRING, "process.exe", process.exe, AT(at ".file", "path"), TEXT, exe,       \
		      "path of the program", PATHLIKE),                                            \
		CONST(AT(at ".file", "type_id"), "1"),                                             \
		SHOWN(STRING, "process.name", process.name, AT(at, "name"), TEXT, name,            \
		      "name of the process, at most 15 bytes (comm)", PERSONAL),                   \
		SHOWN(STRING, "process.parent_name", process.parent_name,                          \
		      AT(at ".parent_process", "name"), TEXT, parent_name, "name of its parent",   \
		      PERSONAL, WEAK),                                                             \
		FIELD(INT, "process.ppid", process.ppid, AT(at ".parent_process", "pid"),          \
		      "process id of its parent", ),                                               \
		FIELD(INT, "process.pid", process.pid, AT(at, "pid"),                              \
		      "process id, in the initial namespace", ),                                   \
		FACT(TEXT, process_uid, AT(at, "uid"), WEAK),                                      \
		SHOWN(INT, "process.gid", process.gid, AT(at ".user.groups[0]", "uid"), TEXT, gid, \
		      "group id", PERSONAL),                                                       \
		SHOWN(STRING, "process.user", process.user, AT(at ".user", "name"), TEXT, user,    \
		      "name of the user it runs as", PERSONAL),                                    \
		SHOWN(INT, "process.uid", process.uid, AT(at ".user", "uid"), TEXT, uid,           \
		      "user id it runs as", PERSONAL)

/* Who logged in, whatever the process runs as now. */
#define LOGIN_ROWS                                                                                \
	FIELD(INT, "process.session", process.session, AT("actor.session", "uid"),                \
	      "audit session id", .form = FORM_TEXT),                                             \
		SHOWN(STRING, "process.login_user", process.login_user, AT("actor.user", "name"), \
		      TEXT, login_user, "name of the user who logged in (audit)", PERSONAL),      \
		SHOWN(INT, "process.loginuid", process.loginuid, AT("actor.user", "uid"), TEXT,   \
		      loginuid, "user id who logged in (audit)", PERSONAL)

/* Where OCSF demands an actor besides the process: its parent. */
#define PARENT_ROWS                                                         \
	FACT(TEXT, invoked_by, AT("actor", "invoked_by")),                  \
		FACT(TEXT, parent_name, AT("actor.process", "name"), WEAK), \
		ALSO(INT, process.ppid, AT("actor.process", "pid"))

#define CLASS_ROWS                                            \
	{.type = FIELD_SET,                                   \
	 .offset = offsetof(struct event, judgement.tags),    \
	 TOP("attacks"),                                      \
	 .form = FORM_TECHNIQUES},                            \
		FACT(INT, category_uid, TOP("category_uid")), \
		FACT(INT, class_uid, TOP("class_uid"))

#define CONNECTION_ROWS                                                                 \
	FACT(INT, boundary_id, AT("connection_info", "boundary_id"), WEAK),             \
		CONST(AT("connection_info", "direction_id"), "2"),                      \
		FIELD(STRING, "protocol_name", protocol_name,                           \
		      AT("connection_info", "protocol_name"), "tcp, udp, icmp, ...", ), \
		FIELD(INT, "protocol", protocol, AT("connection_info", "protocol_num"), \
		      "IANA protocol number", ),                                        \
		FACT(INT, ip_version, AT("connection_info", "protocol_ver_id"), WEAK),  \
		FIELD(INT, "cookie", cookie, AT("connection_info", "uid"),              \
		      "the socket's number, unique until reboot", .form = FORM_TEXT)

#define COUNT_ROW                                          \
	FIELD(INT, "count", judgement.count, TOP("count"), \
	      "events folded into this entry; absent: 1", )

#define DEVICE_ROWS                                                                              \
	FACT(TEXT, boot_id, AT("device", "boot_uid")),                                           \
		FACT(TEXT, cluster, AT("device.groups[0]", "name")),                             \
		CONST(AT("device.groups[0]", "type"), "\"cluster\""),                            \
		FACT(TEXT, node, AT("device", "hostname")), CONST(AT("device", "type_id"), "1"), \
		FACT(TEXT, disposition, TOP("disposition")),                                     \
		FACT(INT, disposition_id, TOP("disposition_id"))

#define DST_ROWS                                                                                \
	FIELD(INT, "dst.asn", dst_place.asn, AT("dst_endpoint.autonomous_system", "number"),    \
	      "autonomous system of the destination", ),                                        \
		SHOWN(IP, "dst.ip", dst, AT("dst_endpoint", "ip"), TEXT, dst_ip,                \
		      "address it went to", ),                                                  \
		ALSO(STRING, dst_place.location, AT("dst_endpoint.location", "country")),       \
		FIELD(INT, "dst.port", dst_port, AT("dst_endpoint", "port"), "port it went to", \
		      WEAK)

#define END_ROWS                                                  \
	FIELD(INT, "last_ms", judgement.last_ms, TOP("end_time"), \
	      "time of the last event folded into this entry, ms since 1970", )

#define PLACE_ELEMENT "enrichments[jurisdiction]"
#define PLACE_DATA    PLACE_ELEMENT ".data"
#define PLACE_ROWS    PLACE_ROWS_OF("\"dst_endpoint.ip\"")
#define PLACE_ROWS_OF(address)                                                                \
	FIELD(STRING, "dst.location_country", dst_place.location,                             \
	      AT(PLACE_DATA, "location_country"), "where it is, ISO 3166-1 alpha-2", ),       \
		FIELD(SET, "dst.location_law", dst_place.location_law,                        \
		      AT(PLACE_DATA, "location_law"),                                         \
		      "legal groups that its location is in, at the event's time", ),         \
		FIELD(STRING, "dst.location_source", dst_place.location_source,               \
		      AT(PLACE_DATA, "location_source"),                                      \
		      "who says where it is: override, geofeed, provider or mmdb", ),         \
		FIELD(STRING, "dst.operator_country", dst_place.operator_country,             \
		      AT(PLACE_DATA, "operator_country"), "whose law binds its operator", ),  \
		FIELD(SET, "dst.operator_law", dst_place.operator_law,                        \
		      AT(PLACE_DATA, "operator_law"),                                         \
		      "legal groups that its operator is in, at the event's time", ),         \
		FIELD(STRING, "dst.operator_name", dst_place.operator_name,                   \
		      AT(PLACE_DATA, "operator_name"), "name of its operator", ),             \
		FIELD(STRING, "dst.operator_source", dst_place.operator_source,               \
		      AT(PLACE_DATA, "operator_source"), "who says whose it is", ),           \
		FIELD(STRING, "dst.provider", dst_place.provider, AT(PLACE_DATA, "provider"), \
		      "cloud or network provider", ),                                         \
		FIELD(STRING, "dst.region", dst_place.region, AT(PLACE_DATA, "region"),       \
		      "the provider's region", ),                                             \
		FIELD(STRING, "dst.scope", dst_place.scope, AT(PLACE_DATA, "scope"),          \
		      "public, own, private, loopback, link-local, metadata, ...", ),         \
		ALSO(STRING, judgement.verdict, AT(PLACE_DATA, "verdict"), WEAK),             \
		CONST(AT(PLACE_ELEMENT, "name"), address),                                    \
		CONST(AT(PLACE_ELEMENT, "provider"), "\"demarc\""),                           \
		CONST(AT(PLACE_ELEMENT, "type"), "\"jurisdiction\""),                         \
		FACT(TEXT, dst_ip, AT(PLACE_ELEMENT, "value"), WEAK)

/* What OCSF has no member for, by kind: rows of EVENT_DATA, then EVENT_ROWS. */
#define EVENT_ELEMENT "enrichments[event]"
#define EVENT_DATA    EVENT_ELEMENT ".data"
#define BOOT_ROW      ALSO(INT, time_ns, AT(EVENT_DATA, "boot_ns"))
#define EVENT_ROWS                                                  \
	CONST(AT(EVENT_ELEMENT, "name"), "\"metadata.type\""),      \
		CONST(AT(EVENT_ELEMENT, "provider"), "\"demarc\""), \
		CONST(AT(EVENT_ELEMENT, "type"), "\"event\""),      \
		FACT(TEXT, kind, AT(EVENT_ELEMENT, "value"), WEAK)

#define MORE_ELEMENT "enrichments[process]"
#define MORE_DATA    MORE_ELEMENT ".data"
#define MORE_ROWS                                                                                 \
	HEX(process.argv, argv, AT(MORE_DATA, "argv_hex")),                                       \
		FIELD(INT, "process.cgroup", process.cgroup, AT(MORE_DATA, "cgroup"),             \
		      "cgroup v2 id", ),                                                          \
		SHOWN(STRING, "process.cgroup_path", process.cgroup_path,                         \
		      AT(MORE_DATA, "cgroup_path"), TEXT, cgroup_path,                            \
		      "path below the cgroup root", PATHLIKE),                                    \
		HEX(process.cgroup_path, cgroup_path, AT(MORE_DATA, "cgroup_path_hex")),          \
		HEX(process.exe, exe, AT(MORE_DATA, "exe_hex")),                                  \
		HEX(process.login_user, login_user, AT(MORE_DATA, "login_user_hex")),             \
		HEX(process.name, name, AT(MORE_DATA, "name_hex")),                               \
		FIELD(INT, "process.net_ns", process.net_ns, AT(MORE_DATA, "net_ns"),             \
		      "inode number of its network namespace", ),                                 \
		HEX(process.parent_name, parent_name, AT(MORE_DATA, "parent_name_hex")),          \
		FIELD(STRING, "process.pod", process.pod, AT(MORE_DATA, "pod"),                   \
		      "UID of its pod", ),                                                        \
		FIELD(INT, "process.started_ns", process.started_ns, AT(MORE_DATA, "started_ns"), \
		      "when it began, ns since boot", ),                                          \
		SHOWN(STRING, "process.unit", process.unit, AT(MORE_DATA, "unit"), TEXT, unit,    \
		      "systemd unit, where there is no container", PATHLIKE),                     \
		HEX(process.unit, unit, AT(MORE_DATA, "unit_hex")),                               \
		HEX(process.user, user, AT(MORE_DATA, "user_hex")),                               \
		FACT(TEXT, process_path, AT(MORE_ELEMENT, "name"), WEAK),                         \
		CONST(AT(MORE_ELEMENT, "provider"), "\"demarc\""),                                \
		CONST(AT(MORE_ELEMENT, "type"), "\"process\""),                                   \
		FACT(TEXT, shown_process, AT(MORE_ELEMENT, "value"), WEAK)

#define JUDGED_ELEMENT "enrichments[judgement]"
#define JUDGED_DATA    JUDGED_ELEMENT ".data"
#define JUDGED_ROWS                                                                                \
	FIELD(STRING, "level", judgement.level, AT(JUDGED_DATA, "level"),                          \
	      "informational, low, medium, high or critical", ),                                   \
		FIELD(STRING, "phase", judgement.phase, AT(JUDGED_DATA, "phase"),                  \
		      "of folded repeats: open, update, close or sum", ),                          \
		FIELD(STRING, "policy_digest", judgement.policy_digest,                            \
		      AT(JUDGED_DATA, "policy_digest"), "SHA-256 of the rule set, hex", ),         \
		FIELD(SET, "tags", judgement.tags, AT(JUDGED_DATA, "tags"), "tags of the rule", ), \
		FIELD(STRING, "verdict", judgement.verdict, AT(JUDGED_DATA, "verdict"),            \
		      "allowed, conditional, unknown or violation", ),                             \
		CONST(AT(JUDGED_ELEMENT, "name"), "\"firewall_rule.uid\""),                        \
		CONST(AT(JUDGED_ELEMENT, "provider"), "\"demarc\""),                               \
		CONST(AT(JUDGED_ELEMENT, "type"), "\"judgement\""),                                \
		FACT(TEXT, judged, AT(JUDGED_ELEMENT, "value"), WEAK)

#define RULE_ROWS                                                                                 \
	FIELD(STRING, "title", judgement.title, AT("firewall_rule", "name"), "title of the rule", \
	      WEAK),                                                                              \
		FIELD(STRING, "rule", judgement.rule, AT("firewall_rule", "uid"),                 \
		      "id of the rule that this entry reports", ),                                \
		SHOWN(BOOL, "alert", judgement.alert, TOP("is_alert"), BOOL, alert,               \
		      "somebody should look", )

#define MESSAGE_ROWS                                                                               \
	SHOWN(STRING, "message", message, TOP("message"), TEXT, message,                           \
	      "a sentence for people", ),                                                          \
		ALSO(STRING, judgement.opened, AT("metadata", "correlation_uid")),                 \
		ALSO(STRING, judgement.rule, AT("metadata", "event_code")),                        \
		FACT(TEXT, log_name, AT("metadata", "log_name")),                                  \
		FACT(INT, logged_ms, AT("metadata", "logged_time")),                               \
		CONST(AT("metadata.product", "name"), "\"demarc\""),                               \
		CONST(AT("metadata.product", "vendor_name"), "\"demarc\""),                        \
		FACT(TEXT, version, AT("metadata.product", "version")),                            \
		CONST(AT("metadata", "profiles"),                                                  \
		      "[\"container\",\"host\",\"security_control\"]"),                            \
		FACT(INT, sequence, AT("metadata", "sequence")),                                   \
		FACT(TEXT, kind, AT("metadata", "type")),                                          \
		FACT(TEXT, entry_uid, AT("metadata", "uid")),                                      \
		CONST(AT("metadata", "version"), "\"1.8.0\""),                                     \
		FIELD(STRING, "policy", judgement.policy, AT("policy", "uid"),                     \
		      "id of the rule set", ),                                                     \
		FIELD(STRING, "policy_version", judgement.policy_version, AT("policy", "version"), \
		      "version of the rule set", WEAK)

#define SEVERITY_ROWS                                                                            \
	FACT(TEXT, severity, TOP("severity")),                                                   \
		SHOWN(INT, "severity", judgement.severity, TOP("severity_id"), INT, severity_id, \
		      "1 informational to 5 critical", )

#define START_ROW                                                     \
	FIELD(INT, "first_ms", judgement.first_ms, TOP("start_time"), \
	      "time of the first event folded into this entry, ms since 1970", )

#define STATUS_ROWS FACT(INT, status_id, TOP("status_id"))

/* Not for rules: a verdict must not hang on the hour at which it is recomputed. */
#define TIME_ROW                                                                           \
	{                                                                                  \
		.type = FIELD_INT, .offset = offsetof(struct event, wall_ms), TOP("time"), \
		.form = FORM_FACT_INT, .fact = offsetof(struct facts, time_ms)             \
	}

#define TYPE_ROW FACT(INT, type_uid, TOP("type_uid"))

/* The order of the groups for a kind that is a process's life (class 1007). */
#define LIFE_HEAD_ROWS \
	ACTIVITY_ROWS, PARENT_ROWS, LOGIN_ROWS, CLASS_ROWS, COUNT_ROW, DEVICE_ROWS, END_ROWS
#define LIFE_TAIL_ROWS                                                                        \
	RULE_ROWS, MESSAGE_ROWS, PROCESS_ROWS("process"), SEVERITY_ROWS, START_ROW, TIME_ROW, \
		TYPE_ROW

#endif /* EVENT_FIELDS_H */
