/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * summary.c - what went where, under whose law, by whom: sums for people.
 *
 * Bytes are sums of the entries' deltas, so each counts once, folded or not. A
 * flow is counted where it begins, with its verdict; a fold tells how many it
 * stands for when it closes. Rows are bounded: what comes later is "other".
 */
#define HASH_NONFATAL_OOM 1

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "plain.h"
#include "sink.h"

#define ROWS_MAX      1024
#define PROCESSES_MAX 16384 /* distinct ones, over all rows */
#define KEY_BYTES     48
#define VERDICTS      4
#define LABEL_WIDTH   34

static const char *const verdicts[VERDICTS] = {"allowed", "conditional", "unknown", "violation"};

struct row {
	UT_hash_handle hh;
	char key[KEY_BYTES];
	uint64_t flows;  /* begun; attempts too */
	uint64_t failed; /* of these: attempts that came to nothing */
	uint64_t bytes;
	uint64_t processes;
	uint64_t verdicts[VERDICTS];
};

struct table {
	struct row *rows;
	struct row other;
	uint64_t overflowed; /* entries in other */
};

/* A process seen in a row. Zeroed whole before it is filled: it is hashed by its bytes. */
struct seen_key {
	const struct row *row;
	int64_t pid;
	int64_t started_ns;
};

struct seen {
	UT_hash_handle hh;
	struct seen_key key;
};

struct summary {
	struct sink sink;
	struct table places;
	struct table programs;
	struct seen *seen;
	bool is_seen_full; /* numbers of processes are lower bounds */
	struct row all;
	uint64_t entries;
	uint64_t alerts;
	uint64_t lost;
};

static struct summary *
summary_of(struct sink *sink)
{
	return (struct summary *)(void *)sink;
}

static void
copy_key(char out[KEY_BYTES], const char *text)
{
	memset(out, 0, KEY_BYTES);
	memcpy(out, text, strnlen(text, KEY_BYTES - 1));
}

/* "US, operator US"; the scope where there is no country. */
static void
name_place(const struct event_place *place, char out[KEY_BYTES])
{
	const char *scope = place->scope ? place->scope : "unknown";

	memset(out, 0, KEY_BYTES);
	if (place->location || place->operator_country)
		snprintf(out, KEY_BYTES, "%.16s, operator %.16s",
			 place->location ? place->location : "unknown",
			 place->operator_country ? place->operator_country : "unknown");
	else if (strcmp(scope, "public") == 0)
		copy_key(out, "unknown");
	else
		copy_key(out, scope);
}

static struct row *
find(struct table *table, const char key[KEY_BYTES])
{
	struct row *row;

	HASH_FIND(hh, table->rows, key, KEY_BYTES, row);
	if (row)
		return row;
	if (HASH_COUNT(table->rows) >= ROWS_MAX || !(row = calloc(1, sizeof(*row)))) {
		table->overflowed++;
		return &table->other;
	}
	memcpy(row->key, key, KEY_BYTES);
	HASH_ADD(hh, table->rows, key, KEY_BYTES, row);
	if (row->hh.tbl)
		return row;
	free(row);
	table->overflowed++;
	return &table->other;
}

/* True when this process was not yet seen in this row. */
static bool
note_process(struct summary *summary, const struct row *row, const struct event_process *process)
{
	struct seen_key key;
	struct seen *seen;

	if (process->pid == ABSENT)
		return false;
	memset(&key, 0, sizeof(key));
	key.row = row;
	key.pid = process->pid;
	key.started_ns = process->started_ns;
	HASH_FIND(hh, summary->seen, &key, sizeof(key), seen);
	if (seen)
		return false;
	seen = HASH_COUNT(summary->seen) < PROCESSES_MAX ? calloc(1, sizeof(*seen)) : NULL;
	if (seen) {
		memcpy(&seen->key, &key, sizeof(key));
		HASH_ADD(hh, summary->seen, key, sizeof(key), seen);
	}
	if (!seen || !seen->hh.tbl) {
		free(seen);
		summary->is_seen_full = true;
		return false;
	}
	return true;
}

static bool
is_word(const char *text, const char *word)
{
	return text && strcmp(text, word) == 0;
}

/*
 * Flows begun and attempts made that this entry stands for. A fold of alerts is
 * counted when it closes: only then it tells all of them, its first one included.
 */
static uint64_t
new_flows(const struct event *event)
{
	const struct event_judgement *judgement = &event->judgement;
	uint64_t folded = judgement->count == ABSENT ? 0 : (uint64_t)judgement->count;

	if (!judgement->phase)
		return !event->moment || is_word(event->moment, "open");
	return is_word(judgement->phase, "sum") || is_word(judgement->phase, "close") ? folded : 0;
}

static uint64_t
new_bytes(const struct event *event)
{
	bool is_last = !event->moment || is_word(event->moment, "close");

	if (event->delta_bytes != ABSENT)
		return event->delta_bytes > 0 ? (uint64_t)event->delta_bytes : 0;
	if (event->judgement.phase || !is_last || event->bytes == ABSENT || event->bytes < 0)
		return 0;
	return (uint64_t)event->bytes;
}

static void
add(struct row *row, const struct event *event)
{
	uint64_t flows = new_flows(event);
	size_t i;

	row->flows += flows;
	row->bytes += new_bytes(event);
	if (event->type->kind == WIRE_CONNECT)
		row->failed += flows;
	for (i = 0; i < VERDICTS; i++)
		if (is_word(event->judgement.verdict, verdicts[i]))
			row->verdicts[i] += flows;
}

static void
add_to(struct summary *summary, struct table *table, const char key[KEY_BYTES],
       const struct event *event)
{
	struct row *row = find(table, key);

	add(row, event);
	row->processes += note_process(summary, row, &event->process);
}

static int
put(struct sink *sink, const struct delivery *delivery)
{
	struct summary *summary = summary_of(sink);
	const struct event *event = delivery->event;
	char key[KEY_BYTES];

	if (event->type == &event_finding) /* its alert is counted */
		return 0;
	summary->entries++;
	summary->alerts += event->judgement.alert;
	if (event->type->kind == WIRE_GAP && event->lost != ABSENT)
		summary->lost += (uint64_t)event->lost;
	if (event->type->kind != WIRE_FLOW && event->type->kind != WIRE_CONNECT)
		return 0;
	add(&summary->all, event);
	summary->all.processes += note_process(summary, &summary->all, &event->process);
	name_place(&event->dst_place, key);
	add_to(summary, &summary->places, key, event);
	copy_key(key, event->process.name ? event->process.name : "unknown");
	add_to(summary, &summary->programs, key, event);
	return 0;
}

static int
commit(struct sink *sink, uint64_t ticket)
{
	(void)sink;
	(void)ticket;
	return 0;
}

/* Printing
 * --------
 */

static int
by_bytes(const struct row *a, const struct row *b)
{
	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	if (a->flows != b->flows)
		return a->flows < b->flows ? 1 : -1;
	return strcmp(a->key, b->key);
}

static void
print_heading(FILE *out, const char *label, bool colour)
{
	fprintf(out, "%s%-*s %10s %8s %11s %10s %10s %12s %10s %10s%s\n", colour ? "\033[1m" : "",
		LABEL_WIDTH, label, "FLOWS", "FAILED", "BYTES", "PROCESSES", "ALLOWED",
		"CONDITIONAL", "UNKNOWN", "VIOLATION", colour ? "\033[0m" : "");
}

static void
print_row(FILE *out, const struct row *row, const char *label, bool is_least, bool colour)
{
	const char *tint = !colour            ? ""
			   : row->verdicts[3] ? "\033[31m"
			   : row->verdicts[2] ? "\033[33m"
					      : "";
	struct buf name = {0};
	char bytes[PLAIN_BYTES], processes[24];
	size_t width = plain_add(&name, label, LABEL_WIDTH);

	plain_pad(&name, width, LABEL_WIDTH + 1);
	snprintf(processes, sizeof(processes), "%" PRIu64 "%s", row->processes,
		 is_least ? "+" : "");
	fprintf(out, "%s%s", tint, buf_text(&name));
	fprintf(out, "%10" PRIu64 " %8" PRIu64 " %11s %10s %10" PRIu64 " %12" PRIu64, row->flows,
		row->failed,
		plain_bytes(row->bytes > INT64_MAX ? INT64_MAX : (int64_t)row->bytes, bytes),
		processes, row->verdicts[0], row->verdicts[1]);
	fprintf(out, " %10" PRIu64 " %10" PRIu64 "%s\n", row->verdicts[2], row->verdicts[3],
		tint[0] ? "\033[0m" : "");
	buf_fini(&name);
}

static void
print_table(const struct summary *summary, struct table *table, const char *label, FILE *out,
	    bool colour)
{
	struct row *row, *next;

	print_heading(out, label, colour);
	HASH_SORT(table->rows, by_bytes);
	HASH_ITER (hh, table->rows, row, next)
		print_row(out, row, row->key, summary->is_seen_full, colour);
	if (table->overflowed)
		print_row(out, &table->other, "other", true, colour);
}

void
summary_print(struct sink *sink, FILE *out, bool colour)
{
	struct summary *summary = summary_of(sink);

	print_table(summary, &summary->places, "DESTINATION", out, colour);
	print_row(out, &summary->all, "all", summary->is_seen_full, colour);
	fputc('\n', out);
	print_table(summary, &summary->programs, "PROGRAM", out, colour);
	fprintf(out,
		"\n%" PRIu64 " entries, %" PRIu64 " of them alerts; %" PRIu64
		" records known to be lost\n",
		summary->entries, summary->alerts, summary->lost);
}

static void
free_table(struct table *table)
{
	struct row *row, *next;

	HASH_ITER (hh, table->rows, row, next) {
		HASH_DEL(table->rows, row);
		free(row);
	}
}

static void
summary_close(struct sink *sink)
{
	struct summary *summary = summary_of(sink);
	struct seen *seen, *next;

	if (!summary)
		return;
	HASH_ITER (hh, summary->seen, seen, next) {
		HASH_DEL(summary->seen, seen);
		free(seen);
	}
	free_table(&summary->places);
	free_table(&summary->programs);
	free(summary);
}

static const struct sink_ops ops = {
	.name = "summary", .put = put, .commit = commit, .close = summary_close};

int
summary_open(struct sink **out)
{
	struct summary *summary = calloc(1, sizeof(*summary));

	if (!summary)
		return -ENOMEM;
	summary->sink.ops = &ops;
	*out = &summary->sink;
	return 0;
}
