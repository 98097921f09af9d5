/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ring - merged by time; across lives each record is told once; what is unknown is said to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ring_world.h"

static void
the_older_head_comes_first(void **state)
{
	(void)state;
	put(BULK, WIRE_FLOW, 10);
	put(BULK, WIRE_FLOW, 20);
	put(BULK, WIRE_FLOW, 40);
	put(CRITICAL, WIRE_EXEC, 20); /* of the same time: critical first */
	put(CRITICAL, WIRE_EXEC, 30);
	assert_int_equal(drain(100), 5);
	assert_string_equal(world.said, "flow0 exec0 flow1 exec1 flow2");
}

/* The exec was reserved behind a record of an interrupt that took its time later. */
static void
an_exec_behind_a_later_time_still_precedes_its_flow(void **state)
{
	(void)state;
	put(CRITICAL, WIRE_FLOW, 25);
	put(CRITICAL, WIRE_EXEC, 22);
	put(BULK, WIRE_FLOW, 30);
	assert_int_equal(drain(100), 3);
	assert_string_equal(world.said, "flow0 exec0 flow1");
}

static void
nothing_passes_a_busy_head(void **state)
{
	uint32_t *header;

	(void)state;
	put(BULK, WIRE_FLOW, 10);
	header = put_busy(CRITICAL, number(WIRE_EXEC, 5));
	assert_int_equal(drain(100), 0);
	assert_false(ring_sleep(world.source));
	*header &= ~BPF_RINGBUF_BUSY_BIT;
	assert_int_equal(drain(100), 2);
	assert_string_equal(world.said, "exec0 flow0");
}

static void
what_is_younger_than_the_look_waits(void **state)
{
	uint64_t soon_ns = clock_boot_ns() + 20000000;

	(void)state;
	put(BULK, WIRE_FLOW, 10);
	put(BULK, WIRE_FLOW, soon_ns);
	assert_int_equal(drain(100), 1);
	while (clock_boot_ns() < soon_ns)
		;
	assert_int_equal(drain(100), 1);
	assert_string_equal(world.said, "flow0 flow1");
}

static void
the_budget_is_for_both(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 10; i++)
		put(i % 2 ? BULK : CRITICAL, WIRE_FLOW, i);
	assert_int_equal(drain(4), 4);
	assert_string_equal(world.said, "flow0 flow1 flow2 flow3");
	assert_int_equal(drain(100), 6);
}

/* While rings hold what was read but not released, they must not wake us for ever. */
static void
sleep_comes_after_release(void **state)
{
	(void)state;
	put(BULK, WIRE_FLOW, 10);
	drain(100);
	assert_false(ring_sleep(world.source));
	ring_release(world.source);
	put(CRITICAL, WIRE_FLOW, 20); /* came meanwhile */
	assert_false(ring_sleep(world.source));
	assert_int_equal(world.settings.waiting, 0);
	drain(100);
	ring_release(world.source);
	assert_true(ring_sleep(world.source));
	assert_int_equal(world.settings.waiting, 1);
}

static void
what_was_not_committed_is_read_again(void **state)
{
	(void)state;
	put(CRITICAL, WIRE_EXEC, 10);
	put(BULK, WIRE_FLOW, 20);
	assert_int_equal(drain(100), 2);
	commits();
	ring_release(world.source);
	put(BULK, WIRE_FLOW, 30);
	assert_int_equal(drain(100), 1);
	dies();
	is_born();
	assert_true(ring_resumed(world.source));
	assert_int_equal(drain(100), 1);
	assert_string_equal(world.said, "flow1");
}

/* Killed between commit and release: the successor releases what was committed. */
static void
what_was_committed_is_not_read_again(void **state)
{
	(void)state;
	put(CRITICAL, WIRE_EXEC, 10);
	put(BULK, WIRE_FLOW, 20);
	assert_int_equal(drain(100), 2);
	commits();
	dies();
	assert_int_equal(*(uint64_t *)(void *)world.maps[BULK].memory, 0);
	is_born();
	assert_true(ring_resumed(world.source));
	assert_true(*(uint64_t *)(void *)world.maps[BULK].memory == *producer_of(BULK));
	assert_int_equal(drain(100), 0);
	assert_string_equal(world.said, "");
}

/* The first agent died before its first turn: all is still there, and all is known. */
static void
a_set_that_nobody_read_begins_at_its_beginning(void **state)
{
	(void)state;
	put(BULK, WIRE_FLOW, 10);
	lose(WIRE_FLOW, 2);
	put(BULK, WIRE_FLOW, 20);
	drain(100);
	dies();
	is_born();
	assert_true(ring_resumed(world.source));
	drain(100);
	drain(100);
	assert_string_equal(world.said, "flow0 flow3 gap2@1");
}

static void
losses_of_the_time_without_an_agent_are_told_once(void **state)
{
	(void)state;
	put(BULK, WIRE_FLOW, 10);
	drain(100);
	commits();
	ring_release(world.source);
	dies();
	lose(WIRE_FLOW, 7);
	put(BULK, WIRE_FLOW, 50);
	is_born();
	drain(100);
	drain(100);
	assert_string_equal(world.said, "flow8 gap7@1");
	commits();
	dies();
	is_born();
	drain(100);
	finishes();
	assert_string_equal(world.said, "");
}

static void
without_a_word_of_the_last_reader_nothing_is_invented(void **state)
{
	(void)state;
	lose(WIRE_FLOW, 5);
	put(BULK, WIRE_FLOW, 10);
	drain(100);
	ring_release(world.source);
	dies();
	unlink(world.path);
	put(BULK, WIRE_FLOW, 20);
	lose(WIRE_FLOW, 3);
	is_born();
	assert_false(ring_resumed(world.source));
	lose(WIRE_FLOW, 4);
	put(BULK, WIRE_FLOW, 30);
	drain(100);
	finishes();
	assert_string_equal(world.said, "flow6 flow14 gap4@10");
}

/* Carry says more than there is, or is of a ring that somebody else has read. */
static void
a_position_that_is_none_is_not_trusted(void **state)
{
	(void)state;
	put(BULK, WIRE_FLOW, 10);
	drain(100);
	commits();
	put(BULK, WIRE_FLOW, 20);
	drain(100);
	ring_release(world.source);
	dies();
	is_born();
	assert_false(ring_resumed(world.source));
	put(BULK, WIRE_FLOW, 30);
	drain(100);
	assert_string_equal(world.said, "flow2");
}

static void
another_set_is_another_story(void **state)
{
	(void)state;
	put(BULK, WIRE_FLOW, 10);
	drain(100);
	commits();
	ring_release(world.source);
	dies();
	world.settings.set++;
	is_born();
	assert_false(ring_resumed(world.source));
}

/* Told but not committed: told again. Committed: nothing is left, whoever asks. */
static void
the_end_is_told_again_until_it_is_committed(void **state)
{
	static const char end[] = "flow0 swept0 swept1 gap2@1";

	(void)state;
	world.flows = 2;
	put(BULK, WIRE_FLOW, 10);
	lose(WIRE_FLOW, 2);
	finishes();
	assert_string_equal(world.said, end);
	dies();
	is_born();
	finishes();
	assert_string_equal(world.said, end);
	commits();
	ring_release(world.source);
	dies();
	is_born();
	assert_true(ring_resumed(world.source));
	finishes();
	assert_string_equal(world.said, "");
}

/* A large table takes many turns: who comes after a kill goes on behind the last that was kept. */
static void
the_end_goes_on_where_it_was_kept(void **state)
{
	(void)state;
	world.flows = 5;
	put(BULK, WIRE_FLOW, 10);
	put(BULK, WIRE_FLOW, 20);
	put(BULK, WIRE_FLOW, 30);
	lose(WIRE_FLOW, 1);
	assert_true(ring_finish(world.source, 2, hear, NULL));
	assert_true(ring_finish(world.source, 2, hear, NULL));
	assert_true(ring_finish(world.source, 2, hear, NULL));
	assert_string_equal(world.said, "flow0 flow1 flow2 swept0 swept1");
	commits();
	ring_release(world.source);
	assert_true(ring_finish(world.source, 2, hear, NULL));
	dies();
	is_born();
	assert_true(ring_finish(world.source, 2, hear, NULL));
	commits();
	dies();
	is_born();
	assert_false(ring_finish(world.source, 2, hear, NULL));
	assert_string_equal(world.said, "swept4 gap1@3");
}

/* Counters of a build that knows more kinds have other places. */
static void
another_build_s_counters_are_read_where_they_are(void **state)
{
	const unsigned int kinds = WIRE_KIND_MAX + 4;

	(void)state;
	dies();
	world.maps[COUNTERS].entries = CPUS * kinds;
	world.settings.silent = 1;
	world.counters[kinds + WIRE_EXEC] = (struct wire_counters){.issued = 3, .dropped = 3};
	is_born();
	finishes();
	assert_string_equal(world.said, "gap3@0");
}

static void
a_full_table_is_told_once(void **state)
{
	(void)state;
	world.totals[WIRE_TOTALS + WIRE_TOTAL_TABLE_FULL_FOREIGN] =
		(struct wire_sum){.flows = 9, .packets = 9, .bytes = 900};
	drain(100); /* a second has passed since never */
	assert_string_equal(world.said, "gap9@0");
	commits();
	dies();
	is_born();
	drain(100);
	assert_string_equal(world.said, "");
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, begin, finish)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(the_older_head_comes_first),
		FRESH(an_exec_behind_a_later_time_still_precedes_its_flow),
		FRESH(nothing_passes_a_busy_head),
		FRESH(what_is_younger_than_the_look_waits),
		FRESH(the_budget_is_for_both),
		FRESH(sleep_comes_after_release),
		FRESH(what_was_not_committed_is_read_again),
		FRESH(what_was_committed_is_not_read_again),
		FRESH(a_set_that_nobody_read_begins_at_its_beginning),
		FRESH(losses_of_the_time_without_an_agent_are_told_once),
		FRESH(without_a_word_of_the_last_reader_nothing_is_invented),
		FRESH(a_position_that_is_none_is_not_trusted),
		FRESH(another_set_is_another_story),
		FRESH(the_end_is_told_again_until_it_is_committed),
		FRESH(the_end_goes_on_where_it_was_kept),
		FRESH(another_build_s_counters_are_read_where_they_are),
		FRESH(a_full_table_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
