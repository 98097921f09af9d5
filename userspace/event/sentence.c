/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sentence.c - what happened, in one line for people. */
#include <string.h>

#include "event/facts.h"
#include "event/text.h"

/* The facts' room, while a sentence grows in it. Cut where it ends. */
struct line {
	char *at;
	char *end;
};

static void
say(struct line *line, const char *text)
{
	size_t room = (size_t)(line->end - line->at);
	size_t length = strnlen(text, room);

	line->at = mempcpy(line->at, text, length);
}

static void
say_int(struct line *line, int64_t value)
{
	char text[INT_TEXT];

	text_digits(text, value);
	say(line, text);
}

static void
say_with(struct line *line, const char *before, const char *text)
{
	if (!text)
		return;
	say(line, before);
	say(line, text);
}

/* The first twelve digits name a container for people. */
static void
say_container(struct line *line, const char *container)
{
	char start[13] = {0};

	memcpy(start, container, strnlen(container, sizeof(start) - 1));
	say(line, " (container ");
	say(line, start);
	say(line, ")");
}

static void
say_who(struct line *line, const struct facts *facts, const struct event *event)
{
	const struct event_process *process = &event->process;

	if (facts->name) {
		say(line, facts->name);
	} else if (process->pid != ABSENT) {
		say(line, "process ");
		say_int(line, process->pid);
	} else {
		say(line, "unknown process");
	}
	if (process->pod) {
		say_with(line, " (pod ", process->pod);
		say(line, ")");
	} else if (process->container) {
		say_container(line, process->container);
	} else if (facts->unit) {
		say_with(line, " (", facts->unit);
		say(line, ")");
	}
}

static void
say_destination(struct line *line, const struct facts *facts, const struct event *event)
{
	bool is_bracketed = facts->ip_version == 6 && event->dst_port != ABSENT;

	say(line, is_bracketed ? " to [" : " to ");
	say(line, facts->dst_ip ? facts->dst_ip : "?");
	if (is_bracketed)
		say(line, "]");
	if (event->dst_port != ABSENT) {
		say(line, ":");
		say_int(line, event->dst_port);
	}
	if (event->protocol_name) {
		say_with(line, "/", event->protocol_name);
	} else if (event->protocol != ABSENT) {
		say(line, "/");
		say_int(line, event->protocol);
	}
	if (event->dst_place.location || event->dst_place.operator_country) {
		say_with(line, " in ", event->dst_place.location);
		say_with(line, ", operator ", event->dst_place.operator_country);
	} else {
		say_with(line, ", ", event->dst_place.scope);
	}
	say_with(line, ": ", event->outcome);
}

static void
say_exit(struct line *line, const struct event *event)
{
	say(line, " ended");
	if (event->exit_signal != ABSENT) {
		say(line, " by signal ");
		say_int(line, event->exit_signal);
	} else if (event->exit_code != ABSENT) {
		say(line, " with ");
		say_int(line, event->exit_code);
	}
}

static void
say_gap(struct line *line, const struct event *event)
{
	bool is_quota = event->reason && !strcmp(event->reason, "quota");

	if (event->reason && !strcmp(event->reason, "unread")) {
		say_int(line, event->lost);
		say(line, event->lost == ABSENT ? "an unknown number of entries" : " entries");
		say(line, " of the journal could not be streamed");
		return;
	}
	if (event->reason && !strcmp(event->reason, "gone")) {
		say_int(line, event->lost);
		say(line, " entries that were written are gone from the journal");
		return;
	}
	if (event->lost == ABSENT) { /* nobody counted */
		say(line, "demarc did not count: what left meanwhile is not known");
		return;
	}
	say_int(line, event->lost);
	say(line, " ");
	if (event->lost_class) {
		say(line, event->lost_class);
		say(line, is_quota ? " entries were refused: the journal's quota is full"
				   : " entries were refused: the disk is too slow");
		return;
	}
	say(line, event->missing ? event->missing : "unknown");
	say(line, " records are missing");
	say_with(line, ": ", event->reason);
}

static void
say_verdict(struct line *line, const struct event_judgement *judgement)
{
	if (!judgement->verdict)
		return;
	say_with(line, ": ", judgement->verdict);
	if (!judgement->rule)
		return;
	say(line, strcmp(judgement->verdict, "violation") == 0 ? " of " : " by ");
	if (judgement->policy) {
		say(line, judgement->policy);
		say(line, "/");
	}
	say(line, judgement->rule);
}

static void
say_what(struct line *line, const struct facts *facts, const struct event *event)
{
	switch ((event->subject ? event->subject : event->type)->kind) {
	case WIRE_FLOW:
	case WIRE_CONNECT:
		say_who(line, facts, event);
		say_destination(line, facts, event);
		break;
	case WIRE_FORK:
		say_who(line, facts, event);
		say_with(line, " began, child of ", facts->parent_name);
		say(line, facts->parent_name ? "" : " began");
		break;
	case WIRE_EXEC:
		say_who(line, facts, event);
		say_with(line, event->seeded ? " was running " : " ran ",
			 facts->exe ? facts->exe : "a program");
		break;
	case WIRE_EXIT:
		say_who(line, facts, event);
		say_exit(line, event);
		break;
	case WIRE_GAP:
		say_gap(line, event);
		break;
	case WIRE_AGENT:
		say_with(line, "agent: ", event->reason ? event->reason : "unknown");
		break;
	case WIRE_KIND_MAX:
		break;
	}
}

const char *
facts_sentence(struct facts *facts, const struct event *event)
{
	char *start = facts->room + facts->used;
	struct line line = {start, facts->room + sizeof(facts->room) - 1};

	if (facts->used >= sizeof(facts->room))
		return NULL;
	say_what(&line, facts, event);
	say_verdict(&line, &event->judgement);
	*line.at = '\0';
	facts->used = (size_t)(line.at - facts->room) + 1;
	return start;
}
