/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* journal_pack_test.c - compressed segments: the same entries, at every moment, damaged or not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "journal/pack.h"
#include "journal/packer.h"
#include "journal_helper.h"

#define ENTRIES 6000 /* some 900 KiB: several blocks */

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

static const char *
segment(void **state, unsigned int number, char out[256])
{
	snprintf(out, 256, "%s/2026-11-23/%08u.seg", (char *)*state, number);
	return out;
}

/* Two segments, ENTRIES and 5 entries. */
static void
fill(void **state)
{
	struct journal *journal = open_journal(*state, "n1");

	for (int i = 0; i < ENTRIES / 10; i++)
		put_entries(journal, 10, MONDAY_MS);
	journal_close(journal);
	journal = open_journal(*state, "n1");
	put_entries(journal, 5, MONDAY_MS);
	journal_close(journal);
}

/* Steps; -1: to the end. What the last one said. */
static int
pack(const char *path, int steps)
{
	struct packing packing;
	int found = packing_begin(&packing, path);

	while (!found && steps--)
		found = packing_step(&packing);
	packing_fini(&packing);
	return found;
}

static void
the_same_entries_come_out(void **state)
{
	struct journal_reader *before = NULL, *after = NULL;
	const char *bytes, *again;
	size_t length, length_again;
	struct error why = {0};
	char path[256];
	off_t size;

	fill(state);
	segment(state, 0, path);
	size = file_size(path);
	assert_int_equal(journal_reader_open(&before, *state, &why), 0);
	assert_int_equal(journal_reader_next(before, &bytes, &length, &why), 1);
	assert_int_equal(pack(path, -1), 1);
	assert_true(file_size(path) < size / 2);
	assert_int_equal(pack(path, -1), 1); /* once is enough */
	assert_int_equal(journal_reader_open(&after, *state, &why), 0);
	for (int i = 0; i < ENTRIES + 5; i++) {
		assert_int_equal(journal_reader_next(after, &again, &length_again, &why), 1);
		assert_int_equal(length, length_again);
		assert_memory_equal(bytes, again, length);
		assert_int_equal(journal_reader_next(before, &bytes, &length, &why),
				 i < ENTRIES + 4);
	}
	assert_int_equal(journal_reader_next(after, &again, &length_again, &why), 0);
	journal_reader_close(before);
	journal_reader_close(after);
	assert_int_equal(read_journal(path).entries, ENTRIES);
	assert_int_equal(read_journal(path).damaged, 0);
}

static void
readers_go_to_a_place_in_it(void **state)
{
	static const uint64_t places[] = {0, 1, 999, ENTRIES - 1, ENTRIES, ENTRIES + 4};
	struct journal_reader *reader = NULL;
	struct journal_position at;
	struct error why = {0};
	const char *bytes;
	char path[256];
	size_t length;

	fill(state);
	assert_int_equal(pack(segment(state, 0, path), -1), 1);
	assert_int_equal(journal_reader_open(&reader, *state, &why), 0);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		assert_int_equal(journal_reader_seek(reader, "c1/n1/2026-11-23", places[i], &why),
				 0);
		assert_int_equal(journal_reader_next(reader, &bytes, &length, &why), 1);
		journal_reader_position(reader, &at);
		assert_int_equal(at.sequence, places[i]);
	}
	journal_reader_close(reader);
}

/* Killed before each step, and behind the last. */
static void
a_kill_between_any_steps_leaves_one_whole_copy(void **state)
{
	struct packing packing;
	struct reading read;
	char path[256], temporary[300];
	int steps, status, found = 0;

	fill(state);
	segment(state, 0, path);
	snprintf(temporary, sizeof(temporary), "%s.tmp", path);
	for (steps = 0; found == 0; steps++) {
		if (fork() == 0) {
			status = packing_begin(&packing, path);
			for (int i = 0; !status && i < steps; i++)
				status = packing_step(&packing);
			_exit(status & 0xff);
		}
		assert_true(wait(&status) > 0);
		found = WEXITSTATUS(status);
		assert_true(found <= 1);
		assert_int_equal(file_size(temporary) >= 0, found == 0);
		read = read_journal(*state);
		assert_int_equal(read.entries, ENTRIES + 5);
		assert_int_equal(read.damaged + read.bad_order, 0);
	}
	assert_true(steps > 5);
	close(open(temporary, O_CREAT | O_WRONLY, 0600));
	journal_close(open_journal(*state, "n1"));
	assert_int_equal(file_size(temporary), -1);
	assert_int_equal(read_journal(*state).entries, ENTRIES + 5);
}

/* Each block in turn: in its header, in its stream. */
static void
a_damaged_block_costs_its_own_entries(void **state)
{
	struct journal_reader *reader;
	struct journal_lost lost;
	struct error why = {0};
	uint64_t entries, missing, all = 0;
	struct pack_block block;
	const char *bytes;
	size_t length;
	char path[256];
	long at = 1024, size;
	int fd, found;

	fill(state);
	segment(state, 0, path);
	assert_int_equal(pack(path, -1), 1);
	for (size = file_size(path); at < size; at += (long)pack_block_size(block.packed)) {
		fd = open(path, O_RDONLY);
		assert_int_equal(pread(fd, &block, sizeof(block), at), sizeof(block));
		close(fd);
		for (long byte = 0; byte < 80; byte += 12) {
			flip_byte(path, at + byte);
			entries = missing = 0;
			assert_int_equal(journal_reader_open(&reader, *state, &why), 0);
			while ((found = journal_reader_next(reader, &bytes, &length, &why)) != 0) {
				if (found == 1) {
					entries++;
					continue;
				}
				assert_int_equal(found, -EBADMSG);
				assert_non_null(strstr(why.text, "are lost"));
				journal_reader_lost(reader, &lost);
				missing += lost.next - lost.first;
			}
			journal_reader_close(reader);
			assert_true(missing > 0 && missing < 1200);
			assert_int_equal(entries + missing, ENTRIES + 5);
			flip_byte(path, at + byte);
		}
		all += missing;
	}
	assert_int_equal(all, ENTRIES);
	flip_byte(path, 8); /* the version: whether it is compressed is seen from its blocks */
	assert_int_equal(read_journal(*state).entries, ENTRIES + 5);
	assert_int_equal(read_journal(*state).damaged, 1);
}

static void
one_cut_short_says_what_is_lost(void **state)
{
	struct reading read;
	char path[256];

	fill(state);
	segment(state, 0, path);
	assert_int_equal(pack(path, -1), 1);
	assert_int_equal(truncate(path, file_size(path) - 1000), 0);
	read = read_journal(*state);
	assert_int_equal(read.damaged, 1);
	assert_true(read.entries > ENTRIES / 2 && read.entries < ENTRIES);
	assert_non_null(strstr(read.damage, "to 5999 are lost"));
	read = read_journal(path); /* alone as well */
	assert_int_equal(read.damaged, 1);
	assert_non_null(strstr(read.damage, "to 5999 are lost"));
}

/* As the newest it gives no number twice, and is not cut. */
static void
numbers_go_on_behind_one_that_is_damaged(void **state)
{
	struct journal_state now;
	struct journal *journal;
	char path[256];
	off_t size;

	fill(state);
	assert_int_equal(unlink(segment(state, 1, path)), 0);
	segment(state, 0, path);
	assert_int_equal(pack(path, -1), 1);
	size = file_size(path);
	flip_byte(path, -500);
	journal = open_journal(*state, "n1");
	journal_state(journal, &now);
	assert_int_equal(now.next_sequence, ENTRIES);
	assert_int_equal(now.damaged, 1);
	assert_int_equal(now.cut_bytes, 0);
	journal_close(journal);
	assert_int_equal(file_size(path), size);
}

static void
evidence_of_damage_stays_as_it_is(void **state)
{
	char path[256], temporary[300];
	off_t size;

	fill(state);
	segment(state, 0, path);
	size = file_size(path);
	flip_byte(path, 5000);
	assert_int_equal(pack(path, -1), -EBADMSG);
	assert_int_equal(file_size(path), size);
	snprintf(temporary, sizeof(temporary), "%s.tmp", path);
	assert_int_equal(file_size(temporary), -1);
}

static uint64_t
sum_files(void **state, unsigned int count)
{
	uint64_t sum = 0;
	char path[256];

	for (unsigned int i = 0; i < count; i++)
		sum += (uint64_t)file_size(segment(state, i, path));
	return sum;
}

static void
a_journal_compresses_what_it_left(void **state)
{
	struct journal_options options = {.directory = *state,
					  .node = "n1",
					  .cluster = "c1",
					  .segment_bytes = 32 * 1024,
					  .compress = true};
	struct journal *journal = NULL;
	struct journal_state now;
	struct error why = {0};
	struct reading read;

	fill(state); /* by one that did not */
	assert_int_equal(journal_open(&journal, &options, &why), 0);
	for (int i = 1; i <= 20; i++) {
		put_entries(journal, 500, MONDAY_MS);
		await_ticket(journal, (uint64_t)i * 500);
	}
	for (int i = 0; i < 500; i++) {
		journal_state(journal, &now);
		if (now.compressed == 21)
			break;
		usleep(10000);
	}
	assert_int_equal(now.compressed, 21); /* 2 and 19: the last is being written */
	assert_int_equal(now.disk_bytes, sum_files(state, 22));
	read = read_journal(*state);
	assert_int_equal(read.entries, ENTRIES + 5 + 10000);
	assert_int_equal(read.damaged + read.bad_order, 0);
	journal_close(journal);
	assert_int_equal(journal_open(&journal, &options, &why), 0);
	journal_state(journal, &now);
	assert_int_equal(now.disk_bytes, sum_files(state, 22));
	assert_int_equal(now.next_sequence, ENTRIES + 5 + 10000);
	journal_close(journal);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_same_entries_come_out),
		TEST(readers_go_to_a_place_in_it),
		TEST(a_kill_between_any_steps_leaves_one_whole_copy),
		TEST(a_damaged_block_costs_its_own_entries),
		TEST(one_cut_short_says_what_is_lost),
		TEST(numbers_go_on_behind_one_that_is_damaged),
		TEST(evidence_of_damage_stays_as_it_is),
		TEST(a_journal_compresses_what_it_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
