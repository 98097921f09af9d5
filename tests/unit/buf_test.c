/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* buf_test.c - a buffer grows, fails once and for all, reads files. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"

static void
empty_is_text(void **state)
{
	struct buf buf cleanup(buf_fini) = {0};

	(void)state;
	assert_string_equal(buf_text(&buf), "");
	buf_adds(&buf, "");
	assert_null(buf.data);
}

static void
grows(void **state)
{
	struct buf buf cleanup(buf_fini) = {0};

	(void)state;
	for (int i = 0; i < 1000; i++) {
		buf_addf(&buf, "%d", i % 10);
		buf_addc(&buf, ',');
		buf_adds(&buf, "ab");
		buf_add(&buf, "\0x", 2);
	}
	assert_false(buf.failed);
	assert_int_equal(buf.length, 6000);
	assert_true(buf.room > buf.length);
	assert_memory_equal(buf.data + 5994, "9,ab\0x", 6);
	assert_int_equal(buf_text(&buf)[6000], 0);

	buf_clear(&buf);
	assert_string_equal(buf_text(&buf), "");
	assert_true(buf.room > 6000);
}

static void
longer_than_its_room(void **state)
{
	struct buf buf cleanup(buf_fini) = {0};

	(void)state;
	buf_addf(&buf, "%5000d|", 7);
	assert_int_equal(buf.length, 5001);
	assert_memory_equal(buf.data + 4999, "7|", 2);
}

static void
reserves(void **state)
{
	struct buf buf cleanup(buf_fini) = {0};
	char *end;

	(void)state;
	buf_adds(&buf, "ab");
	end = buf_reserve(&buf, 64);
	assert_non_null(end);
	memset(end, 'c', 64);
	buf.length += 64;
	assert_int_equal(strlen(buf_text(&buf)), 66);
}

static void
failure_stays(void **state)
{
	struct buf buf cleanup(buf_fini) = {0};

	(void)state;
	buf_adds(&buf, "ab");
	assert_null(buf_reserve(&buf, SIZE_MAX - 2));
	assert_true(buf.failed);
	buf_adds(&buf, "c");
	buf_addf(&buf, "%d", 1);
	assert_int_equal(buf.length, 2);
	assert_string_equal(buf_text(&buf), "");
	assert_null(buf_reserve(&buf, 1));
}

static void
reads_files(void **state)
{
	struct buf buf cleanup(buf_fini) = {0};
	char path[] = "/tmp/demarc-buf-XXXXXX";
	int fd cleanup(fd_drop) = mkstemp(path);
	char block[5000];

	(void)state;
	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 10; i++)
		assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));

	buf_adds(&buf, "head ");
	assert_int_equal(buf_read_file(&buf, path, 50000), 0);
	assert_int_equal(buf.length, 50005);
	assert_int_equal(buf_read_file(&buf, path, 49999), -EFBIG);
	assert_int_equal(buf.length, 50005);
	assert_int_equal(buf_read_file(&buf, "/nonexistent", 1), -ENOENT);
	assert_int_equal(buf_read_file(&buf, "/tmp", 1), -EISDIR);
	unlink(path);

	buf_clear(&buf);
	assert_int_equal(buf_read_file(&buf, "/proc/self/stat", 4096), 0);
	assert_true(buf.length > 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_is_text),        cmocka_unit_test(grows),
		cmocka_unit_test(longer_than_its_room), cmocka_unit_test(reserves),
		cmocka_unit_test(failure_stays),        cmocka_unit_test(reads_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
