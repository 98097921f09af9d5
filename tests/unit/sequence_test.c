/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sequence - a lost record is told once, with its place; a late one is not lost. */
#include <errno.h>
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
	return sequences_new(&bench.sequences, 2, WIRE_KIND_MAX);
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

#define SET 0x5e7

/* What one agent kept, as the next one finds it: the latest of each id. */
struct shelf {
	struct {
		uint64_t id;
		size_t length;
		unsigned char bytes[4096];
	} kept[32];
	size_t count;
	size_t puts;
};

static void
shelve(uint64_t id, const void *bytes, size_t length, void *arg)
{
	struct shelf *shelf = arg;
	size_t i = 0;

	while (i < shelf->count && shelf->kept[i].id != id)
		i++;
	assert_true(i < 32 && length <= sizeof(shelf->kept[i].bytes));
	shelf->count += i == shelf->count;
	shelf->puts++;
	shelf->kept[i].id = id;
	shelf->kept[i].length = length;
	memcpy(shelf->kept[i].bytes, bytes, length);
}

/* The agent is killed; another one goes on with what is on the shelf. */
static void
succeed(struct bench *bench, const struct shelf *shelf)
{
	sequences_free(bench->sequences);
	assert_int_equal(sequences_new(&bench->sequences, 2, WIRE_KIND_MAX), 0);
	for (size_t i = 0; i < shelf->count; i++)
		assert_int_equal(sequences_restore(bench->sequences, SET, shelf->kept[i].id,
						   shelf->kept[i].bytes, shelf->kept[i].length),
				 0);
}

static void
only_what_changed_is_kept(void **state)
{
	struct bench *bench = *state;
	static struct shelf shelf;

	memset(&shelf, 0, sizeof(shelf));
	sequences_keep(bench->sequences, SET, shelve, &shelf);
	assert_int_equal(shelf.puts, 0);
	note(bench, 0);
	sequences_keep(bench->sequences, SET, shelve, &shelf);
	assert_int_equal(shelf.puts, 1);
	assert_true(shelf.kept[0].id == ((uint64_t)SET << 32 | 1 << 12 | WIRE_FLOW));
	assert_int_equal(shelf.kept[0].length, 40); /* no hole, no room for holes */
	sequences_keep(bench->sequences, SET, shelve, &shelf);
	assert_int_equal(shelf.puts, 1);
}

static void
count_if_named(uint64_t id, const void *bytes, size_t length, void *arg)
{
	struct shelf *shelf = arg;

	assert_null(bytes);
	assert_int_equal(length, 0);
	shelf->count -= id == shelf->kept[0].id;
}

static void
what_was_kept_can_be_named(void **state)
{
	struct bench *bench = *state;
	static struct shelf shelf;

	memset(&shelf, 0, sizeof(shelf));
	note(bench, 0);
	sequences_keep(bench->sequences, SET, shelve, &shelf);
	assert_int_equal(shelf.count, 1);
	sequences_names(bench->sequences, SET, count_if_named, &shelf);
	assert_int_equal(shelf.count, 0);
}

/* Killed before the gap was committed: the next one tells it; after: it does not. */
static void
a_gap_is_told_by_one_of_two_lives(void **state)
{
	struct bench *bench = *state;
	static struct shelf shelf;

	memset(&shelf, 0, sizeof(shelf));
	bench->kernel = (struct slot_counts){.issued = 10, .dropped = 3};
	note(bench, 0);
	note(bench, 1);
	note(bench, 5);
	sequences_keep(bench->sequences, SET, shelve, &shelf);
	drains(bench, 1);
	assert_int_equal(bench->gaps, 1);
	succeed(bench, &shelf);
	drains(bench, 1);
	assert_int_equal(bench->gaps, 2);
	assert_int_equal(bench->last.count, 3);
	assert_int_equal(bench->last.first_sequence, 2);
	assert_int_equal(bench->last.from_ns, 1001);
	assert_int_equal(bench->last.to_ns, 1005);
	sequences_keep(bench->sequences, SET, shelve, &shelf);
	succeed(bench, &shelf);
	drains(bench, 1);
	assert_int_equal(bench->gaps, 2);
}

/* The ring was full while nobody read: known when the next record comes. */
static void
what_was_dropped_while_nobody_read_is_told_once(void **state)
{
	struct bench *bench = *state;
	static struct shelf shelf;

	memset(&shelf, 0, sizeof(shelf));
	note(bench, 0);
	note(bench, 1);
	sequences_keep(bench->sequences, SET, shelve, &shelf);
	succeed(bench, &shelf);
	bench->kernel = (struct slot_counts){.issued = 103, .dropped = 98};
	note(bench, 2);
	note(bench, 101);
	note(bench, 102);
	drains(bench, 2);
	assert_int_equal(bench->gaps, 1);
	assert_int_equal(bench->last.count, 98);
	assert_int_equal(bench->last.first_sequence, 3);
	assert_int_equal(bench->last.from_ns, 1002);
	assert_int_equal(bench->last.to_ns, 1101);
}

static void
late_records_fill_holes_of_an_earlier_life(void **state)
{
	struct bench *bench = *state;
	static struct shelf shelf;

	memset(&shelf, 0, sizeof(shelf));
	bench->kernel = (struct slot_counts){.issued = 9, .dropped = 1};
	note(bench, 0);
	note(bench, 4);
	note(bench, 8);
	sequences_keep(bench->sequences, SET, shelve, &shelf);
	succeed(bench, &shelf);
	for (uint64_t late = 1; late < 8; late++)
		if (late != 6)
			note(bench, late);
	drains(bench, 2);
	assert_int_equal(bench->gaps, 1);
	assert_int_equal(bench->last.first_sequence, 6);
	assert_int_equal(bench->last.count, 1);
}

static void
foreign_bytes_are_refused(void **state)
{
	struct bench *bench = *state;
	static struct shelf shelf;
	uint64_t id;

	memset(&shelf, 0, sizeof(shelf));
	note(bench, 3);
	sequences_keep(bench->sequences, SET, shelve, &shelf);
	id = shelf.kept[0].id;
	for (size_t length = 0; length < shelf.kept[0].length; length++)
		assert_int_equal(
			sequences_restore(bench->sequences, SET, id, shelf.kept[0].bytes, length),
			-EBADMSG);
	assert_int_equal(sequences_restore(bench->sequences, SET + 1, id, shelf.kept[0].bytes,
					   shelf.kept[0].length),
			 -ESTALE);
	assert_int_equal(sequences_restore(bench->sequences, SET, 2 << 12, shelf.kept[0].bytes,
					   shelf.kept[0].length),
			 -ERANGE);
}

/* A later build adds to the tails of the head and of each hole. */
static void
a_later_build_s_bytes_are_read(void **state)
{
	struct bench *bench = *state;
	static struct shelf shelf;
	unsigned char grown[40 + 8 + 2 * 40] = {0};

	memset(&shelf, 0, sizeof(shelf));
	bench->kernel = (struct slot_counts){.issued = 6, .dropped = 3};
	note(bench, 0);
	note(bench, 2);
	note(bench, 5);
	sequences_keep(bench->sequences, SET, shelve, &shelf);
	assert_int_equal(shelf.kept[0].length, 40 + 2 * 32);
	memcpy(grown, shelf.kept[0].bytes, 40);
	memcpy(grown + 48, shelf.kept[0].bytes + 40, 32);
	memcpy(grown + 88, shelf.kept[0].bytes + 72, 32);
	grown[32] = 48; /* bytes of the head, of a hole */
	grown[34] = 40;
	memcpy(shelf.kept[0].bytes, grown, sizeof(grown));
	shelf.kept[0].length = sizeof(grown);
	succeed(bench, &shelf);
	drains(bench, 1);
	assert_int_equal(bench->gaps, 2);
	assert_int_equal(bench->lost, 3);
	assert_int_equal(bench->last.first_sequence, 3);
}

/* Taken over without a word from the last reader: what was counted is not told as known. */
static void
what_was_counted_before_is_skipped(void **state)
{
	struct bench *bench = *state;

	bench->kernel = (struct slot_counts){.issued = 100, .dropped = 40};
	sequences_skip(bench->sequences, 5000, counts, bench);
	note(bench, 60); /* was still in the ring */
	note(bench, 70);
	drains(bench, 1);
	bench->kernel = (struct slot_counts){.issued = 103, .dropped = 42};
	note(bench, 102);
	drains(bench, 1);
	assert_int_equal(bench->gaps, 1);
	assert_int_equal(bench->last.count, 2);
	assert_int_equal(bench->last.first_sequence, 100);
	assert_int_equal(bench->last.from_ns, 5000);
	sequence_gaps(bench->sequences, true, 6000, counts, bench, keep, bench);
	assert_int_equal(bench->lost, 2);
}

static void
a_loss_at_the_end_is_found_when_the_drops_prove_it(void **state)
{
	struct bench *bench = *state;

	bench->kernel = (struct slot_counts){.issued = 8, .dropped = 4};
	note(bench, 0);
	note(bench, 2); /* 1 is late, or lost */
	sequence_ends(bench->sequences, 9000, counts, bench);
	bench->kernel.dropped = 5; /* 1 may still be on its way, and 7 lost */
	sequence_ends(bench->sequences, 9000, counts, bench);
	drains(bench, 1);
	assert_int_equal(bench->gaps, 1);
	assert_int_equal(bench->last.first_sequence, 1);
	bench->kernel = (struct slot_counts){.issued = 8, .dropped = 6};
	sequence_ends(bench->sequences, 9000, counts, bench);
	drains(bench, 1);
	assert_int_equal(bench->gaps, 2);
	assert_int_equal(bench->last.first_sequence, 3);
	assert_int_equal(bench->last.count, 5);
	assert_int_equal(bench->last.to_ns, 9000);
	sequence_ends(bench->sequences, 9000, counts, bench);
	drains(bench, 1);
	assert_int_equal(bench->gaps, 2);
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
		FRESH(only_what_changed_is_kept),
		FRESH(what_was_kept_can_be_named),
		FRESH(a_gap_is_told_by_one_of_two_lives),
		FRESH(what_was_dropped_while_nobody_read_is_told_once),
		FRESH(late_records_fill_holes_of_an_earlier_life),
		FRESH(foreign_bytes_are_refused),
		FRESH(a_later_build_s_bytes_are_read),
		FRESH(what_was_counted_before_is_skipped),
		FRESH(a_loss_at_the_end_is_found_when_the_drops_prove_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
