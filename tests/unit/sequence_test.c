/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sequence - a lost record is told once, with its place; a late one is not lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "source/sequence.h"

struct bench {
	struct sequences *sequences;
	struct slot_counts kernel; /* the same for every slot that is asked */
	size_t gaps;
	uint64_t lost;
	struct wire_gap last;
};

static struct slot_counts
counts(unsigned int cpu, unsigned int kind, void *arg)
{
	const struct bench *bench = arg;

	return cpu == 1 && kind == WIRE_FLOW ? bench->kernel : (struct slot_counts){0};
}

static void
keep(const struct wire_head *record, void *arg)
{
	struct bench *bench = arg;

	memcpy(&bench->last, record, sizeof(bench->last));
	bench->gaps++;
	bench->lost += bench->last.count;
}

static void
note(struct bench *bench, uint64_t sequence)
{
	const struct wire_head head = {
		.kind = WIRE_FLOW, .cpu = 1, .sequence = sequence, .time_ns = 1000 + sequence};

	sequence_note(bench->sequences, &head);
}

static void
drains(struct bench *bench, int times)
{
	while (times--)
		sequence_gaps(bench->sequences, false, 1000000000, counts, bench, keep, bench);
}

static int
begin(void **state)
{
	static struct bench bench;

	memset(&bench, 0, sizeof(bench));
	*state = &bench;
	return sequences_new(&bench.sequences, 2);
}

static int
finish(void **state)
{
	sequences_free(((struct bench *)*state)->sequences);
	return 0;
}

static void
a_loss_has_its_place(void **state)
{
	struct bench *bench = *state;

	bench->kernel = (struct slot_counts){.issued = 10, .dropped = 3};
	note(bench, 0);
	note(bench, 1);
	note(bench, 5);
	sequence_gaps(bench->sequences, false, 2000, counts, bench, keep, bench);
	assert_int_equal(bench->gaps, 0); /* it may still come */
	drains(bench, 3);
	assert_int_equal(bench->gaps, 1);
	assert_int_equal(bench->last.count, 3);
	assert_int_equal(bench->last.first_sequence, 2);
	assert_int_equal(bench->last.head.cpu, 1);
	assert_int_equal(bench->last.missing_kind, WIRE_FLOW);
	assert_int_equal(bench->last.from_ns, 1001);
	assert_int_equal(bench->last.to_ns, 1005);
}

static void
a_late_record_is_not_lost(void **state)
{
	struct bench *bench = *state;

	bench->kernel = (struct slot_counts){.issued = 5, .dropped = 0};
	note(bench, 0);
	note(bench, 4);
	drains(bench, 10);
	note(bench, 2); /* the middle of the hole */
	note(bench, 1);
	note(bench, 3);
	drains(bench, 10);
	assert_int_equal(bench->gaps, 0);
}

static void
what_is_told_adds_up_to_the_drops(void **state)
{
	struct bench *bench = *state;

	bench->kernel = (struct slot_counts){.issued = 9, .dropped = 2};
	note(bench, 1); /* 0 is lost */
	note(bench, 3); /* 2 is late */
	note(bench, 5); /* 4 is lost */
	drains(bench, 5);
	note(bench, 2);
	drains(bench, 5);
	sequence_gaps(bench->sequences, true, 6000, counts, bench, keep, bench);
	assert_int_equal(bench->lost, 2);
}

static void
a_loss_at_the_end_is_found_at_the_end(void **state)
{
	struct bench *bench = *state;

	bench->kernel = (struct slot_counts){.issued = 8, .dropped = 5};
	note(bench, 0);
	note(bench, 1);
	note(bench, 2);
	drains(bench, 5);
	assert_int_equal(bench->gaps, 0);
	sequence_gaps(bench->sequences, true, 6000, counts, bench, keep, bench);
	assert_int_equal(bench->lost, 5);
	assert_int_equal(bench->last.first_sequence, 3);
}

static void
more_holes_than_are_kept_still_count(void **state)
{
	struct bench *bench = *state;

	bench->kernel = (struct slot_counts){.issued = 1000, .dropped = 500};
	for (uint64_t i = 1; i < 1000; i += 2)
		note(bench, i);
	sequence_gaps(bench->sequences, true, 6000, counts, bench, keep, bench);
	assert_int_equal(bench->lost, 500);
}

/* Numbers that come late into holes that have run together cannot be told from it. */
static void
a_hole_is_never_told_larger_than_the_drops(void **state)
{
	struct bench *bench = *state;

	bench->kernel = (struct slot_counts){.issued = 1000, .dropped = 100};
	for (uint64_t i = 1; i < 1000; i += 2)
		note(bench, i);
	for (uint64_t i = 200; i < 1000; i += 2)
		note(bench, i);
	sequence_gaps(bench->sequences, false, 20000000000, counts, bench, keep, bench);
	assert_int_equal(bench->lost, 100);
	sequence_gaps(bench->sequences, true, 20000000000, counts, bench, keep, bench);
	assert_int_equal(bench->lost, 100);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, begin, finish)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(a_loss_has_its_place),
		FRESH(a_late_record_is_not_lost),
		FRESH(what_is_told_adds_up_to_the_drops),
		FRESH(a_loss_at_the_end_is_found_at_the_end),
		FRESH(more_holes_than_are_kept_still_count),
		FRESH(a_hole_is_never_told_larger_than_the_drops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
