/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* journal_segment_test.c - the format: headers, frames, and a walk over good and bad ones. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "journal/segment.h"
#include "journal/shard.h"

static size_t
add_frame(char *at, uint64_t sequence, uint64_t durable, const char *text)
{
	struct frame_header *head = (struct frame_header *)(void *)at;

	*head = (struct frame_header){.length = (uint32_t)strlen(text), .sequence = sequence};
	memcpy(at + sizeof(*head), text, strlen(text));
	frame_seal(head, durable);
	return frame_size(head->length);
}

static void
frames_are_checked(void **state)
{
	static const struct {
		size_t byte; /* to change */
		int found;
	} cases[] = {
		{0, 0},         /* a longer length: the rest may be on its way */
		{2, -EBADMSG},  /* beyond the longest */
		{4, -EBADMSG},  /* checksum */
		{8, -EBADMSG},  /* sequence */
		{16, -EBADMSG}, /* durable */
		{24, -EBADMSG}, /* time */
		{32, -EBADMSG}, /* class */
		{40, -EBADMSG}, /* first byte of the entry */
		{46, -EBADMSG}, /* last */
		{47, 1},        /* padding */
	};
	_Alignas(8) char bytes[64] = {0};
	struct frame frame;
	size_t i, length;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(bytes, 0, sizeof(bytes));
		length = add_frame(bytes, 7, 3, "{\"a\":1}");
		assert_int_equal(length, 48);
		assert_int_equal(frame_check(&frame, bytes, length), 1);
		assert_int_equal(frame.head.sequence, 7);
		assert_memory_equal(frame.bytes, "{\"a\":1}", 7);
		bytes[cases[i].byte] ^= 0x10;
		assert_int_equal(frame_check(&frame, bytes, length), cases[i].found);
	}
	for (i = 0; i < length; i++) {
		add_frame(bytes, 7, 3, "{\"a\":1}");
		assert_int_equal(frame_check(&frame, bytes, i), 0);
	}
}

static void
headers_are_checked(void **state)
{
	struct segment_identity identity = {"c1", "n1", "c1/n1/2026-11-23"};
	struct segment_header header, good;
	size_t i;

	(void)state;
	segment_header_fill(&good, &identity, 42, 1);
	assert_int_equal(segment_header_check(&good), 0);
	for (i = 0; i < sizeof(header); i++) {
		header = good;
		((char *)&header)[i] ^= 1;
		assert_int_equal(segment_header_check(&header), -EBADMSG);
	}
}

/* A file with a header and frames 0 to 9; returns its descriptor. */
static int
make_file(uint64_t durable_step)
{
	_Alignas(8) char bytes[1024 + 10 * 48];
	struct segment_identity identity = {"c1", "n1", "c1/n1/2026-11-23"};
	int fd = memfd_create("segment", MFD_CLOEXEC);
	size_t at = 1024;
	uint64_t i;

	memset(bytes, 0, sizeof(bytes));
	segment_header_fill((struct segment_header *)(void *)bytes, &identity, 0, 1);
	for (i = 0; i < 10; i++)
		at += add_frame(bytes + at, i, i * durable_step, "{\"a\":1}");
	assert_int_equal(at, sizeof(bytes));
	assert_int_equal(write(fd, bytes, at), (ssize_t)at);
	return fd;
}

static void
walks_skip_damage_but_not_torn_tails(void **state)
{
	static const struct {
		uint64_t durable_step;
		int found;
	} cases[] = {{1, 1}, {0, 0}};
	struct frame frame;
	struct scan scan;
	size_t i, n;
	int fd;

	(void)state;
	for (i = 0; i < 2; i++) {
		fd = make_file(cases[i].durable_step);
		assert_int_equal(pwrite(fd, "x", 1, 1024 + 4 * 48 + 41), 1);
		assert_int_equal(scan_open(&scan, fd), 0);
		for (n = 0; scan_next(&scan, &frame) == 1; n++)
			assert_int_equal(frame.head.sequence, n);
		assert_int_equal(n, 4);
		assert_int_equal(scan.at, 1024 + 4 * 48);
		assert_int_equal(scan_skip(&scan, 4), cases[i].found);
		assert_int_equal(scan.at, 1024 + (4 + (unsigned int)cases[i].found) * 48);
		assert_int_equal(scan_next(&scan, &frame), cases[i].found ? 1 : -EBADMSG);
		scan_fini(&scan);
	}
}

static void
shards_have_names_in_order(void **state)
{
	static const struct {
		const char *name;
		int64_t day;
		unsigned int incarnation;
	} good[] = {{"1970-01-01", 0, 1}, {"2026-11-23", 20780, 1}, {"2026-11-23.12", 20780, 12}};
	static const char *const bad[] = {"",
					  "lock",
					  "2026-1-2",
					  "2026-11-23.1",
					  "2026-11-23.0",
					  "2026-11-23.2x",
					  "2026-02-30",
					  "26-11-23",
					  ".expired-2026-11-23",
					  "2026-11-23 "};
	struct shard shard, earlier = {0};
	char text[SHARD_TEXT];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(shard_parse(&shard, good[i].name));
		assert_int_equal(shard.day, good[i].day);
		assert_int_equal(shard.incarnation, good[i].incarnation);
		assert_string_equal(shard_format(&shard, text), good[i].name);
		assert_true(shard_compare(&earlier, &shard) < 0);
		earlier = shard;
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(shard_parse(&shard, bad[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_checked),
		cmocka_unit_test(headers_are_checked),
		cmocka_unit_test(walks_skip_damage_but_not_torn_tails),
		cmocka_unit_test(shards_have_names_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
