/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * people.c - one aligned line for each alert, gap and word of the agent.
 *
 *	10:00:01 HIGH   curl[4242]  p-3f9c21aa0b1c2d3e  7f3c1b2a9d0e
 *		203.0.113.9:443/tcp  US/US  12.3 KiB  eu.outside-eea  open
 *
 * (in one line). Strings that others chose are made harmless, and personal ones
 * go through the same privacy modes as the journal's.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "outbox.h"
#include "sink.h"
#include "plain.h"

#define LIMIT_BYTES   ((size_t)1024 * 1024)
#define CLOSE_WAIT_MS 500
#define ADDRESS_TEXT  (IP_TEXT + 32)

struct people {
	struct sink sink;
	struct outbox outbox;
	const struct privacy *privacy;
	bool colour;
	struct buf line;
	struct buf cell;
	uint64_t told; /* dropped lines, as far as they were shown */
};

struct column {
	size_t width;
	void (*fill)(struct people *people, const struct event *event);
};

static struct people *
people_of(struct sink *sink)
{
	return (struct people *)(void *)sink;
}

/* Who
 * ---
 */

static bool
is_administrator(const struct privacy *privacy, const char *name)
{
	const char *const *each;

	for (each = privacy->administrators; each && *each; each++)
		if (strcmp(*each, name) == 0)
			return true;
	return false;
}

/* The user as the journal shows him: his name, a pseudonym, or nothing. */
static const char *
shown_user(const struct people *people, const struct event_process *process,
	   char out[PSEUDONYM_TEXT + 16])
{
	enum privacy_mode mode = people->privacy->mode[PRIVACY_USER];
	const char *name = process->user;
	char number[32];

	if (!name && process->uid == process->loginuid)
		name = process->login_user;
	if (!name && process->uid == ABSENT)
		return process->uid_shown ? process->uid_shown : "-";
	snprintf(number, sizeof(number), "uid:%" PRId64, process->uid);
	if (mode == PRIVACY_FULL || is_administrator(people->privacy, name                ? name
								      : process->uid == 0 ? "root"
											  : "")) {
		snprintf(out, PSEUDONYM_TEXT + 16, "%s", name ? name : number);
		return out;
	}
	if (mode == PRIVACY_DROP)
		return "-";
	privacy_pseudonym(people->privacy, name ? name : number, out);
	return out;
}

/* A process may be called like its user. Without a name, the last part of its path. */
static void
fill_process(struct people *people, const struct event *event)
{
	const struct event_process *process = &event->process;
	char user[PSEUDONYM_TEXT + 16];
	struct buf path = {0};
	const char *name = process->name, *slash;

	if (name && ((process->user && strcmp(name, process->user) == 0) ||
		     (process->login_user && strcmp(name, process->login_user) == 0)))
		name = shown_user(people, process, user);
	if (!name && process->exe) {
		privacy_path(people->privacy, process->exe, process->user, &path);
		slash = strrchr(buf_text(&path), '/');
		name = slash ? slash + 1 : buf_text(&path);
	}
	plain_add(&people->cell, name ? name : event->type->name, 24);
	if (process->pid != ABSENT)
		buf_addf(&people->cell, "[%" PRId64 "]", process->pid);
	buf_fini(&path);
}

static void
fill_user(struct people *people, const struct event *event)
{
	char user[PSEUDONYM_TEXT + 16];

	plain_add(&people->cell, shown_user(people, &event->process, user), 24);
}

/* The pod's and the container's first characters, or the unit. */
static void
fill_where(struct people *people, const struct event *event)
{
	const struct event_process *process = &event->process;
	struct buf unit = {0};
	char part[16];

	if (process->pod) {
		snprintf(part, sizeof(part), "%.8s/", process->pod);
		plain_add(&people->cell, part, sizeof(part));
	}
	if (process->container) {
		snprintf(part, sizeof(part), "%.12s", process->container);
		plain_add(&people->cell, part, sizeof(part));
	} else if (process->unit) {
		privacy_path(people->privacy, process->unit, process->user, &unit);
		plain_add(&people->cell, buf_text(&unit), 22);
	} else {
		buf_addc(&people->cell, '-');
	}
	buf_fini(&unit);
}

/* What
 * ----
 */

static void
fill_time(struct people *people, const struct event *event)
{
	time_t seconds = (time_t)(event->wall_ms / 1000);
	struct tm tm = {0};
	char text[16];

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	buf_adds(&people->cell, text);
}

/* A gap is an alarm of its own. */
static const char *
level_of(const struct event *event)
{
	if (event->type->kind == WIRE_GAP)
		return "high";
	return event->judgement.level ? event->judgement.level : "informational";
}

static void
fill_level(struct people *people, const struct event *event)
{
	static const char *const words[][2] = {{"informational", "INFO"},
					       {"low", "LOW"},
					       {"medium", "MEDIUM"},
					       {"high", "HIGH"},
					       {"critical", "CRIT"}};
	const char *level = level_of(event);
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i][0], level) == 0)
			level = words[i][1];
	plain_add(&people->cell, level, 6);
}

static void
fill_destination(struct people *people, const struct event *event)
{
	char ip[IP_TEXT];
	bool is_v6 = !ip_is_v4(&event->dst);

	ip_format(&event->dst, ip);
	if (event->dst_port != ABSENT)
		buf_addf(&people->cell, is_v6 ? "[%s]:%" PRId64 : "%s:%" PRId64, ip,
			 event->dst_port);
	else
		buf_adds(&people->cell, ip);
	if (event->protocol_name) {
		buf_addc(&people->cell, '/');
		plain_add(&people->cell, event->protocol_name, 12);
	} else if (event->protocol != ABSENT) {
		buf_addf(&people->cell, "/%" PRId64, event->protocol);
	}
}

/* Country of the place, and of the operator; a special scope by its name. */
static void
fill_country(struct people *people, const struct event *event)
{
	const struct event_place *place = &event->dst_place;

	if (!place->location && !place->operator_country && place->scope &&
	    strcmp(place->scope, "public") != 0) {
		plain_add(&people->cell, place->scope, 14);
		return;
	}
	plain_add(&people->cell, place->location ? place->location : "??", 8);
	buf_addc(&people->cell, '/');
	plain_add(&people->cell, place->operator_country ? place->operator_country : "??", 8);
}

static void
fill_bytes(struct people *people, const struct event *event)
{
	char text[PLAIN_BYTES];

	if (event->outcome)
		plain_add(&people->cell, event->outcome, 11);
	else
		buf_adds(&people->cell, plain_bytes(event->bytes, text));
}

static void
fill_rule(struct people *people, const struct event *event)
{
	const struct event_judgement *judgement = &event->judgement;
	const char *rule = judgement->rule ? judgement->rule : judgement->verdict;

	plain_add(&people->cell, rule ? rule : "-", 48);
}

static void
fill_phase(struct people *people, const struct event *event)
{
	const struct event_judgement *judgement = &event->judgement;

	if (judgement->phase)
		plain_add(&people->cell, judgement->phase, 8);
	if (judgement->count != ABSENT && judgement->count > 1)
		buf_addf(&people->cell, " x%" PRId64, judgement->count);
}

static void
fill_reason(struct people *people, const struct event *event)
{
	plain_add(&people->cell, event->reason ? event->reason : "-", 24);
}

static void
fill_message(struct people *people, const struct event *event)
{
	if (event->lost != ABSENT)
		buf_addf(&people->cell, "%" PRId64 " lost", event->lost);
	if (event->missing) {
		buf_adds(&people->cell, ": ");
		plain_add(&people->cell, event->missing, 24);
	}
	if (!event->message)
		return;
	if (people->cell.length)
		buf_adds(&people->cell, ", ");
	plain_add(&people->cell, event->message, 512);
}

/* Lines
 * -----
 */

static const struct column of_alerts[] = {
	{8, fill_time},   {6, fill_level},        {22, fill_process}, {18, fill_user},
	{22, fill_where}, {27, fill_destination}, {14, fill_country}, {11, fill_bytes},
	{28, fill_rule},  {0, fill_phase},        {0, NULL},
};

/* Words about the monitor itself, or about what has no destination. */
static const struct column of_agent[] = {
	{8, fill_time},    {6, fill_level},   {22, fill_process},
	{18, fill_reason}, {0, fill_message}, {0, NULL},
};

static const struct column of_processes[] = {
	{8, fill_time},  {6, fill_level}, {22, fill_process}, {18, fill_user}, {22, fill_where},
	{28, fill_rule}, {0, fill_phase}, {0, fill_message},  {0, NULL},
};

static const struct column *
choose_columns(const struct event *event)
{
	enum wire_kind kind = event->type->kind;

	if (kind == WIRE_GAP || kind == WIRE_AGENT)
		return of_agent;
	if (kind == WIRE_FLOW || kind == WIRE_CONNECT)
		return of_alerts;
	return of_processes;
}

static const char *
colour_of(const char *level)
{
	static const char *const colours[][2] = {{"critical", "\033[1;31m"},
						 {"high", "\033[31m"},
						 {"medium", "\033[33m"},
						 {"low", "\033[36m"}};
	size_t i;

	for (i = 0; i < sizeof(colours) / sizeof(colours[0]); i++)
		if (strcmp(colours[i][0], level) == 0)
			return colours[i][1];
	return "\033[2m";
}

/* Columns that a cell's text takes: continuation bytes of UTF-8 take none. */
static size_t
columns_of(const struct buf *cell)
{
	size_t i, count = 0;

	for (i = 0; i < cell->length; i++)
		count += ((unsigned char)cell->data[i] & 0xc0) != 0x80;
	return count;
}

/* A cell that is too wide pushes the next ones; blanks are taken back where there is room. */
static void
make_line(struct people *people, const struct event *event)
{
	const struct column *column = choose_columns(event);
	size_t at = 0, due = 0;

	buf_clear(&people->line);
	if (people->colour)
		buf_adds(&people->line, colour_of(level_of(event)));
	for (; column->fill; column++) {
		buf_clear(&people->cell);
		column->fill(people, event);
		buf_add(&people->line, people->cell.data, people->cell.length);
		at += columns_of(&people->cell);
		due += column->width + 1;
		if (!column[1].fill)
			break;
		plain_pad(&people->line, at, due);
		at = at + 1 > due ? at + 1 : due;
	}
	buf_adds(&people->line, people->colour ? "\033[0m\n" : "\n");
}

static int
put(struct sink *sink, const struct delivery *delivery)
{
	struct people *people = people_of(sink);
	const struct event *event = delivery->event;

	if (event->type == &event_finding) /* its alert is shown */
		return 0;
	if (!event->judgement.alert && event->type->kind != WIRE_GAP &&
	    event->type->kind != WIRE_AGENT)
		return 0;
	make_line(people, event);
	if (people->line.failed || people->cell.failed) {
		people->line.failed = people->cell.failed = false;
		people->outbox.dropped++;
		return -ENOMEM;
	}
	return outbox_put(&people->outbox, delivery->ticket, people->line.data,
			  people->line.length);
}

/* A reader who was too slow learns what was not shown as soon as there is room again. */
static void
tell_dropped(struct people *people, uint64_t ticket)
{
	uint64_t dropped = people->outbox.dropped - people->told;

	if (!dropped || people->outbox.ready.length - people->outbox.sent > LIMIT_BYTES / 2)
		return;
	buf_clear(&people->line);
	buf_addf(&people->line, "-- %" PRIu64 " lines not shown: too many to read --\n", dropped);
	if (outbox_put(&people->outbox, ticket, people->line.data, people->line.length) == 0)
		people->told += dropped;
}

static int
commit(struct sink *sink, uint64_t ticket)
{
	struct people *people = people_of(sink);
	int error = outbox_commit(&people->outbox, ticket);

	if (!error)
		tell_dropped(people, ticket);
	return error;
}

static void
people_close(struct sink *sink)
{
	struct people *people = people_of(sink);

	if (!people)
		return;
	outbox_flush(&people->outbox, CLOSE_WAIT_MS);
	outbox_fini(&people->outbox);
	buf_fini(&people->line);
	buf_fini(&people->cell);
	free(people);
}

static const struct sink_ops ops = {
	.name = "people", .put = put, .commit = commit, .close = people_close};

int
people_open(struct sink **out, int fd, enum sink_pace pace, bool colour,
	    const struct privacy *privacy)
{
	struct people *people = calloc(1, sizeof(*people));

	if (!people)
		return -ENOMEM;
	people->sink.ops = &ops;
	people->privacy = privacy;
	people->colour = colour;
	outbox_init(&people->outbox, fd, LIMIT_BYTES);
	people->outbox.waits = pace == SINK_WAITS;
	*out = &people->sink;
	return 0;
}
