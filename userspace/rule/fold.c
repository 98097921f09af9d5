/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fold - repeats of one hit become few entries with exact numbers.
 *
 * An alert opens a fold and is itself the entry "open"; "update" and "close"
 * carry the totals of the whole fold in bytes, packets and count (of flows begun,
 * or attempts made), and what came since the entry before in delta_bytes and delta_packets. What is
 * not an alert has one entry "sum" for each interval. So adding up the deltas of all entries gives
 * every byte once.
 *
 * Folds stand in the order in which they are next looked at, so a sweep costs
 * what is due and no more.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "rule.h"
#include "rule/fold_copy.h"

#define DEFAULT_INTERVAL_NS UINT64_C(60000000000)
#define DEFAULT_ROOM        16384
#define OWED_LEAST          112 /* bytes of the first struct fold_owed; what came later is 0 */

_Static_assert(sizeof(struct fold_owed) >= OWED_LEAST, "it grows at its tail");

struct fold {
	UT_hash_handle hh;
	TAILQ_ENTRY(fold) order;
	TAILQ_ENTRY(fold) dirty;
	struct event_copy *first;
	uint64_t id;
	bool is_dirty;
	bool is_told; /* by folds_changes() */
	uint64_t check_ns;
	uint64_t alive_ns; /* as owed.last_ns, but also moved by folds_touch() */
	struct fold_owed owed;
	size_t key_length;
	char key[];
};

struct folds {
	struct folds_options options;
	struct fold *table;
	TAILQ_HEAD(, fold) order;
	TAILQ_HEAD(, fold) dirty;
	struct buf forgotten; /* ids of told folds */
	uint64_t next_id;     /* 0: nobody asks for changes */
	struct buf key;       /* of the event on offer */
	struct fold *opened;  /* by the last offer, which became an entry */
	struct fold *told;    /* whose entry was handed out last, while it may be named */
	size_t untold;        /* folds whose first event folds_changes() will hand out */
};

static const struct fold_sums nothing = {0, 0, ABSENT, ABSENT};

static void
fold_free(struct fold *fold)
{
	event_copy_free(fold->first);
	free(fold);
}

static void
forget(struct folds *folds, struct fold *fold)
{
	HASH_DEL(folds->table, fold);
	TAILQ_REMOVE(&folds->order, fold, order);
	if (fold->is_dirty)
		TAILQ_REMOVE(&folds->dirty, fold, dirty);
	if (folds->opened == fold)
		folds->opened = NULL;
	if (folds->told == fold)
		folds->told = NULL;
	if (fold->is_told)
		buf_add(&folds->forgotten, &fold->id, sizeof(fold->id));
	else
		folds->untold--;
	fold_free(fold);
}

static void
mark(struct folds *folds, struct fold *fold)
{
	if (fold->is_dirty || !folds->next_id)
		return;
	fold->is_dirty = true;
	TAILQ_INSERT_TAIL(&folds->dirty, fold, dirty);
}

int
folds_new(struct folds **out, const struct folds_options *options)
{
	struct folds *folds = calloc(1, sizeof(*folds));

	if (!folds)
		return -ENOMEM;
	if (options)
		folds->options = *options;
	if (!folds->options.interval_ns)
		folds->options.interval_ns = DEFAULT_INTERVAL_NS;
	if (!folds->options.room)
		folds->options.room = DEFAULT_ROOM;
	TAILQ_INIT(&folds->order);
	TAILQ_INIT(&folds->dirty);
	folds->next_id = folds->options.first_id;
	*out = folds;
	return 0;
}

void
folds_free(struct folds *folds)
{
	struct fold *fold;

	if (!folds)
		return;
	while ((fold = TAILQ_FIRST(&folds->order)))
		forget(folds, fold);
	buf_fini(&folds->key);
	buf_fini(&folds->forgotten);
	free(folds);
}

size_t
folds_count(const struct folds *folds)
{
	return HASH_COUNT(folds->table);
}

/* Texts end with a NUL, so that "ab","c" and "a","bc" differ. */
static void
add_text(struct buf *key, const char *text)
{
	if (text)
		buf_adds(key, text);
	buf_addc(key, '\0');
}

static void
make_key(struct buf *key, const struct event *event)
{
	const struct event_process *process = &event->process;
	const int64_t numbers[] = {
		event->type->kind,
		event->dst_port,
		event->protocol,
		event->judgement.alert,
		process->container ? ABSENT : process->uid,
	};

	buf_clear(key);
	buf_add(key, numbers, sizeof(numbers));
	buf_add(key, event->dst.bytes, sizeof(event->dst.bytes));
	add_text(key, event->judgement.rule);
	add_text(key, event->judgement.verdict);
	add_text(key, event->role);
	add_text(key, process->container);
	if (!process->container)
		add_text(key, process->exe ? process->exe : process->name);
}

static void
add_number(int64_t *sum, int64_t number)
{
	int64_t total;

	if (number == ABSENT)
		return;
	if (*sum == ABSENT)
		*sum = number;
	else
		*sum = __builtin_add_overflow(*sum, number, &total) ? INT64_MAX : total;
}

static void
add_event(struct fold_sums *totals, const struct event *event)
{
	totals->events++;
	totals->begun += !event->moment || !strcmp(event->moment, "open");
	add_number(&totals->bytes, event->delta_bytes);
	add_number(&totals->packets, event->delta_packets);
}

static void
count(struct folds *folds, struct fold *fold, const struct event *event)
{
	struct fold_owed *owed = &fold->owed;

	if (!owed->all.events)
		owed->first_ms = event->wall_ms;
	if (event->time_ns > fold->alive_ns)
		fold->alive_ns = event->time_ns;
	if (event->time_ns >= owed->last_ns) {
		owed->last_ns = event->time_ns;
		owed->last_ms = event->wall_ms;
	}
	if (event->cookie != owed->cookie)
		owed->cookie = ABSENT;
	if (event->process.pid != owed->pid)
		owed->pid = ABSENT;
	add_event(&owed->all, event);
	add_event(&owed->recent, event);
	mark(folds, fold);
}

/* A new fold in the table, or NULL when there is no memory for it. */
static struct fold *
fold_new(struct folds *folds, const struct event *event)
{
	struct fold *fold = calloc(1, sizeof(*fold) + folds->key.length);

	if (!fold)
		return NULL;
	fold->first = event_copy_new(event);
	fold->key_length = folds->key.length;
	memcpy(fold->key, folds->key.data, folds->key.length);
	if (fold->first)
		HASH_ADD_KEYPTR(hh, folds->table, fold->key, fold->key_length, fold);
	if (!fold->hh.tbl) {
		fold_free(fold);
		return NULL;
	}
	fold->id = folds->next_id;
	folds->next_id += fold->id != 0;
	fold->check_ns = event->time_ns + folds->options.interval_ns;
	fold->owed = (struct fold_owed){
		.size = sizeof(fold->owed),
		.alert = event->judgement.alert,
		.cookie = event->cookie,
		.pid = event->process.pid,
		.all = nothing,
		.recent = nothing,
	};
	TAILQ_INSERT_TAIL(&folds->order, fold, order);
	folds->untold++;
	return fold;
}

enum fold_result
folds_offer(struct folds *folds, struct event *event)
{
	struct fold *fold = NULL;

	folds->opened = folds->told = NULL;
	if (event->type->kind != WIRE_FLOW && event->type->kind != WIRE_CONNECT)
		return FOLD_PASS;
	make_key(&folds->key, event);
	if (folds->key.failed) {
		buf_fini(&folds->key);
		folds->key = (struct buf){0};
		return FOLD_PASS;
	}
	HASH_FIND(hh, folds->table, folds->key.data, folds->key.length, fold);
	if (fold) {
		count(folds, fold, event);
		return FOLD_TAKEN;
	}
	if (folds_count(folds) >= folds->options.room)
		return FOLD_PASS;
	fold = fold_new(folds, event);
	if (!fold)
		return FOLD_PASS;
	count(folds, fold, event);
	if (!fold->owed.alert)
		return FOLD_TAKEN;
	fold->owed.recent = nothing;
	folds->opened = folds->told = fold;
	event->judgement.phase = "open";
	return FOLD_PASS;
}

uint64_t
folds_opened(struct folds *folds)
{
	struct fold *fold = folds->opened;

	if (!fold || !fold->id)
		return 0;
	folds->untold -= !fold->is_told;
	fold->is_told = true;
	return fold->id;
}

void
folds_name(struct folds *folds, const char *uid)
{
	struct fold *fold = folds->told;

	if (!fold || !fold->owed.alert || *fold->owed.opened)
		return;
	snprintf(fold->owed.opened, sizeof(fold->owed.opened), "%s", uid);
	mark(folds, fold);
}

size_t
folds_untold(const struct folds *folds)
{
	return folds->next_id ? folds->untold : 0;
}

void
folds_touch(struct folds *folds, const struct event *event)
{
	struct fold *fold = NULL;

	make_key(&folds->key, event);
	if (!folds->key.failed)
		HASH_FIND(hh, folds->table, folds->key.data, folds->key.length, fold);
	if (fold && event->time_ns > fold->alive_ns)
		fold->alive_ns = event->time_ns;
}

/* What differs between the folded events, and what cannot be added up, is absent. */
static void
make_entry(const struct fold_owed *owed, const char *phase, struct event *out)
{
	out->time_ns = owed->last_ns;
	out->wall_ms = owed->last_ms;
	out->judgement.phase = phase;
	out->judgement.opened = *owed->opened ? owed->opened : NULL;
	out->judgement.count = owed->all.begun ? owed->all.begun : ABSENT;
	out->judgement.first_ms = owed->first_ms;
	out->judgement.last_ms = owed->last_ms;
	out->bytes = owed->all.bytes;
	out->packets = owed->all.packets;
	out->delta_bytes = owed->recent.bytes;
	out->delta_packets = owed->recent.packets;
	out->wire_bytes = out->bytes_in = out->duration_ms = ABSENT;
	if (out->moment)
		out->moment = strcmp(phase, "close") ? "update" : "close";
	if (owed->cookie == ABSENT)
		out->cookie = out->src_port = ABSENT;
	if (owed->pid == ABSENT) {
		out->process.pid = out->process.ppid = ABSENT;
		out->process.started_ns = out->noted_ns = ABSENT;
	}
}

static bool
is_quiet(const struct folds *folds, const struct fold *fold, uint64_t now_ns)
{
	/* A flow tells of itself once an interval: a little more, lest jitter close its fold. */
	uint64_t limit_ns = folds->options.interval_ns + folds->options.interval_ns / 4;

	return now_ns > fold->alive_ns && now_ns - fold->alive_ns >= limit_ns;
}

static const char *
phase_due(const struct folds *folds, const struct fold *fold, uint64_t now_ns, bool flush)
{
	if (!fold->owed.alert)
		return "sum";
	if (flush || is_quiet(folds, fold, now_ns))
		return "close";
	return fold->owed.recent.events ? "update" : NULL;
}

/* Look again after an interval, behind all others. */
static void
postpone(struct folds *folds, struct fold *fold, uint64_t now_ns)
{
	TAILQ_REMOVE(&folds->order, fold, order);
	TAILQ_INSERT_TAIL(&folds->order, fold, order);
	fold->check_ns = now_ns + folds->options.interval_ns;
	if (fold->owed.recent.events)
		mark(folds, fold);
	fold->owed.recent = nothing;
}

bool
folds_sweep(struct folds *folds, uint64_t now_ns, bool flush,
	    void (*emit)(struct event *event, void *arg), void *arg)
{
	size_t left = folds->options.part ? folds->options.part : SIZE_MAX;
	struct fold *fold;
	struct event entry;
	const char *phase;

	while ((fold = TAILQ_FIRST(&folds->order)) && (flush || fold->check_ns <= now_ns)) {
		if (!left--)
			return true;
		phase = phase_due(folds, fold, now_ns, flush);
		if (phase) {
			event_copy_get(fold->first, &entry);
			make_entry(&fold->owed, phase, &entry);
			folds->told = fold;
			emit(&entry, arg);
			folds->told = NULL;
		}
		/* A sum begins anew with what comes next: its owner and the law may be others. */
		if (phase && strcmp(phase, "update") != 0)
			forget(folds, fold);
		else
			postpone(folds, fold, now_ns);
	}
	return false;
}

/*
 * Outliving the process
 * ---------------------
 */

static void
tell_forgotten(struct folds *folds, void (*fn)(const struct fold_change *change, void *arg),
	       void *arg)
{
	struct fold_change change = {0};

	for (size_t at = 0; at < folds->forgotten.length; at += sizeof(change.id)) {
		memcpy(&change.id, folds->forgotten.data + at, sizeof(change.id));
		fn(&change, arg);
	}
	buf_clear(&folds->forgotten);
}

void
folds_changes(struct folds *folds, void (*fn)(const struct fold_change *change, void *arg),
	      void *arg)
{
	struct fold *fold;
	struct event first;

	tell_forgotten(folds, fn, arg);
	while ((fold = TAILQ_FIRST(&folds->dirty))) {
		struct fold_change change = {.id = fold->id, .owed = &fold->owed};

		TAILQ_REMOVE(&folds->dirty, fold, dirty);
		fold->is_dirty = false;
		if (!fold->is_told) {
			event_copy_get(fold->first, &first);
			change.first = &first;
		}
		folds->untold -= !fold->is_told;
		fold->is_told = true;
		fn(&change, arg);
	}
}

int
fold_complete(struct event *event, const void *bytes, size_t length)
{
	struct fold_owed owed = {0};

	if (length < OWED_LEAST)
		return -EBADMSG;
	memcpy(&owed, bytes, length < sizeof(owed) ? length : sizeof(owed));
	if (owed.size != length)
		return -EBADMSG;
	event->message = NULL; /* the sentence about its first event */
	owed.opened[sizeof(owed.opened) - 1] = '\0';
	make_entry(&owed, owed.alert ? "close" : "sum", event);
	if (event->judgement.opened)
		event->judgement.opened = event_keep(event, owed.opened, strlen(owed.opened));
	return 0;
}
