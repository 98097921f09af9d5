/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* facts.c - what an entry says beyond the event's own members: OCSF numbers and the stamp. */
#include "event/facts.h"

#include <string.h>

#include "event/finding.h"
#include "event/monitor.h"
#include "event/network.h"
#include "event/text.h"

enum { SEVERITY_INFORMATIONAL = 1, SEVERITY_MEDIUM = 3 };
enum { DISPOSITION_LOGGED = 17, DISPOSITION_ALERT = 19 };
enum { STATUS_SUCCESS = 1, STATUS_FAILURE = 2 };
enum { STATUS_NEW = 1, STATUS_OTHER = 99 }; /* of findings */
enum { BOUNDARY_LOCALHOST = 1, BOUNDARY_INTERNAL = 2, BOUNDARY_EXTERNAL = 3 };

static const char *const severities[] = {"Unknown", "Informational", "Low",  "Medium",
					 "High",    "Critical",      "Fatal"};

const char *
facts_keep(struct facts *facts, const char *text, size_t length)
{
	char *kept = facts->room + facts->used;

	if (length >= sizeof(facts->room) - facts->used)
		return NULL;
	memcpy(kept, text, length);
	kept[length] = '\0';
	facts->used += length + 1;
	return kept;
}

static bool
is(const char *text, const char *word)
{
	return text && strcmp(text, word) == 0;
}

/* The kind of what happened: of a finding, that of its alert. */
static const struct event_type *
subject(const struct event *event)
{
	return event->subject ? event->subject : event->type;
}

static const char *
network_activity(int64_t id)
{
	switch (id) {
	case NETWORK_OPEN:
		return "Open";
	case NETWORK_CLOSE:
		return "Close";
	case NETWORK_FAIL:
		return "Fail";
	case NETWORK_REFUSE:
		return "Refuse";
	}
	return "Traffic";
}

static const char *
monitor_activity(const struct event *event, int64_t id)
{
	if (id == MONITOR_START)
		return "Start";
	if (id == MONITOR_STOP)
		return "Stop";
	if (event->type->kind == WIRE_GAP)
		return "Events lost";
	if (is(event->reason, "reload"))
		return "Reload";
	if (is(event->reason, "reload-failed"))
		return "Reload failed";
	return is(event->reason, "stream") ? "Stream" : "Coverage";
}

static const char *
finding_activity(int64_t id)
{
	switch (id) {
	case FINDING_UPDATE:
		return "Update";
	case FINDING_CLOSE:
		return "Close";
	}
	return "Create";
}

static void
fill_class(struct facts *facts, const struct event *event)
{
	const struct event_type *type = event->type;

	facts->kind = type->name;
	facts->class_uid = type->class_uid;
	facts->category_uid = type->class_uid / 1000;
	facts->activity_id = type->activity_id(event);
	facts->type_uid = facts->class_uid * 100 + facts->activity_id;
	switch (type->class_uid) {
	case 4001:
		facts->activity_name = network_activity(facts->activity_id);
		facts->process_path = "actor.process";
		break;
	case 1007:
		facts->activity_name = facts->activity_id == 1 ? "Launch" : "Terminate";
		facts->process_path = "process";
		break;
	case 2004:
		facts->activity_name = finding_activity(facts->activity_id);
		facts->process_path = "evidences[0].actor.process";
		break;
	default:
		facts->activity_name = monitor_activity(event, facts->activity_id);
	}
}

/* A hole that no rule has judged is nothing that may pass in silence. */
static void
fill_judgement(struct facts *facts, const struct event *event)
{
	const struct event_judgement *judgement = &event->judgement;
	bool is_bare_gap = event->type->kind == WIRE_GAP && !judgement->rule;

	facts->alert = judgement->alert || is_bare_gap;
	facts->severity_id = judgement->severity;
	if (facts->severity_id < 0 || facts->severity_id > 6)
		facts->severity_id = is_bare_gap ? SEVERITY_MEDIUM : SEVERITY_INFORMATIONAL;
	facts->severity = severities[facts->severity_id];
	facts->disposition_id = facts->alert ? DISPOSITION_ALERT : DISPOSITION_LOGGED;
	facts->disposition = facts->alert ? "Alert" : "Logged";
	facts->judged = judgement->rule      ? judgement->rule
			: judgement->verdict ? judgement->verdict
					     : "none";
}

static int64_t
boundary(const char *scope)
{
	if (is(scope, "loopback"))
		return BOUNDARY_LOCALHOST;
	if (is(scope, "own") || is(scope, "private") || is(scope, "link-local"))
		return BOUNDARY_INTERNAL;
	return is(scope, "public") ? BOUNDARY_EXTERNAL : ABSENT;
}

static void
fill_network(struct facts *facts, const struct event *event)
{
	char text[IP_TEXT];
	size_t length;

	facts->boundary_id = boundary(event->dst_place.scope);
	facts->ip_version = ABSENT;
	if (subject(event)->class_uid != 4001)
		return;
	facts->ip_version = ip_is_v4(&event->dst) ? 4 : 6;
	length = text_ip(text, &event->dst);
	facts->dst_ip = facts_keep(facts, text, length);
}

/* None of them says that somebody looked: that is the analyst's to say. */
static void
fill_finding_status(struct facts *facts)
{
	bool is_new = facts->activity_id == FINDING_CREATE;

	facts->status_id = is_new ? STATUS_NEW : STATUS_OTHER;
	facts->status = is_new ? "New" : facts->activity_id == FINDING_CLOSE ? "Ended" : "Ongoing";
}

static void
fill_status(struct facts *facts, const struct event *event)
{
	char number[16] = "E";
	const char *name;

	facts->status_id = ABSENT;
	if (event->subject) {
		fill_finding_status(facts);
		return;
	}
	if (is(event->reason, "reload"))
		facts->status_id = STATUS_SUCCESS;
	if (is(event->reason, "reload-failed") || event->type->kind == WIRE_CONNECT)
		facts->status_id = STATUS_FAILURE;
	if (event->error == ABSENT || event->error <= 0 || event->error > 4095)
		return;
	name = strerrorname_np((int)event->error);
	if (!name) {
		number[1] = (char)('0' + event->error / 1000);
		number[2] = (char)('0' + event->error / 100 % 10);
		number[3] = (char)('0' + event->error / 10 % 10);
		number[4] = (char)('0' + event->error % 10);
		name = facts_keep(facts, number, 5);
	}
	facts->status_code = name;
}

static void
fill_times(struct facts *facts, const struct event *event, const struct event_stamp *stamp)
{
	int64_t started = event->process.started_ns;
	int64_t age_ms;

	facts->time_ms = event->wall_ms == ABSENT ? stamp->logged_ms : event->wall_ms;
	facts->created_ms = ABSENT;
	if (event->wall_ms == ABSENT || started < 0 || event->time_ns > INT64_MAX)
		return;
	age_ms = ((int64_t)event->time_ns - started) / 1000000;
	if (age_ms >= 0 && age_ms <= event->wall_ms)
		facts->created_ms = event->wall_ms - age_ms;
}

/* Its alert's uid names it, or, of a later one, that of the alert which opened the fold. */
static void
fill_finding(struct facts *facts, const struct event *event)
{
	const struct event_judgement *judgement = &event->judgement;
	const struct event_type *of = event->subject;

	if (!of)
		return;
	facts->finding_uid = judgement->opened ? judgement->opened : event->alert_uid;
	facts->subject = of->name;
	facts->subject_type_uid = of->class_uid * 100 + of->activity_id(event);
	facts->first_seen_ms = judgement->first_ms == ABSENT ? facts->time_ms : judgement->first_ms;
	facts->last_seen_ms = judgement->last_ms == ABSENT ? facts->time_ms : judgement->last_ms;
}

static void
fill_stamp(struct facts *facts, const struct event_stamp *stamp)
{
	facts->entry_uid = stamp->uid;
	facts->sequence = stamp->sequence > INT64_MAX ? INT64_MAX : (int64_t)stamp->sequence;
	facts->log_name = stamp->log_name;
	facts->logged_ms = stamp->logged_ms;
	facts->node = stamp->node;
	facts->cluster = stamp->cluster;
	facts->version = stamp->version;
	facts->boot_id = stamp->boot_id;
}

static void
fill_process(struct facts *facts, const struct event *event)
{
	const char *slash = facts->exe ? strrchr(facts->exe, '/') : NULL;

	facts->exe_name = slash && slash[1] ? slash + 1 : facts->exe;
	facts->shown_process = facts->name ? facts->name : "unknown";
	if (event->process.ppid == ABSENT)
		facts->invoked_by = "unknown";
	if (event->process.pid == ABSENT)
		facts->process_uid = is(event->basis, "unknown") ? "unknown" : "several";
}

void
facts_fill(struct facts *facts, const struct event *event, const struct event_stamp *stamp,
	   const struct privacy *privacy)
{
	memset(facts, 0, offsetof(struct facts, room));
	fill_class(facts, event);
	fill_judgement(facts, event);
	fill_network(facts, event);
	fill_status(facts, event);
	fill_times(facts, event, stamp);
	fill_finding(facts, event);
	fill_stamp(facts, stamp);
	facts_hide(facts, &event->process, privacy);
	fill_process(facts, event);
	facts->message = event->message ? event->message : facts_sentence(facts, event);
}
