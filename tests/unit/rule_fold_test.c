/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rule_fold - repeats become few entries, and no byte is lost or told twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rule.h"

#define SECOND UINT64_C(1000000000)
#define MINUTE (60 * SECOND)

/* What came out of a sweep. */
struct entries {
	size_t count;
	int64_t deltas;
	struct {
		char phase[8];
		int64_t count, bytes, packets, delta_bytes, first_ms, last_ms;
		int64_t cookie, pid;
		uint64_t time_ns;
	} at[64];
};

static void
collect(struct event *event, void *arg)
{
	struct entries *entries = arg;
	size_t i = entries->count++;

	assert_true(i < 64);
	snprintf(entries->at[i].phase, sizeof(entries->at[i].phase), "%s", event->judgement.phase);
	entries->at[i].count = event->judgement.count;
	entries->at[i].bytes = event->bytes;
	entries->at[i].packets = event->packets;
	entries->at[i].delta_bytes = event->delta_bytes;
	entries->at[i].first_ms = event->judgement.first_ms;
	entries->at[i].last_ms = event->judgement.last_ms;
	entries->at[i].cookie = event->cookie;
	entries->at[i].pid = event->process.pid;
	entries->at[i].time_ns = event->time_ns;
	if (event->delta_bytes != ABSENT)
		entries->deltas += event->delta_bytes;
	assert_string_equal(event->judgement.rule, "r");
	assert_string_equal(event->process.exe, "/bin/x");
}

static void
make(struct event *event, bool alert, uint64_t second, int64_t bytes)
{
	event_init(event, &event_flow);
	event->time_ns = second * SECOND;
	event->wall_ms = (int64_t)second * 1000 + 5;
	event->judgement.rule = "r";
	event->judgement.verdict = alert ? "violation" : "allowed";
	event->judgement.alert = alert;
	event->process.exe = "/bin/x";
	event->process.uid = 7;
	event->process.pid = 100;
	event->cookie = 5;
	event->moment = "open";
	event->role = "client";
	event->dst = ip_from_v4(0xcb007109);
	event->dst_port = 443;
	event->protocol = 6;
	event->delta_bytes = bytes;
	event->delta_packets = 1;
}

static int
begin(void **state)
{
	struct folds_options options = {.interval_ns = MINUTE, .room = 8};

	return folds_new((struct folds **)state, &options);
}

static int
finish(void **state)
{
	folds_free(*state);
	return 0;
}

/* A flow has several records and is one flow. */
static void
flows_are_counted_when_they_begin(void **state)
{
	struct entries entries = {0};
	struct event event;

	make(&event, true, 1, 0);
	assert_int_equal(folds_offer(*state, &event), FOLD_PASS);
	make(&event, true, 2, 500);
	event.moment = "close";
	assert_int_equal(folds_offer(*state, &event), FOLD_TAKEN);
	make(&event, true, 3, 0);
	assert_int_equal(folds_offer(*state, &event), FOLD_TAKEN);
	make(&event, true, 4, 700);
	event.moment = "update";
	assert_int_equal(folds_offer(*state, &event), FOLD_TAKEN);
	folds_sweep(*state, 5 * SECOND, true, collect, &entries);
	assert_int_equal(entries.count, 1);
	assert_int_equal(entries.at[0].count, 2);
	assert_int_equal(entries.at[0].bytes, 1200);
}

static void
an_alert_opens_updates_and_closes(void **state)
{
	struct entries entries = {0};
	struct event event;

	make(&event, true, 10, 100);
	assert_int_equal(folds_offer(*state, &event), FOLD_PASS);
	assert_string_equal(event.judgement.phase, "open");
	make(&event, true, 20, 30);
	assert_int_equal(folds_offer(*state, &event), FOLD_TAKEN);
	make(&event, true, 30, 40);
	assert_int_equal(folds_offer(*state, &event), FOLD_TAKEN);

	folds_sweep(*state, 69 * SECOND, false, collect, &entries);
	assert_int_equal(entries.count, 0);
	folds_sweep(*state, 70 * SECOND, false, collect, &entries);
	assert_int_equal(entries.count, 1);
	assert_string_equal(entries.at[0].phase, "update");
	assert_int_equal(entries.at[0].count, 3);
	assert_int_equal(entries.at[0].bytes, 170);
	assert_int_equal(entries.at[0].packets, 3);
	assert_int_equal(entries.at[0].delta_bytes, 70);
	assert_int_equal(entries.at[0].first_ms, 10005);
	assert_int_equal(entries.at[0].last_ms, 30005);
	assert_int_equal(entries.at[0].time_ns, 30 * SECOND);

	/* a last event, told in an update; then silence */
	make(&event, true, 75, 1);
	assert_int_equal(folds_offer(*state, &event), FOLD_TAKEN);
	folds_sweep(*state, 130 * SECOND, false, collect, &entries);
	assert_int_equal(entries.count, 2);
	folds_sweep(*state, 190 * SECOND, false, collect, &entries);
	assert_int_equal(entries.count, 3);
	assert_string_equal(entries.at[2].phase, "close");
	assert_int_equal(entries.at[2].count, 4);
	assert_int_equal(entries.at[2].bytes, 171);
	assert_true(entries.at[2].delta_bytes == ABSENT);
	assert_int_equal(100 + entries.deltas, 171);
	assert_int_equal(folds_count(*state), 0);

	make(&event, true, 200, 9);
	assert_int_equal(folds_offer(*state, &event), FOLD_PASS);
	assert_string_equal(event.judgement.phase, "open");
}

/* A flow that reports once an interval, a little late, keeps its fold open. */
static void
jitter_closes_nothing(void **state)
{
	struct entries entries = {0};
	struct event event;
	uint64_t i;

	make(&event, true, 0, 1);
	folds_offer(*state, &event);
	for (i = 1; i <= 10; i++) {
		folds_sweep(*state, i * MINUTE, false, collect, &entries);
		make(&event, true, 60 * i + 2, 1);
		assert_int_equal(folds_offer(*state, &event), FOLD_TAKEN);
	}
	assert_int_equal(folds_count(*state), 1);
}

static void
others_are_summed(void **state)
{
	struct entries entries = {0};
	struct event event;
	uint64_t i;

	for (i = 0; i < 50; i++) {
		make(&event, false, i, 10);
		assert_int_equal(folds_offer(*state, &event), FOLD_TAKEN);
		assert_null(event.judgement.phase);
	}
	folds_sweep(*state, MINUTE, false, collect, &entries);
	assert_int_equal(entries.count, 1);
	assert_string_equal(entries.at[0].phase, "sum");
	assert_int_equal(entries.at[0].count, 50);
	assert_int_equal(entries.at[0].bytes, 500);
	assert_int_equal(entries.at[0].delta_bytes, 500);

	make(&event, false, 61, 7);
	folds_offer(*state, &event);
	folds_sweep(*state, 3 * MINUTE, false, collect, &entries);
	assert_int_equal(entries.count, 2);
	assert_int_equal(entries.at[1].count, 1);
	assert_int_equal(entries.at[1].bytes, 7);
	assert_int_equal(entries.at[1].first_ms, 61005);
	folds_sweep(*state, 5 * MINUTE, false, collect, &entries);
	assert_int_equal(entries.count, 2);
	assert_int_equal(folds_count(*state), 0);
}

static void
change_port(struct event *event)
{
	event->dst_port = 80;
}

static void
change_ip(struct event *event)
{
	event->dst = ip_from_v4(1);
}

static void
change_rule(struct event *event)
{
	event->judgement.rule = "s";
}

static void
change_role(struct event *event)
{
	event->role = "unknown";
}

static void
change_uid(struct event *event)
{
	event->process.uid = 8;
}

static void
change_exe(struct event *event)
{
	event->process.exe = "/bin/y";
}

static void
change_verdict(struct event *event)
{
	event->judgement.verdict = "unknown";
}

static void
change_container(struct event *event)
{
	event->process.container = "c1";
}

static void
change_protocol(struct event *event)
{
	event->protocol = 17;
}

static void
discard(struct event *event, void *arg)
{
	(void)event;
	++*(size_t *)arg;
}

static void
what_differs_is_another_fold(void **state)
{
	void (*const changes[])(struct event *) = {
		change_port, change_ip,      change_rule,      change_role,     change_uid,
		change_exe,  change_verdict, change_container, change_protocol,
	};
	struct folds_options options = {.interval_ns = MINUTE, .room = 100};
	struct folds *folds = NULL;
	struct event event;
	size_t i, emitted = 0;

	(void)state;
	assert_int_equal(folds_new(&folds, &options), 0);
	make(&event, false, 1, 1);
	folds_offer(folds, &event);
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		make(&event, false, 1, 1);
		changes[i](&event);
		folds_offer(folds, &event);
		assert_int_equal(folds_count(folds), i + 2);
	}
	/* inside a container the process does not count */
	make(&event, false, 1, 1);
	change_container(&event);
	change_uid(&event);
	change_exe(&event);
	folds_offer(folds, &event);
	assert_int_equal(folds_count(folds), i + 1);
	folds_sweep(folds, 0, true, discard, &emitted);
	assert_int_equal(emitted, i + 1);
	folds_free(folds);
}

/* However many are due, each is handed out once, a part at a time. */
static void
sweeps_in_parts(bool flush)
{
	struct folds_options options = {.interval_ns = MINUTE, .part = 4};
	struct folds *folds;
	struct event event;
	int64_t emitted = 0, sweeps = 0;

	assert_int_equal(folds_new(&folds, &options), 0);
	for (int port = 0; port < 10; port++) {
		make(&event, port % 2, 1, 1);
		event.dst_port = port;
		folds_offer(folds, &event);
	}
	while (folds_sweep(folds, 3 * MINUTE, flush, discard, &emitted))
		assert_int_equal(emitted, 4 * ++sweeps);
	assert_int_equal(sweeps, 2);
	assert_int_equal(emitted, 10);
	assert_int_equal(folds_count(folds), 0);
	folds_free(folds);
}

static void
much_is_swept_in_parts(void **state)
{
	(void)state;
	sweeps_in_parts(false);
	sweeps_in_parts(true);
}

static void
what_differs_within_is_absent(void **state)
{
	struct entries entries = {0};
	struct event event;

	make(&event, true, 1, 1);
	folds_offer(*state, &event);
	folds_sweep(*state, 1, true, collect, &entries);
	assert_int_equal(entries.at[0].cookie, 5);
	assert_int_equal(entries.at[0].pid, 100);

	make(&event, true, 1, 1);
	folds_offer(*state, &event);
	make(&event, true, 2, 1);
	event.cookie = 6;
	event.process.pid = 101;
	folds_offer(*state, &event);
	folds_sweep(*state, 1, true, collect, &entries);
	assert_string_equal(entries.at[1].phase, "close");
	assert_true(entries.at[1].cookie == ABSENT);
	assert_true(entries.at[1].pid == ABSENT);
}

static void
beyond_room_events_pass(void **state)
{
	struct event event;
	int64_t i;

	for (i = 0; i < 10; i++) {
		make(&event, false, 1, 1);
		event.dst_port = i;
		assert_int_equal(folds_offer(*state, &event), i < 8 ? FOLD_TAKEN : FOLD_PASS);
		assert_null(event.judgement.phase);
	}
	assert_int_equal(folds_count(*state), 8);
}

static void
other_kinds_pass(void **state)
{
	struct event event;

	make(&event, true, 1, 1);
	event.type = &event_gap;
	assert_int_equal(folds_offer(*state, &event), FOLD_PASS);
	assert_null(event.judgement.phase);
	assert_int_equal(folds_count(*state), 0);
}

static void
unknown_amounts_stay_unknown(void **state)
{
	struct entries entries = {0};
	struct event event;

	make(&event, false, 1, ABSENT);
	event.delta_packets = ABSENT;
	folds_offer(*state, &event);
	make(&event, false, 2, ABSENT);
	event.delta_packets = 3;
	folds_offer(*state, &event);
	folds_sweep(*state, MINUTE * 2, false, collect, &entries);
	assert_true(entries.at[0].bytes == ABSENT);
	assert_int_equal(entries.at[0].packets, 3);
}

/* Every text and set that a flow's fields can hold is the fold's own copy. */
static void
set_all(struct event *event, char text[static 2], const char *const *set)
{
	const struct field *field;

	for (field = event->type->fields; field->name || field->ocsf; field++) {
		if (!field->name)
			continue;
		if (field->type == FIELD_STRING)
			*(const char **)(void *)((char *)event + field->offset) = text;
		if (field->type == FIELD_SET)
			*(const char *const **)(void *)((char *)event + field->offset) = set;
	}
}

static void
see_own(struct event *event, void *arg)
{
	const struct field *field;
	const char *const *set;
	const char *text;

	for (field = event->type->fields; field->name || field->ocsf; field++) {
		if (!field->name || strcmp(field->name, "moment") == 0)
			continue;
		text = event_string(event, field);
		set = event_set(event, field);
		if (text && field->offset != offsetof(struct event, judgement.phase) &&
		    strcmp(text, "q"))
			fail_msg("%s is not the fold's own", field->name);
		if (set && (strcmp(set[0], "q") || set[1]))
			fail_msg("%s is not the fold's own", field->name);
	}
	++*(size_t *)arg;
}

static void
copies_outlive_the_turn(void **state)
{
	const struct event_type *const types[] = {&event_flow, &event_connect};
	size_t emitted = 0, i;

	for (i = 0; i < 2; i++) {
		char *text = strdup("q");
		const char *set[] = {text, NULL};
		struct event event;

		event_init(&event, types[i]);
		set_all(&event, text, set);
		event.judgement.alert = false;
		assert_int_equal(folds_offer(*state, &event), FOLD_TAKEN);
		memset(text, 'x', 1);
		set[0] = NULL;
		free(text);
	}
	folds_sweep(*state, 0, true, see_own, &emitted);
	assert_int_equal(emitted, 2);
}

static void
defaults(void **state)
{
	struct folds *folds = NULL;
	struct folds_options options = {0};

	(void)state;
	assert_int_equal(folds_new(&folds, &options), 0);
	assert_int_equal(folds_count(folds), 0);
	folds_free(folds);
	folds_free(NULL);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, begin, finish)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(an_alert_opens_updates_and_closes),
		FRESH(flows_are_counted_when_they_begin),
		FRESH(jitter_closes_nothing),
		FRESH(others_are_summed),
		FRESH(what_differs_is_another_fold),
		FRESH(what_differs_within_is_absent),
		cmocka_unit_test(much_is_swept_in_parts),
		FRESH(beyond_room_events_pass),
		FRESH(other_kinds_pass),
		FRESH(unknown_amounts_stay_unknown),
		FRESH(copies_outlive_the_turn),
		cmocka_unit_test(defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
