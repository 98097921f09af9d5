/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* journal_recover_test.c - torn tails at every byte, damage, duplicates: what is found again. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>

#include "journal/segment.h"
#include "journal_helper.h"

#define SEGMENT "2026-11-23/00000000.seg"

struct folder {
	char *path;
	char segment[256];
};

static int
setup(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	folder->path = make_folder();
	snprintf(folder->segment, sizeof(folder->segment), "%s/" SEGMENT, folder->path);
	*state = folder;
	return 0;
}

static int
teardown(void **state)
{
	struct folder *folder = *state;

	remove_tree(folder->path);
	free(folder->path);
	free(folder);
	return 0;
}

/* batches x 5 entries, each batch synced. */
static void
fill(const struct folder *folder, unsigned int batches)
{
	struct journal *journal = open_journal(folder->path, "n1");
	uint64_t ticket = 0;

	while (batches--) {
		put_entries(journal, 5, MONDAY_MS);
		await_ticket(journal, ticket += 5);
	}
	journal_close(journal);
}

static struct journal_state
reopen(const struct folder *folder, unsigned int more)
{
	struct journal *journal = open_journal(folder->path, "n1");
	struct journal_state state;

	journal_state(journal, &state);
	if (more)
		put_entries(journal, more, MONDAY_MS);
	journal_close(journal);
	return state;
}

static char *
load(const char *path, size_t *length)
{
	struct buf bytes = {0};

	assert_int_equal(buf_read_file(&bytes, path, 1 << 20), 0);
	*length = bytes.length;
	return bytes.data;
}

static void
store(const char *path, const char *bytes, size_t length)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, bytes, length), (ssize_t)length);
	close(fd);
}

/* How many whole entries the first length bytes hold. */
static uint64_t
count_whole(const char *bytes, size_t length)
{
	size_t at = sizeof(struct segment_header);
	struct frame frame;
	uint64_t count = 0;

	while (at < length && frame_check(&frame, bytes + at, length - at) == 1) {
		at += frame_size(frame.head.length);
		count++;
	}
	return count;
}

static void
a_tail_torn_at_any_byte_leaves_a_prefix(void **state)
{
	struct folder *folder = *state;
	struct reading read;
	size_t length, cut;
	uint64_t whole;
	char *bytes;

	fill(folder, 1);
	bytes = load(folder->segment, &length);
	for (cut = 0; cut <= length; cut++) {
		remove_tree(folder->path);
		mkdir(folder->path, 0700);
		snprintf(folder->segment, sizeof(folder->segment), "%s/2026-11-23", folder->path);
		mkdir(folder->segment, 0700);
		snprintf(folder->segment, sizeof(folder->segment), "%s/" SEGMENT, folder->path);
		store(folder->segment, bytes, cut);
		whole = count_whole(bytes, cut);
		read = read_journal(folder->path);
		assert_int_equal(read.entries, whole);
		assert_int_equal(read.damaged, 0);
		assert_int_equal(reopen(folder, 2).recovered_entries, whole);
		read = read_journal(folder->path);
		assert_int_equal(read.entries, whole + 2);
		assert_int_equal(read.next[0], whole + 2);
		assert_int_equal(read.damaged + read.bad_order, 0);
	}
	free(bytes);
}

static void
zeroes_after_a_crash_are_cut(void **state)
{
	struct folder *folder = *state;
	off_t size;

	fill(folder, 2);
	size = file_size(folder->segment);
	assert_int_equal(truncate(folder->segment, size + 5000), 0);
	assert_int_equal(read_journal(folder->path).damaged, 0);
	assert_int_equal(reopen(folder, 1).cut_bytes, 5000);
	assert_int_equal(file_size(folder->segment), size);
	assert_int_equal(read_journal(folder->path).entries, 11);
}

static void
damage_in_the_middle_is_said_and_stepped_over(void **state)
{
	struct folder *folder = *state;
	size_t frame = 0, length;
	struct reading read;
	char *bytes;

	fill(folder, 4);
	bytes = load(folder->segment, &length);
	frame = frame_size(((struct frame_header *)(void *)(bytes + 1024))->length);
	free(bytes);
	flip_byte(folder->segment, (long)(1024 + 7 * frame + 60)); /* entry 7 of 0 to 19 */

	assert_int_equal(read_journal(folder->path).damaged, 1);
	assert_int_equal(reopen(folder, 3).damaged, 1);
	read = read_journal(folder->path);
	assert_int_equal(read.entries, 22);
	assert_int_equal(read.next[0], 23);
	assert_int_equal(read.damaged, 1);
	assert_non_null(strstr(read.damage, SEGMENT));
	assert_non_null(strstr(read.damage, "entries 7 to 7 are lost"));
	assert_int_equal(file_size(folder->segment), length); /* evidence stays as it is */
}

static void
damage_of_what_was_never_acknowledged_is_a_torn_tail(void **state)
{
	struct folder *folder = *state;
	struct journal *journal = open_journal(folder->path, "n1");

	put_entries(journal, 20, MONDAY_MS); /* one batch: none of it durable before the others */
	journal_close(journal);
	flip_byte(folder->segment, 1024 + 60);
	assert_int_equal(read_journal(folder->path).entries, 0);
	assert_true(reopen(folder, 3).cut_bytes > 1000);
	assert_int_equal(read_journal(folder->path).next[0], 3);
	assert_int_equal(read_journal(folder->path).damaged, 0);
}

static void
damaged_headers_do_not_hide_entries(void **state)
{
	struct folder *folder = *state;
	struct reading read;

	fill(folder, 2);
	flip_byte(folder->segment, 40);
	assert_int_equal(reopen(folder, 5).damaged, 1);
	read = read_journal(folder->path);
	assert_int_equal(read.damaged, 1);
	assert_int_equal(read.entries, 15);
	assert_int_equal(read.next[1], 15); /* the first has no name any more */
	assert_int_equal(read_journal(folder->segment).entries, 10);
}

static void
a_lost_segment_is_missed(void **state)
{
	struct folder *folder = *state;
	struct reading read;
	char path[256];
	int i;

	for (i = 0; i < 3; i++)
		fill(folder, 1);
	snprintf(path, sizeof(path), "%s/2026-11-23/00000001.seg", folder->path);
	assert_int_equal(unlink(path), 0);
	read = read_journal(folder->path);
	assert_int_equal(read.entries, 10);
	assert_int_equal(read.damaged, 1);
	assert_non_null(strstr(read.damage, "entries 5 to 9 are missing"));
}

/* What a failed sync leaves when even its file cannot be cut: a batch written twice. */
static void
what_was_written_twice_is_read_once(void **state)
{
	struct folder *folder = *state;
	struct segment_header header;
	struct reading read;
	size_t length, at, frame;
	char *bytes;

	fill(folder, 2);
	fill(folder, 1); /* 00000001.seg, entries 10 to 14 */
	bytes = load(folder->segment, &length);
	frame = frame_size(((struct frame_header *)(void *)(bytes + 1024))->length);
	memcpy(&header, bytes, sizeof(header));
	segment_header_fill(&header, &(struct segment_identity){"c1", "n1", "c1/n1/2026-11-23"}, 7,
			    1);
	at = 1024 + 7 * frame;
	memcpy(bytes + at - sizeof(header), &header, sizeof(header));
	snprintf(folder->segment, sizeof(folder->segment), "%s/2026-11-23/00000001.seg",
		 folder->path);
	unlink(folder->segment);
	store(folder->segment, bytes + at - sizeof(header), length - at + sizeof(header));
	free(bytes);

	read = read_journal(folder->path);
	assert_int_equal(read.entries, 10);
	assert_int_equal(read.damaged + read.bad_order, 0);
	snprintf(folder->segment, sizeof(folder->segment), "%s/" SEGMENT, folder->path);
	flip_byte(folder->segment, (long)at + 60); /* superseded: nobody misses it */
	read = read_journal(folder->path);
	assert_int_equal(read.entries, 10);
	assert_int_equal(read.damaged + read.bad_order, 0);
	assert_int_equal(reopen(folder, 1).damaged, 0);
	assert_int_equal(read_journal(folder->path).next[0], 11);
}

static void
half_removed_shards_vanish(void **state)
{
	struct folder *folder = *state;
	char from[256], to[256];

	fill(folder, 1);
	snprintf(from, sizeof(from), "%s/2026-11-23", folder->path);
	snprintf(to, sizeof(to), "%s/.expired-2026-11-23", folder->path);
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(reopen(folder, 1).recovered_entries, 0);
	assert_int_equal(file_size(to), -1);
	assert_int_equal(read_journal(folder->path).entries, 1);
}

static void
foreign_files_are_refused(void **state)
{
	struct folder *folder = *state;
	struct journal_reader *reader = NULL;
	struct error why = {0};
	char path[256];

	snprintf(path, sizeof(path), "%s/some.txt", folder->path);
	assert_int_equal(journal_reader_open(&reader, path, &why), -ENOENT);
	store(path, "hello", 5);
	assert_int_equal(journal_reader_open(&reader, path, &why), -EBADMSG);
	assert_int_equal(truncate(path, 4096), 0);
	assert_int_equal(journal_reader_open(&reader, path, &why), -EBADMSG);
	assert_non_null(strstr(why.text, "not a segment"));
	assert_null(reader);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_tail_torn_at_any_byte_leaves_a_prefix),
		TEST(zeroes_after_a_crash_are_cut),
		TEST(damage_in_the_middle_is_said_and_stepped_over),
		TEST(damage_of_what_was_never_acknowledged_is_a_torn_tail),
		TEST(damaged_headers_do_not_hide_entries),
		TEST(a_lost_segment_is_missed),
		TEST(what_was_written_twice_is_read_once),
		TEST(half_removed_shards_vanish),
		TEST(foreign_files_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
