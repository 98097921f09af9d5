/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* journal_carry_test.c - an entry that was given its number is stored once, whoever is killed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"
#include "carry_helper.h"
#include "journal_helper.h"

#define SEGMENT "2026-11-23/00000000.seg"

struct pair {
	struct carry *carry;
	struct journal *journal;
};

static struct pair
open_pair(const struct place *place, const char *node)
{
	struct pair pair = {.carry = open_carry(place, BOOT)};
	struct journal_options options = {.node = node, .cluster = "c1", .carry = pair.carry};
	struct error why = {0};
	char path[128];

	snprintf(path, sizeof(path), "%s/journal", place->folder);
	options.directory = path;
	if (journal_open(&pair.journal, &options, &why) < 0)
		fail_msg("%s", why.text);
	return pair;
}

static void
close_pair(struct pair *pair)
{
	journal_close(pair->journal);
	assert_int_equal(carry_commit(pair->carry), 0);
	carry_close(pair->carry);
}

static struct journal_state
journal_state_of(const struct pair *pair)
{
	struct journal_state state;

	journal_state(pair->journal, &state);
	return state;
}

static uint64_t
put(struct pair *pair, unsigned int count, int64_t now_ms)
{
	uint64_t ticket = 0;

	while (count--) {
		ticket = put_entry(pair->journal, JOURNAL_BULK, now_ms);
		assert_true(ticket > 0);
	}
	return ticket;
}

static void
keep(struct pair *pair)
{
	journal_keep(pair->journal);
	assert_int_equal(carry_commit(pair->carry), 0);
}

static void
count_one(uint64_t id, const void *bytes, size_t length, void *arg)
{
	(void)id, (void)bytes, (void)length;
	++*(size_t *)arg;
}

static size_t
count_carried(const struct pair *pair)
{
	size_t count = 0;

	carry_each(pair->carry, CARRY_BATCH, count_one, &count);
	return count;
}

static struct reading
read_all(const struct place *place)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/journal", place->folder);
	return read_journal(path);
}

/* In a child, which ends as if it were killed. */
static void
in_child(const struct place *place, void (*work)(struct pair *pair))
{
	pid_t child = fork();
	int status;

	if (!child) {
		struct pair pair = open_pair(place, "n1");

		work(&pair);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static int
clear(void **state)
{
	struct place *place = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/journal", place->folder);
	remove_tree(path);
	return teardown(state);
}

/* Seven are on disk, then five are kept and never handed over, then two not even kept. */
static void
end_between_keeping_and_writing(struct pair *pair)
{
	uint64_t ticket = put(pair, 7, MONDAY_MS);

	keep(pair);
	journal_commit(pair->journal);
	await_ticket(pair->journal, ticket);
	put(pair, 5, MONDAY_MS + 1);
	keep(pair);
	put(pair, 2, MONDAY_MS + 2);
}

static void
what_was_kept_is_written_by_the_next(void **state)
{
	struct pair pair;
	struct reading read;
	uint64_t ticket;

	in_child(*state, end_between_keeping_and_writing);
	read = read_all(*state);
	assert_int_equal(read.entries, 7);
	pair = open_pair(*state, "n1");
	assert_int_equal(journal_state_of(&pair).restored, 5);
	await_ticket(pair.journal, 12);
	assert_int_equal(journal_state_of(&pair).waiting, 0);
	ticket = put(&pair, 3, MONDAY_MS + 3);
	assert_int_equal(ticket, 15);
	assert_int_equal(journal_state_of(&pair).waiting, 3);
	keep(&pair);
	journal_commit(pair.journal);
	await_ticket(pair.journal, ticket);
	assert_int_equal(journal_state_of(&pair).acknowledged, 8);
	assert_int_equal(journal_state_of(&pair).staged_bytes, 0);
	close_pair(&pair);
	read = read_all(*state);
	assert_int_equal(read.entries, 15);
	assert_int_equal(read.next[0], 15);
	assert_int_equal(read.damaged + read.bad_order, 0);
	pair = open_pair(*state, "n1");
	assert_int_equal(count_carried(&pair), 0);
	assert_int_equal(journal_state_of(&pair).restored, 0);
	close_pair(&pair);
}

/* Also when nobody writes anything more. */
static void
the_next_needs_no_entry_of_its_own(void **state)
{
	struct pair pair;

	in_child(*state, end_between_keeping_and_writing);
	pair = open_pair(*state, "n1");
	close_pair(&pair);
	assert_int_equal(read_all(*state).entries, 12);
	pair = open_pair(*state, "n1");
	assert_int_equal(count_carried(&pair), 0);
	close_pair(&pair);
}

/* The batch is on disk, and the carry does not know. */
static void
end_after_writing(struct pair *pair)
{
	uint64_t ticket = put(pair, 6, MONDAY_MS);

	keep(pair);
	journal_commit(pair->journal);
	await_ticket(pair->journal, ticket);
}

static void
what_is_on_disk_is_not_written_again(void **state)
{
	struct pair pair;
	char path[128];
	off_t size;

	in_child(*state, end_after_writing);
	snprintf(path, sizeof(path), "%s/journal/" SEGMENT, ((struct place *)*state)->folder);
	size = file_size(path);
	pair = open_pair(*state, "n1");
	assert_int_equal(count_carried(&pair), 1);
	assert_int_equal(journal_state_of(&pair).restored, 0);
	close_pair(&pair);
	assert_int_equal(file_size(path), size);
	snprintf(path, sizeof(path), "%s/journal/2026-11-23/00000001.seg",
		 ((struct place *)*state)->folder);
	assert_int_equal(file_size(path), -1);
	assert_int_equal(read_all(*state).entries, 6);
}

static void
of_a_batch_that_is_half_on_disk_the_rest_is_written(void **state)
{
	struct buf bytes cleanup(buf_fini) = {0};
	char path[128];
	off_t size;

	in_child(*state, end_after_writing);
	snprintf(path, sizeof(path), "%s/journal/" SEGMENT, ((struct place *)*state)->folder);
	size = file_size(path);
	assert_int_equal(buf_read_file(&bytes, path, 1 << 20), 0);
	for (off_t cut = 0; cut <= size; cut += 41) {
		struct reading read;
		struct pair pair;
		int fd;

		remove_tree(((struct place *)*state)->folder);
		assert_int_equal(mkdir(((struct place *)*state)->folder, 0700), 0);
		in_child(*state, end_after_writing);
		fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
		assert_int_equal(write(fd, bytes.data, (size_t)cut), cut);
		close(fd);
		pair = open_pair(*state, "n1");
		put(&pair, 1, MONDAY_MS);
		keep(&pair);
		close_pair(&pair);
		read = read_all(*state);
		assert_int_equal(read.entries, 7);
		assert_int_equal(read.next[0], 7);
		assert_int_equal(read.damaged + read.bad_order, 0);
	}
}

static void
end_at_midnight(struct pair *pair)
{
	put(pair, 3, MONDAY_MS + DAY_MS - 1);
	put(pair, 4, MONDAY_MS + DAY_MS);
	keep(pair);
}

static void
a_turn_may_have_two_days(void **state)
{
	struct pair pair;
	struct reading read;

	in_child(*state, end_at_midnight);
	pair = open_pair(*state, "n1");
	assert_int_equal(journal_state_of(&pair).restored, 7);
	assert_string_equal(journal_state_of(&pair).shard, "c1/n1/2026-11-24");
	put(&pair, 1, MONDAY_MS); /* a clock that steps back opens no old shard */
	keep(&pair);
	close_pair(&pair);
	read = read_all(*state);
	assert_int_equal(read.shards, 2);
	assert_int_equal(read.next[0], 3);
	assert_int_equal(read.next[1], 5);
	assert_int_equal(read.damaged + read.bad_order, 0);
}

static void
another_node_says_what_it_cannot_write(void **state)
{
	struct pair pair;

	in_child(*state, end_between_keeping_and_writing);
	pair = open_pair(*state, "n2");
	assert_int_equal(journal_state_of(&pair).restored, 0);
	assert_int_equal(journal_state_of(&pair).unrestored, 5);
	put(&pair, 2, MONDAY_MS);
	keep(&pair);
	close_pair(&pair);
	assert_int_equal(read_all(*state).entries, 9);
}

/* Somebody cuts the file while nobody runs: what is missing is counted, once, and no number recurs.
 */
static void
what_was_written_and_is_gone_is_counted(void **state)
{
	char path[128];
	struct pair pair = open_pair(*state, "n1");
	struct stat st;

	put(&pair, 5, MONDAY_MS);
	keep(&pair);
	close_pair(&pair);
	snprintf(path, sizeof(path), "%s/journal/" SEGMENT, ((struct place *)*state)->folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size - 1), 0);
	pair = open_pair(*state, "n1");
	assert_int_equal(journal_state_of(&pair).gone, 1);
	assert_string_equal(journal_state_of(&pair).shard, "c1/n1/2026-11-23.2");
	put(&pair, 2, MONDAY_MS);
	keep(&pair);
	close_pair(&pair);
	pair = open_pair(*state, "n1");
	assert_int_equal(journal_state_of(&pair).gone, 0);
	assert_int_equal(journal_state_of(&pair).next_sequence, 2);
	close_pair(&pair);
	assert_int_equal(read_all(*state).entries, 6);
}

/* Damaged values are no entries, and do no harm. */
static void
what_is_no_batch_is_left_out(void **state)
{
	struct carry *carry = open_carry(*state, BOOT);
	char noise[200];
	struct pair pair;

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)(i * 37);
	for (size_t length = 0; length < sizeof(noise); length++)
		carry_put(carry, CARRY_BATCH, length + 1, noise, length);
	assert_int_equal(carry_commit(carry), 0);
	carry_close(carry);
	pair = open_pair(*state, "n1");
	assert_int_equal(journal_state_of(&pair).unrestored, sizeof(noise));
	assert_int_equal(put(&pair, 1, MONDAY_MS), sizeof(noise) + 1);
	keep(&pair);
	close_pair(&pair);
	assert_int_equal(read_all(*state).entries, 1);
}

/* Turns of a few entries, as fast as it goes; says how many it has given a number and kept. */
static void
work(const struct place *place, int report)
{
	struct pair pair = open_pair(place, "n1");
	struct event_stamp stamp = {0};

	for (unsigned int turn = 0;; turn++) {
		put(&pair, 1 + turn % 9, MONDAY_MS);
		journal_admit(pair.journal, JOURNAL_BULK, MONDAY_MS, &stamp); /* given up again */
		keep(&pair);
		if (write(report, &stamp.sequence, sizeof(stamp.sequence)) < 0)
			_exit(1);
		journal_commit(pair.journal);
		journal_acknowledged(pair.journal);
	}
}

static uint64_t
kill_at(const struct place *place, long delay_ns)
{
	uint64_t reported, last = 0;
	int ends[2], status;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (!child) {
		close(ends[0]);
		work(place, ends[1]);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &last, sizeof(last)), sizeof(last));
	nanosleep(&(struct timespec){0, delay_ns}, NULL);
	kill(child, SIGKILL);
	while (read(ends[0], &reported, sizeof(reported)) == sizeof(reported))
		last = reported;
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	return last;
}

static void
killed_at_any_moment_nothing_kept_is_lost(void **state)
{
	struct reading read;
	struct pair pair;
	uint64_t kept;

	srand(815);
	for (int round = 0; round < 60; round++) {
		kept = kill_at(*state, rand() % 2000000);
		if (round % 6)
			continue; /* the next killed one has to cope */
		pair = open_pair(*state, "n1");
		close_pair(&pair);
		read = read_all(*state);
		assert_int_equal(read.damaged + read.bad_order, 0);
		assert_int_equal(read.entries, read.next[0]);
		assert_in_range(read.entries, kept, kept + 10);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_kept_is_written_by_the_next, setup, clear),
		cmocka_unit_test_setup_teardown(the_next_needs_no_entry_of_its_own, setup, clear),
		cmocka_unit_test_setup_teardown(what_is_on_disk_is_not_written_again, setup, clear),
		cmocka_unit_test_setup_teardown(of_a_batch_that_is_half_on_disk_the_rest_is_written,
						setup, clear),
		cmocka_unit_test_setup_teardown(a_turn_may_have_two_days, setup, clear),
		cmocka_unit_test_setup_teardown(another_node_says_what_it_cannot_write, setup,
						clear),
		cmocka_unit_test_setup_teardown(what_was_written_and_is_gone_is_counted, setup,
						clear),
		cmocka_unit_test_setup_teardown(what_is_no_batch_is_left_out, setup, clear),
		cmocka_unit_test_setup_teardown(killed_at_any_moment_nothing_kept_is_lost, setup,
						clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
