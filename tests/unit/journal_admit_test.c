/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* journal_admit_test.c - numbers, classes, shards, identities, quotas: what the loop sees. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "journal_helper.h"

static int
setup(void **state)
{
	*state = make_folder();
	return 0;
}

static int
teardown(void **state)
{
	remove_tree(*state);
	free(*state);
	return 0;
}

static void
entries_come_back(void **state)
{
	struct journal *journal = open_journal(*state, "n1");
	struct journal_state now;
	struct reading read;

	put_entries(journal, 100, MONDAY_MS);
	await_ticket(journal, 100);
	journal_state(journal, &now);
	assert_int_equal(now.admitted, 100);
	assert_int_equal(now.acknowledged, 100);
	assert_int_equal(now.staged_bytes, 0);
	assert_string_equal(now.shard, "c1/n1/2026-11-23");
	assert_true(now.syncs >= 1);
	journal_close(journal);

	read = read_journal(*state);
	assert_int_equal(read.entries, 100);
	assert_int_equal(read.damaged, 0);
	assert_int_equal(read.bad_order, 0);
	assert_string_equal(read.shard[0], "c1/n1/2026-11-23");
}

static void
critical_is_synced_at_once(void **state)
{
	struct journal_options options = {
		.directory = *state, .node = "n1", .sync_ms = 60000, .staging_bytes = 1 << 20};
	struct pollfd poll_fd = {.events = POLLIN};
	struct journal *journal = NULL;
	struct error why = {0};

	assert_int_equal(journal_open(&journal, &options, &why), 0);
	poll_fd.fd = journal_fd(journal);
	assert_int_equal(put_entry(journal, JOURNAL_BULK, MONDAY_MS), 1);
	journal_commit(journal);
	assert_int_equal(poll(&poll_fd, 1, 200), 0);
	assert_int_equal(put_entry(journal, JOURNAL_CRITICAL, MONDAY_MS), 2);
	journal_commit(journal);
	assert_int_equal(poll(&poll_fd, 1, 5000), 1);
	assert_int_equal(journal_acknowledged(journal), 2);
	journal_close(journal);
}

static void
shards_roll_forward_only(void **state)
{
	struct journal *journal = open_journal(*state, "n1");
	struct reading read;

	put_entries(journal, 3, MONDAY_MS);
	put_entries(journal, 2, MONDAY_MS + DAY_MS);
	put_entries(journal, 4, MONDAY_MS + 1);
	journal_close(journal);
	journal = open_journal(*state, "n1"); /* and a restart does not go back either */
	put_entries(journal, 1, MONDAY_MS - 9 * DAY_MS);
	put_entries(journal, 1, MONDAY_MS + 2 * DAY_MS);
	journal_close(journal);

	read = read_journal(*state);
	assert_int_equal(read.shards, 3);
	assert_int_equal(read.next[0], 3);
	assert_int_equal(read.next[1], 7);
	assert_int_equal(read.next[2], 1);
	assert_string_equal(read.shard[2], "c1/n1/2026-11-25");
	assert_int_equal(read.bad_order + read.damaged, 0);
}

static void
a_new_name_is_a_new_incarnation(void **state)
{
	static const char *const nodes[] = {"n1", "n2", "n2", "n1"};
	struct journal *journal;
	struct reading read;
	size_t i;

	for (i = 0; i < 4; i++) {
		journal = open_journal(*state, nodes[i]);
		put_entries(journal, 2, MONDAY_MS);
		journal_close(journal);
	}
	read = read_journal(*state);
	assert_int_equal(read.shards, 3);
	assert_string_equal(read.shard[1], "c1/n2/2026-11-23.2");
	assert_int_equal(read.next[1], 4);
	assert_string_equal(read.shard[2], "c1/n1/2026-11-23.3");
	assert_int_equal(read.damaged, 0);
}

static void
two_never_share_a_directory(void **state)
{
	struct journal_options options = {.directory = *state, .node = "n1"};
	struct journal *journal = open_journal(*state, "n1"), *second = NULL;
	struct error why = {0};

	assert_int_equal(journal_open(&second, &options, &why), -EBUSY);
	assert_null(second);
	assert_non_null(strstr(why.text, "in use by another process, pid "));
	journal_close(journal);
	assert_int_equal(journal_open(&second, &options, &why), 0);
	journal_close(second);
}

static void
names_are_checked(void **state)
{
	static const char *const bad[] = {"", "a/b", "a\nb", "a\x7f"};
	struct journal_options options = {.directory = *state};
	struct journal *journal = NULL;
	struct error why = {0};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		options.node = bad[i];
		assert_int_equal(journal_open(&journal, &options, &why), -EINVAL);
		assert_non_null(strstr(why.text, "node"));
	}
	assert_null(journal);
}

static void
odd_entries_get_no_number(void **state)
{
	static const struct {
		size_t length;
		uint64_t ticket;
	} cases[] = {{0, 0}, {JOURNAL_ENTRY_BYTES + 1, 0}, {JOURNAL_ENTRY_BYTES, 1}, {1, 2}};
	struct journal *journal = open_journal(*state, "n1");
	struct event_stamp stamp = {0};
	struct journal_state now;
	uint64_t sequence = 0;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(journal_admit(journal, JOURNAL_BULK, MONDAY_MS, &stamp), 0);
		assert_int_equal(stamp.sequence, sequence);
		assert_int_equal(strlen(stamp.uid), 32);
		memset(buf_reserve(journal_bytes(journal), cases[i].length + 1), 'x',
		       cases[i].length);
		journal_bytes(journal)->length += cases[i].length;
		assert_int_equal(journal_add(journal), cases[i].ticket);
		sequence += cases[i].ticket != 0;
	}
	/* admitted twice, added once */
	assert_int_equal(journal_admit(journal, JOURNAL_BULK, MONDAY_MS, &stamp), 0);
	buf_adds(journal_bytes(journal), "forgotten");
	assert_int_equal(put_entry(journal, JOURNAL_BULK, MONDAY_MS), 3);
	journal_state(journal, &now);
	assert_int_equal(now.refused_bulk, 2);
	assert_int_equal(now.too_long, 1);
	journal_close(journal);
	assert_int_equal(read_journal(*state).next[0], 3);
}

static void
bulk_is_refused_before_critical(void **state)
{
	struct journal_options options = {
		.directory = *state, .node = "n1", .staging_bytes = 65536};
	uint64_t bulk = 0, critical = 0;
	struct journal *journal = NULL;
	struct journal_state now;
	struct error why = {0};
	size_t i;

	assert_int_equal(journal_open(&journal, &options, &why), 0);
	for (i = 0; i < 2000; i++) /* nothing is handed over: nothing is released */
		bulk += put_entry(journal, JOURNAL_BULK, MONDAY_MS) != 0;
	for (i = 0; i < 2000; i++)
		critical += put_entry(journal, JOURNAL_CRITICAL, MONDAY_MS) != 0;
	journal_state(journal, &now);
	assert_int_equal(now.refused_bulk, 2000 - bulk);
	assert_int_equal(now.refused_critical, 2000 - critical);
	assert_in_range(now.staged_bytes, 65536, 65536 + 200);
	assert_in_range(critical * 3, bulk - 6, bulk + 6);
	journal_commit(journal);
	await_ticket(journal, bulk + critical);
	assert_true(put_entry(journal, JOURNAL_BULK, MONDAY_MS) > 0);
	journal_close(journal);
	assert_int_equal(read_journal(*state).entries, bulk + critical + 1);
}

static void
the_oldest_shards_go_first(void **state)
{
	struct journal_options options = {.directory = *state,
					  .node = "n1",
					  .cluster = "c1",
					  .quota_bytes = 64 * 1024,
					  .segment_bytes = 4096};
	struct journal *journal = NULL;
	struct journal_state now;
	struct error why = {0};
	struct reading read;
	uint64_t put;
	int day;

	assert_int_equal(journal_open(&journal, &options, &why), 0);
	for (day = 0; day < 6; day++) {
		put_entries(journal, 200, MONDAY_MS + day * DAY_MS);
		await_ticket(journal, 200 * (uint64_t)(day + 1));
	}
	journal_state(journal, &now);
	assert_true(now.expired_shards >= 2);
	assert_true(now.disk_bytes <= options.quota_bytes);
	for (put = 0; put < 1000 && put_entry(journal, JOURNAL_BULK, MONDAY_MS + 6 * DAY_MS); put++)
		;
	assert_in_range(put, 200, 999); /* the current one stays, and so it takes no more */
	journal_commit(journal);
	await_ticket(journal, 1200 + put);
	journal_close(journal);
	read = read_journal(*state);
	assert_int_equal(read.shards, 1);
	assert_int_equal(read.entries, put);
	assert_string_equal(read.shard[0], "c1/n1/2026-11-29");
}

/* Until one is refused. How many were taken. */
static uint64_t
put_until_refused(struct journal *journal, enum journal_class class, int64_t now_ms)
{
	struct journal_state now;
	uint64_t taken = 0;

	while (put_entry(journal, class, now_ms)) {
		journal_commit(journal);
		journal_state(journal, &now);
		await_ticket(journal, now.admitted);
		taken++;
	}
	return taken;
}

static void
bulk_leaves_the_reserve_to_critical_entries(void **state)
{
	struct journal_options options = {.directory = *state,
					  .node = "n1",
					  .cluster = "c1",
					  .quota_bytes = 32 * 1024,
					  .reserve_bytes = 8 * 1024,
					  .sync_ms = 1};
	struct journal *journal = NULL;
	struct journal_state now;
	struct error why = {0};
	struct reading read;
	uint64_t bulk, critical;

	assert_int_equal(journal_open(&journal, &options, &why), 0);
	bulk = put_until_refused(journal, JOURNAL_BULK, MONDAY_MS);
	journal_state(journal, &now);
	assert_in_range(now.disk_bytes, 24 * 1024, 24 * 1024 + 256);
	for (int i = 0; i < 9; i++)
		assert_int_equal(put_entry(journal, JOURNAL_BULK, MONDAY_MS), 0);
	critical = put_until_refused(journal, JOURNAL_CRITICAL, MONDAY_MS);
	journal_state(journal, &now);
	assert_in_range(now.disk_bytes, 32 * 1024, 32 * 1024 + 256);
	assert_int_equal(now.quota_bulk, 10);
	assert_int_equal(now.refused_bulk, 10);
	assert_int_equal(now.quota_critical, 1);
	assert_int_equal(now.refused_critical, 1);
	assert_int_equal(now.expired_shards, 0);
	read = read_journal(*state); /* nothing that has a number went */
	assert_int_equal(read.entries, bulk + critical);
	assert_int_equal(read.damaged + read.bad_order, 0);
	journal_close(journal);
	assert_int_equal(journal_open(&journal, &options, &why), 0);
	assert_int_equal(put_entry(journal, JOURNAL_CRITICAL, MONDAY_MS), 0);
	assert_int_equal(put_until_refused(journal, JOURNAL_BULK, MONDAY_MS + DAY_MS), bulk);
	journal_state(journal, &now);
	assert_int_equal(now.expired_shards, 1); /* a day later it is not the current one */
	assert_int_equal(now.quota_bulk, 1);
	assert_int_equal(now.quota_critical, 1);
	assert_int_equal(now.admitted, bulk);
	journal_close(journal);
	assert_int_equal(read_journal(*state).entries, bulk);
}

static void
old_shards_expire_by_age(void **state)
{
	struct journal_options options = {.directory = *state, .node = "n1", .age_days = 2};
	struct journal *journal = NULL;
	struct journal_state now;
	struct error why = {0};
	struct reading read;

	assert_int_equal(journal_open(&journal, &options, &why), 0);
	for (int day = 0; day < 6; day++) {
		put_entries(journal, 10, MONDAY_MS + day * DAY_MS);
		await_ticket(journal, 10 * (uint64_t)(day + 1));
	}
	journal_state(journal, &now);
	assert_int_equal(now.expired_shards, 3);
	read = read_journal(*state);
	assert_int_equal(read.shards, 3);
	assert_int_equal(read.entries, 30);
	assert_string_equal(read.shard[0], "standalone/n1/2026-11-26");
	put_entries(journal, 10, MONDAY_MS + 300 * DAY_MS);
	await_ticket(journal, 70);
	journal_close(journal);
	assert_int_equal(read_journal(*state).entries, 10);
}

static void
segments_roll(void **state)
{
	struct journal_options options = {.directory = *state, .node = "n1", .segment_bytes = 2048};
	struct journal *journal = NULL;
	struct error why = {0};
	char path[256];
	int i;

	assert_int_equal(journal_open(&journal, &options, &why), 0);
	for (i = 1; i <= 20; i++) {
		put_entries(journal, 10, MONDAY_MS);
		await_ticket(journal, (uint64_t)i * 10);
	}
	journal_close(journal);
	snprintf(path, sizeof(path), "%s/2026-11-23/00000009.seg", (char *)*state);
	assert_true(file_size(path) > 1024);
	assert_int_equal(read_journal(*state).entries, 200);
	snprintf(path, sizeof(path), "%s/2026-11-23", (char *)*state);
	assert_int_equal(read_journal(path).entries, 200);
}

/* An entry in a file that no name leads to is not on disk. */
static void
a_removed_segment_is_begun_anew(void **state)
{
	struct journal *journal = open_journal(*state, "n1");
	struct reading read;
	char path[256];

	put_entries(journal, 10, MONDAY_MS);
	await_ticket(journal, 10);
	snprintf(path, sizeof(path), "%s/2026-11-23", (char *)*state);
	remove_tree(path);
	put_entries(journal, 5, MONDAY_MS);
	await_ticket(journal, 15);
	journal_close(journal);

	read = read_journal(*state);
	assert_int_equal(read.entries, 5);
	assert_int_equal(read.next[0], 15);
}

static void
a_reader_follows_a_writer(void **state)
{
	struct journal_options options = {
		.directory = *state, .node = "n1", .segment_bytes = 4096, .sync_ms = 1};
	struct journal_reader *reader = NULL;
	struct journal *journal = NULL;
	struct reading read = {0};
	struct error why = {0};
	int i;

	assert_int_equal(journal_open(&journal, &options, &why), 0);
	assert_int_equal(journal_reader_open(&reader, *state, &why), 0);
	for (i = 0; i < 300; i++) {
		put_entries(journal, 7, MONDAY_MS + i / 100 * DAY_MS);
		read_more(reader, &read); /* wherever the writer is just now */
		if (i % 10 == 0) {
			await_ticket(journal, 7 * ((uint64_t)i + 1));
			read_more(reader, &read);
			assert_int_equal(read.entries, 7 * (i + 1));
		}
	}
	journal_close(journal);
	read_more(reader, &read);
	journal_reader_close(reader);
	assert_int_equal(read.entries, 2100);
	assert_int_equal(read.damaged + read.bad_order, 0);
	assert_int_equal(read.shards, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(entries_come_back),
		TEST(critical_is_synced_at_once),
		TEST(shards_roll_forward_only),
		TEST(a_new_name_is_a_new_incarnation),
		TEST(two_never_share_a_directory),
		TEST(names_are_checked),
		TEST(odd_entries_get_no_number),
		TEST(bulk_is_refused_before_critical),
		TEST(the_oldest_shards_go_first),
		TEST(segments_roll),
		TEST(bulk_leaves_the_reserve_to_critical_entries),
		TEST(old_shards_expire_by_age),
		TEST(a_reader_follows_a_writer),
		TEST(a_removed_segment_is_begun_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
