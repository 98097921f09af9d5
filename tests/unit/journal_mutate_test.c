/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* journal_mutate_test.c - journals mutated at random: every whole entry comes back, all loss is
 * counted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>

#include "journal/packer.h"
#include "journal_helper.h"

#define SEGMENTS 6
#define EACH     40 /* entries */
#define TOTAL    (SEGMENTS * EACH)
#define ROUNDS   8 /* of each mutation */

struct mutated {
	char *path;
	uint64_t seed;
	bool is_packed;
	bool lost[TOTAL];
};

static unsigned int
draw(struct mutated *mutated, unsigned int below)
{
	mutated->seed = mutated->seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned int)(mutated->seed >> 33) % below;
}

static const char *
name(const struct mutated *mutated, unsigned int segment, char out[256])
{
	snprintf(out, 256, "%s/2026-11-23/%08u.seg", mutated->path, segment);
	return out;
}

static void
pack(const char *path)
{
	struct packing packing;
	int found = packing_begin(&packing, path);

	while (!found)
		found = packing_step(&packing);
	packing_fini(&packing);
	assert_int_equal(found, 1);
}

static void
fill(struct mutated *mutated)
{
	struct journal *journal;
	char path[256];

	mutated->path = make_folder();
	memset(mutated->lost, 0, sizeof(mutated->lost));
	for (unsigned int i = 0; i < SEGMENTS; i++) {
		journal = open_journal(mutated->path, "n1");
		put_entries(journal, EACH, MONDAY_MS);
		journal_close(journal);
		if (mutated->is_packed && i < SEGMENTS - 1)
			pack(name(mutated, i, path));
	}
}

static void
lose(struct mutated *mutated, unsigned int segment, unsigned int from)
{
	for (unsigned int i = from; i < EACH; i++)
		mutated->lost[segment * EACH + i] = true;
}

/* How many entries the first bytes of a segment hold. */
static unsigned int
count_whole(const char *path)
{
	struct scan scan;
	struct frame frame;
	unsigned int count = 0;

	assert_int_equal(scan_open(&scan, open(path, O_RDONLY)), 0);
	while (!scan.header_error && scan_next(&scan, &frame) == 1)
		count++;
	scan_fini(&scan);
	return count;
}

/*
 * The mutations
 * -------------
 * Never of the last segment: what is behind says what is missing.
 */

static void
tear(struct mutated *mutated, unsigned int segment, const char *path)
{
	assert_int_equal(truncate(path, 1024 + draw(mutated, (unsigned int)file_size(path) - 1024)),
			 0);
	lose(mutated, segment, count_whole(path));
}

/* A bit of an entry, or of a compressed block. */
static void
flip(struct mutated *mutated, unsigned int segment, const char *path)
{
	unsigned int entry = draw(mutated, EACH);
	struct frame frame;
	struct scan scan;

	if (mutated->is_packed) {
		flip_byte(path, 1024 + 24 + (long)draw(mutated, 200));
		lose(mutated, segment, 0);
		return;
	}
	assert_int_equal(scan_open(&scan, open(path, O_RDONLY)), 0);
	for (unsigned int i = 0; i < entry; i++)
		assert_int_equal(scan_next(&scan, &frame), 1);
	flip_byte(path, (long)scan.at + (long)draw(mutated, 60));
	scan_fini(&scan);
	mutated->lost[segment * EACH + entry] = true;
}

static void
take_away(struct mutated *mutated, unsigned int segment, const char *path)
{
	assert_int_equal(unlink(path), 0);
	lose(mutated, segment, 0);
}

static void
empty(struct mutated *mutated, unsigned int segment, const char *path)
{
	assert_int_equal(truncate(path, 0), 0);
	lose(mutated, segment, 0);
}

static void
copy(const char *from, const char *to)
{
	struct buf bytes = {0};
	int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(buf_read_file(&bytes, from, 1 << 20), 0);
	assert_int_equal(write(fd, bytes.data, bytes.length), (ssize_t)bytes.length);
	close(fd);
	buf_fini(&bytes);
}

/* In the place of the next one, whose entries are gone with that. */
static void
duplicate(struct mutated *mutated, unsigned int segment, const char *path)
{
	unsigned int other = segment ? segment - 1 : 1;
	char to[256];

	copy(path, name(mutated, other, to));
	lose(mutated, other, 0);
}

static const struct {
	const char *name;
	void (*mutate)(struct mutated *mutated, unsigned int segment, const char *path);
} mutations[] = {
	{"torn", tear},         {"bit flipped", flip},    {"missing", take_away},
	{"zero length", empty}, {"duplicate", duplicate},
};

/* What is not lost is read, once and in order; what is lost is said to be. */
static void
check(const struct mutated *mutated, const char *what)
{
	bool read[TOTAL] = {false}, said[TOTAL] = {false};
	struct journal_reader *reader;
	struct journal_position at;
	struct journal_lost lost;
	struct error why = {0};
	uint64_t next = 0;
	const char *bytes;
	size_t length;
	int found;

	assert_int_equal(journal_reader_open(&reader, mutated->path, &why), 0);
	while ((found = journal_reader_next(reader, &bytes, &length, &why)) != 0) {
		if (found == 1) {
			journal_reader_position(reader, &at);
			assert_in_range(at.sequence, next, TOTAL - 1);
			read[at.sequence] = true;
			next = at.sequence + 1;
			continue;
		}
		assert_int_equal(found, -EBADMSG);
		journal_reader_lost(reader, &lost);
		for (uint64_t i = lost.first; i < lost.next && i < TOTAL; i++)
			said[i] = true;
	}
	journal_reader_close(reader);
	for (unsigned int i = 0; i < TOTAL; i++)
		if (read[i] == mutated->lost[i] || said[i] != mutated->lost[i])
			fail_msg("%s: entry %u: lost %d, read %d, said %d", what, i,
				 mutated->lost[i], read[i], said[i]);
}

static void
mutate_all(bool is_packed)
{
	struct mutated mutated = {.seed = 7, .is_packed = is_packed};
	struct journal_state now;
	struct journal *journal;
	char path[256];
	unsigned int segment;

	for (unsigned int i = 0; i < ROUNDS * sizeof(mutations) / sizeof(mutations[0]); i++) {
		fill(&mutated);
		segment = draw(&mutated, SEGMENTS - 1);
		mutations[i / ROUNDS].mutate(&mutated, segment, name(&mutated, segment, path));
		check(&mutated, mutations[i / ROUNDS].name);
		journal = open_journal(mutated.path, "n1");
		journal_state(journal, &now);
		assert_int_equal(now.next_sequence, TOTAL);
		journal_close(journal);
		check(&mutated, mutations[i / ROUNDS].name);
		remove_tree(mutated.path);
		free(mutated.path);
	}
}

static void
mutated_journals_lose_no_whole_entry(void **state)
{
	(void)state;
	mutate_all(false);
}

static void
nor_do_compressed_ones(void **state)
{
	(void)state;
	mutate_all(true);
}

/* Two segments have each other's names: their entries are out of order, and that is said. */
static void
swapped_segments_are_said(void **state)
{
	struct mutated mutated = {.seed = 7};
	char path[256], other[256], between[300];
	struct reading read;

	(void)state;
	for (int is_packed = 0; is_packed < 2; is_packed++) {
		mutated.is_packed = is_packed;
		fill(&mutated);
		name(&mutated, 1, path);
		name(&mutated, 2, other);
		snprintf(between, sizeof(between), "%s.x", path);
		assert_int_equal(rename(path, between) + rename(other, path), 0);
		assert_int_equal(rename(between, other), 0);
		read = read_journal(mutated.path);
		assert_int_equal(read.bad_order, 0);
		assert_true(read.damaged > 0);
		assert_in_range(read.entries, TOTAL - 2 * EACH, TOTAL);
		remove_tree(mutated.path);
		free(mutated.path);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mutated_journals_lose_no_whole_entry),
		cmocka_unit_test(nor_do_compressed_ones),
		cmocka_unit_test(swapped_segments_are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
