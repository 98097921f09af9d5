/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * facts.h - what an entry says beyond the event's own members.
 *
 * Worked out once per entry, before writing: the OCSF numbers that depend on
 * several members, the stamp's values, the sentence for people, and every
 * personal string after its privacy mode. Rows of the field tables name these
 * members by offset, so nothing personal can be written around its mode.
 */
#ifndef EVENT_FACTS_H
#define EVENT_FACTS_H

#include "event.h"

struct facts {
	const char *kind;
	int64_t category_uid;
	int64_t class_uid;
	int64_t activity_id;
	int64_t type_uid;
	const char *activity_name;
	const char *process_path; /* the OCSF attribute that the process stands at */

	bool alert;
	int64_t severity_id;
	const char *severity;
	int64_t disposition_id;
	const char *disposition;
	int64_t status_id;
	const char *status; /* of a finding */
	const char *status_code;
	const char *message;
	const char *judged; /* the rule, else the verdict */

	/* of a finding */
	const char *finding_uid;
	const char *subject; /* kind of the alert */
	int64_t subject_type_uid;
	int64_t first_seen_ms;
	int64_t last_seen_ms;

	int64_t time_ms;
	int64_t created_ms; /* when the process began, wall time */
	int64_t boundary_id;
	int64_t ip_version;
	const char *dst_ip;

	/* personal, after its mode; NULL when dropped or absent */
	const char *name;
	const char *parent_name;
	const char *exe;
	const char *exe_name; /* last component of exe */
	const char *argv;
	const char *cgroup_path;
	const char *unit;
	const char *user;
	const char *uid;
	const char *gid;
	const char *login_user;
	const char *loginuid;
	const char *shown_process; /* name, or "unknown" */
	const char *invoked_by;    /* where OCSF demands an actor and there is none */
	const char *process_uid;   /* stands where OCSF demands a pid: "unknown", or "several" */

	/* of the stamp */
	const char *entry_uid;
	int64_t sequence;
	const char *log_name;
	int64_t logged_ms;
	const char *node;
	const char *cluster;
	const char *version;
	const char *boot_id;

	size_t used;     /* of room */
	char room[4096]; /* what the strings above point into; last, and never cleared */
};

void facts_fill(struct facts *facts, const struct event *event, const struct event_stamp *stamp,
		const struct privacy *privacy);

/* Copy into the facts' room; NULL when it is full: left out rather than shown raw or cut. */
const char *facts_keep(struct facts *facts, const char *text, size_t length);

/* privacy.c: the personal strings, by mode. */
void facts_hide(struct facts *facts, const struct event_process *process,
		const struct privacy *privacy);

/* sentence.c: what happened, in one line. */
const char *facts_sentence(struct facts *facts, const struct event *event);

#endif /* EVENT_FACTS_H */
