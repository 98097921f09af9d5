/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rule_owed_test - what folds owe outlives them, and comes to the same entries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "base/cleanup.h"
#include "event_samples.h"
#include "rule.h"

#define SECOND UINT64_C(1000000000)
#define FIRST  7
#define ROOM   64

static const struct privacy as_is;
static const struct privacy hiding = {
	.mode = {[PRIVACY_USER] = PRIVACY_PSEUDONYM, [PRIVACY_PATH] = PRIVACY_PSEUDONYM},
	.key = "0123456789abcdef0123456789abcdef",
};

/* What an agent would carry. */
struct carried {
	struct {
		struct buf first;
		struct fold_owed owed;
		unsigned int changes;
	} of[ROOM];
	size_t news, gone, calls, entries;
};

static void
keep(const struct fold_change *change, void *arg)
{
	struct carried *carried = arg;
	size_t at = change->id - FIRST;

	assert_in_range(at, 0, ROOM - 1);
	carried->calls++;
	if (!change->owed) {
		assert_true(carried->of[at].first.length > 0);
		buf_clear(&carried->of[at].first);
		carried->gone++;
		return;
	}
	if (change->first) {
		assert_int_equal(carried->of[at].changes, 0);
		event_write(&carried->of[at].first, change->first, &sample_stamp, &hiding);
		carried->news++;
	}
	assert_true(carried->of[at].first.length > 0);
	carried->of[at].changes++;
	carried->of[at].owed = *change->owed;
}

static size_t
take_changes(struct folds *folds, struct carried *carried)
{
	carried->calls = 0;
	folds_changes(folds, keep, carried);
	return carried->calls;
}

static void
drop_carried(struct carried *carried)
{
	for (size_t i = 0; i < ROOM; i++)
		buf_fini(&carried->of[i].first);
}

struct entries {
	struct buf json[ROOM];
	size_t count;
};

static void
add(struct event *event, void *arg)
{
	struct entries *entries = arg;

	assert_in_range(entries->count, 0, ROOM - 1);
	event_write(&entries->json[entries->count++], event, &sample_stamp, &hiding);
}

static void
drop_entries(struct entries *entries)
{
	for (size_t i = 0; i < ROOM; i++)
		buf_fini(&entries->json[i]);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(buf_text((struct buf *)a), buf_text((struct buf *)b));
}

/* What the next agent makes of what is carried. */
static void
complete_all(const struct carried *carried, struct entries *entries)
{
	static struct event event;

	for (size_t i = 0; i < ROOM; i++) {
		struct buf store cleanup(buf_fini) = {0};
		struct error why = {0};

		if (!carried->of[i].first.length)
			continue;
		assert_int_equal(event_read(&event, &store, carried->of[i].first.data,
					    carried->of[i].first.length, &why),
				 0);
		assert_int_equal(
			fold_complete(&event, &carried->of[i].owed, sizeof(carried->of[i].owed)),
			0);
		event_write(&entries->json[entries->count++], &event, &sample_stamp, &as_is);
	}
}

static void
check_same(struct folds *folds, const struct carried *carried, uint64_t now_ns)
{
	static struct entries swept, completed;

	swept = completed = (struct entries){0};
	complete_all(carried, &completed);
	folds_sweep(folds, now_ns, true, add, &swept);
	assert_int_equal(swept.count, completed.count);
	qsort(swept.json, swept.count, sizeof(swept.json[0]), by_text);
	qsort(completed.json, completed.count, sizeof(completed.json[0]), by_text);
	for (size_t i = 0; i < swept.count; i++)
		assert_string_equal(buf_text(&swept.json[i]), buf_text(&completed.json[i]));
	drop_entries(&swept);
	drop_entries(&completed);
}

/* One of a few flows and attempts, of several owners and destinations, some of them alerts. */
static void
make(struct event *event, unsigned int number, uint64_t second)
{
	static const char *const moments[] = {"open", "update", "close"};
	size_t sample = number % SAMPLES;

	sample_make(event, &samples[sample]);
	event->time_ns = second * SECOND;
	event->wall_ms = (int64_t)second * 1000 + 1795430400000;
	event->judgement.alert = number % 3 == 0;
	event->dst_port = number % 5;
	event->cookie = number % 7;
	event->process.pid = 100 + number % 11;
	if (event->type->kind == WIRE_FLOW) {
		event->moment = moments[number % 3];
		event->delta_bytes = number * 10;
		event->delta_packets = number % 4;
	}
}

/* Of every other alert the entry itself is kept, as the agent does. */
static void
offer(struct folds *folds, struct event *event, struct carried *carried, bool keeps_entry)
{
	uint64_t id = 0;

	if (folds_offer(folds, event) == FOLD_PASS && keeps_entry) {
		folds_name(folds, sample_stamp.uid);
		id = folds_opened(folds);
	}
	if (!id)
		return;
	assert_string_equal(event->judgement.phase, "open");
	assert_int_equal(folds_opened(folds), id);
	event_write(&carried->of[id - FIRST].first, event, &sample_stamp, &hiding);
	carried->news++;
	carried->entries++;
}

static void
what_is_owed_comes_to_the_same_entries(void **state)
{
	static struct event event;

	(void)state;
	for (unsigned int length = 0; length < 120; length += 7) {
		struct folds_options options = {.interval_ns = 20 * SECOND, .first_id = FIRST};
		struct carried carried = {0};
		struct entries between = {0};
		struct folds *folds;
		size_t untold, news;

		assert_int_equal(folds_new(&folds, &options), 0);
		for (unsigned int i = 0; i < length; i++) {
			make(&event, i * 31, 100 + i / 2);
			offer(folds, &event, &carried, i % 2);
			if (i % 4 == 3)
				take_changes(folds, &carried);
			if (i % 40 == 39)
				folds_sweep(folds, (100 + i / 2) * SECOND, false, add, &between);
		}
		untold = folds_untold(folds);
		news = carried.news;
		take_changes(folds, &carried);
		assert_int_equal(carried.news - news, untold);
		assert_int_equal(folds_untold(folds), 0);
		assert_int_equal(carried.news - carried.gone, folds_count(folds));
		assert_true(carried.entries > 0 || length < 60);
		check_same(folds, &carried, 300 * SECOND);
		take_changes(folds, &carried);
		assert_int_equal(carried.news, carried.gone);
		folds_free(folds);
		drop_entries(&between);
		drop_carried(&carried);
	}
}

/* Names each entry as an agent would, all but those of the time before. */
struct namer {
	struct folds *folds;
	const char *uid;
	char opened[8][40];
	size_t count;
};

static void
note_opened(struct event *event, void *arg)
{
	struct namer *namer = arg;
	const char *opened = event->judgement.opened;

	snprintf(namer->opened[namer->count++], sizeof(namer->opened[0]), "%s",
		 opened ? opened : "none");
	if (namer->uid)
		folds_name(namer->folds, namer->uid);
}

static void
later_entries_know_what_opened_the_fold(void **state)
{
	struct folds_options options = {.interval_ns = 20 * SECOND, .first_id = FIRST};
	struct namer namer = {0};
	static struct event event;

	(void)state;
	assert_int_equal(folds_new(&namer.folds, &options), 0);
	sample_make(&event, &samples[0]);
	event.time_ns = 100 * SECOND;
	assert_int_equal(folds_offer(namer.folds, &event), FOLD_PASS);
	assert_null(event.judgement.opened);
	folds_name(namer.folds, "one");
	folds_name(namer.folds, "two"); /* the first name stays */
	/* the opening entry of another fold found no room: its first that does names it */
	event.dst_port = 1;
	assert_int_equal(folds_offer(namer.folds, &event), FOLD_PASS);
	event.time_ns = 119 * SECOND;
	folds_offer(namer.folds, &event);
	event.dst_port = 443;
	folds_offer(namer.folds, &event);
	folds_name(namer.folds, "nobody"); /* nothing was handed out */
	namer.uid = "three";
	folds_sweep(namer.folds, 121 * SECOND, false, note_opened, &namer);
	folds_sweep(namer.folds, 122 * SECOND, true, note_opened, &namer);
	assert_int_equal(namer.count, 4);
	assert_string_equal(namer.opened[0], "one");
	assert_string_equal(namer.opened[1], "none");
	assert_string_equal(namer.opened[2], "one");
	assert_string_equal(namer.opened[3], "three");
	folds_free(namer.folds);
}

static void
only_what_changed_is_told(void **state)
{
	struct folds_options options = {.interval_ns = 20 * SECOND, .first_id = FIRST};
	struct carried carried = {0};
	struct entries entries = {0};
	static struct event event;
	struct folds *folds;

	(void)state;
	assert_int_equal(folds_new(&folds, &options), 0);
	for (unsigned int port = 0; port < 10; port++) {
		sample_make(&event, &samples[0]);
		event.time_ns = 100 * SECOND;
		event.judgement.alert = true;
		event.dst_port = port;
		folds_offer(folds, &event);
	}
	assert_int_equal(take_changes(folds, &carried), 10);
	assert_int_equal(take_changes(folds, &carried), 0);
	event.dst_port = 4;
	folds_offer(folds, &event);
	folds_offer(folds, &event);
	folds_touch(folds, &event);
	assert_int_equal(take_changes(folds, &carried), 1);
	/* an update tells what was recent; nine had nothing to tell */
	event.time_ns = 119 * SECOND;
	event.dst_port = 3;
	folds_offer(folds, &event);
	take_changes(folds, &carried);
	folds_sweep(folds, 121 * SECOND, false, add, &entries);
	assert_int_equal(entries.count, 2);
	assert_int_equal(take_changes(folds, &carried), 2);
	assert_int_equal(carried.of[4].owed.recent.events, 0);
	assert_int_equal(carried.of[4].owed.all.events, 3);
	/* what began and ended between two turns was never heard of */
	event.dst_port = 77;
	folds_offer(folds, &event);
	folds_sweep(folds, 122 * SECOND, true, add, &entries);
	assert_int_equal(take_changes(folds, &carried), 10);
	assert_int_equal(carried.gone, 10);
	folds_free(folds);
	drop_entries(&entries);
	drop_carried(&carried);
}

static void
nobody_has_to_ask(void **state)
{
	static struct event event;
	struct carried carried = {0};
	struct folds *folds;

	(void)state;
	assert_int_equal(folds_new(&folds, NULL), 0);
	sample_make(&event, &samples[0]);
	event.judgement.alert = true;
	folds_offer(folds, &event);
	assert_int_equal(take_changes(folds, &carried), 0);
	folds_free(folds);
}

static void
sizes_are_checked(void **state)
{
	struct {
		struct fold_owed owed;
		char more[16];
	} newer = {.owed = {.size = sizeof(newer), .alert = 1, .cookie = ABSENT}};
	static struct event event;

	(void)state;
	sample_make(&event, &samples[0]);
	assert_int_equal(fold_complete(&event, &newer, sizeof(newer)), 0);
	assert_string_equal(event.judgement.phase, "close");
	for (size_t length = 0; length < sizeof(newer); length++)
		assert_int_equal(fold_complete(&event, &newer, length), -EBADMSG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_owed_comes_to_the_same_entries),
		cmocka_unit_test(later_entries_know_what_opened_the_fold),
		cmocka_unit_test(only_what_changed_is_told),
		cmocka_unit_test(nobody_has_to_ask),
		cmocka_unit_test(sizes_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
