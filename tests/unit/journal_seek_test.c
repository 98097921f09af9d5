/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* journal_seek_test.c - a reader goes to a place, and says what expired before it could read it. */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stddef.h>

#include <cmocka.h>

#include "journal_helper.h"

#define TUESDAY_MS (MONDAY_MS + DAY_MS)

static struct journal *
open_small(const char *folder)
{
	struct journal_options options = {
		.directory = folder, .node = "n1", .cluster = "c1", .segment_bytes = 2048};
	struct journal *journal = NULL;
	struct error why = {0};

	assert_int_equal(journal_open(&journal, &options, &why), 0);
	return journal;
}

/* Several segments on Monday, a few entries on Tuesday. */
static char *
fill(void)
{
	char *folder = make_folder();
	struct journal *journal = open_small(folder);

	for (int i = 0; i < 10; i++) {
		put_entries(journal, 10, MONDAY_MS);
		await_ticket(journal, (uint64_t)(i + 1) * 10);
	}
	put_entries(journal, 5, TUESDAY_MS);
	journal_close(journal);
	return folder;
}

static struct journal_reader *
open_reader(const char *folder)
{
	struct journal_reader *reader = NULL;
	struct error why = {0};

	assert_int_equal(journal_reader_open(&reader, folder, &why), 0);
	return reader;
}

static int
next(struct journal_reader *reader, struct journal_position *at)
{
	struct error why = {0};
	const char *bytes;
	size_t length;
	int found = journal_reader_next(reader, &bytes, &length, &why);

	journal_reader_position(reader, at);
	return found;
}

static void
seek(struct journal_reader *reader, const char *log_name, uint64_t sequence)
{
	struct error why = {0};

	assert_int_equal(journal_reader_seek(reader, log_name, sequence, &why), 0);
}

static void
expire(const char *folder, const char *shard)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, shard);
	remove_tree(path);
}

static void
every_entry_is_found_by_its_number(void **state)
{
	char *folder = fill();
	struct journal_reader *reader = open_reader(folder);
	struct journal_position at;

	(void)state;
	for (uint64_t sequence = 100; sequence-- > 0;) {
		seek(reader, "c1/n1/2026-11-23", sequence);
		assert_int_equal(next(reader, &at), 1);
		assert_int_equal(at.sequence, sequence);
		assert_string_equal(at.log_name, "c1/n1/2026-11-23");
	}
	seek(reader, "c1/n1/2026-11-23", 99);
	assert_int_equal(next(reader, &at), 1);
	assert_int_equal(next(reader, &at), 1);
	assert_int_equal(at.sequence, 0);
	assert_string_equal(at.log_name, "c1/n1/2026-11-24");
	journal_reader_close(reader);
	remove_tree(folder);
	free(folder);
}

static void
a_place_at_the_end_waits_for_more(void **state)
{
	char *folder = fill();
	struct journal_reader *reader = open_reader(folder);
	struct journal *journal;
	struct journal_position at;

	(void)state;
	seek(reader, "c1/n1/2026-11-24", 5);
	assert_int_equal(next(reader, &at), 0);
	journal = open_small(folder);
	put_entries(journal, 1, TUESDAY_MS);
	journal_close(journal);
	assert_int_equal(next(reader, &at), 1);
	assert_int_equal(at.sequence, 5);
	journal_reader_close(reader);
	remove_tree(folder);
	free(folder);
}

static void
assert_lost(const struct journal_reader *reader, const char *log_name, uint64_t first)
{
	struct journal_lost lost;

	journal_reader_lost(reader, &lost);
	assert_string_equal(lost.log_name, log_name);
	assert_int_equal(lost.first, first);
	assert_true(lost.next == UINT64_MAX);
}

static void
a_shard_that_expired_is_lost_from_the_place_on(void **state)
{
	char *folder = fill();
	struct journal_reader *reader = open_reader(folder);
	struct journal_position at;

	(void)state;
	expire(folder, "2026-11-23");
	seek(reader, "c1/n1/2026-11-23", 42);
	assert_int_equal(next(reader, &at), -EBADMSG);
	assert_lost(reader, "c1/n1/2026-11-23", 42);
	assert_int_equal(next(reader, &at), 1);
	assert_int_equal(at.sequence, 0);
	assert_string_equal(at.log_name, "c1/n1/2026-11-24");
	journal_reader_close(reader);
	remove_tree(folder);
	free(folder);
}

static void
a_shard_that_expires_while_it_is_read_is_said(void **state)
{
	char *folder = fill();
	struct journal_reader *reader = open_reader(folder);
	struct journal_position at;
	uint64_t last = 0;
	int found;

	(void)state;
	seek(reader, "c1/n1/2026-11-23", 30);
	assert_int_equal(next(reader, &at), 1);
	expire(folder, "2026-11-23");
	while ((found = next(reader, &at)) == 1)
		last = at.sequence; /* the open segment is read to its end */
	assert_int_equal(found, -EBADMSG);
	assert_true(last < 99);
	assert_lost(reader, "c1/n1/2026-11-23", last + 1);
	assert_int_equal(next(reader, &at), 1);
	assert_string_equal(at.log_name, "c1/n1/2026-11-24");
	journal_reader_close(reader);
	remove_tree(folder);
	free(folder);
}

static void
a_shard_that_was_read_whole_may_expire(void **state)
{
	char *folder = fill();
	struct journal_reader *reader = open_reader(folder);
	struct journal_position at;

	(void)state;
	seek(reader, "c1/n1/2026-11-23", 99);
	assert_int_equal(next(reader, &at), 1);
	assert_int_equal(next(reader, &at), 1); /* Tuesday's first */
	expire(folder, "2026-11-23");
	for (int i = 1; i < 5; i++)
		assert_int_equal(next(reader, &at), 1);
	assert_int_equal(next(reader, &at), 0);
	journal_reader_close(reader);
	remove_tree(folder);
	free(folder);
}

static void
shards_compare_by_their_day(void **state)
{
	(void)state;
	assert_true(journal_log_compare("c/n/2026-11-23", "c/n/2026-11-24") < 0);
	assert_true(journal_log_compare("c/n/2026-11-23.2", "d/m/2026-11-23.10") < 0);
	assert_int_equal(journal_log_compare("c/n/2026-11-23", "c/n/2026-11-23"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_entry_is_found_by_its_number),
		cmocka_unit_test(a_place_at_the_end_waits_for_more),
		cmocka_unit_test(a_shard_that_expired_is_lost_from_the_place_on),
		cmocka_unit_test(a_shard_that_expires_while_it_is_read_is_said),
		cmocka_unit_test(a_shard_that_was_read_whole_may_expire),
		cmocka_unit_test(shards_compare_by_their_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
