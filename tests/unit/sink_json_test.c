/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sink_json_test.c - the journal's own bytes, in order, or counted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sink.h"

static int
put_number(struct sink *sink, unsigned int number, size_t padding)
{
	char text[8192];
	struct delivery delivery = {.json = text, .ticket = number};

	delivery.length = (size_t)snprintf(text, sizeof(text), "{\"n\":%u,\"pad\":\"%0*d\"}",
					   number, (int)padding, 0);
	return sink->ops->put(sink, &delivery);
}

/* Every line is whole, numbers rise. Returns how many lines. */
static unsigned int
count_lines(const char *text, unsigned int *last)
{
	unsigned int lines = 0, number;

	for (; *text; text = strchr(text, '\n') + 1) {
		assert_int_equal(sscanf(text, "{\"n\":%u,", &number), 1);
		assert_true(number > *last);
		assert_non_null(strchr(text, '\n'));
		assert_memory_equal(strchr(text, '\n') - 2, "\"}", 2);
		*last = number;
		lines++;
	}
	return lines;
}

static void
bytes_come_out_as_they_are(void **state)
{
	FILE *file = tmpfile();
	struct sink *sink = NULL;
	struct delivery delivery = {.json = "{\"a\":\"\xc3\xbc\"}", .length = 10, .ticket = 1};
	char text[64] = "";

	(void)state;
	assert_int_equal(json_open(&sink, fileno(file), SINK_DROPS), 0);
	assert_int_equal(sink->ops->put(sink, &delivery), 0);
	delivery.ticket = 2;
	assert_int_equal(sink->ops->put(sink, &delivery), 0);
	assert_int_equal(sink->ops->commit(sink, 1), 0);
	sink->ops->close(sink); /* the second is not on disk: it is not shown */
	rewind(file);
	assert_int_equal(fread(text, 1, sizeof(text), file), 11);
	assert_string_equal(text, "{\"a\":\"\xc3\xbc\"}\n");
	fclose(file);
}

/* 24 MB into a pipe nobody reads yet: 16 MiB wait, the rest is counted. */
static void
a_slow_reader_gets_whole_lines(void **state)
{
	unsigned int i, lines = 0, last = 0, left = 0;
	struct sink *sink = NULL;
	size_t length = 0;
	char *text = calloc(1, 32 << 20);
	ssize_t got;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	assert_int_equal(json_open(&sink, fds[1], SINK_DROPS), 0);
	for (i = 1; i <= 6000; i++) {
		assert_int_equal(put_number(sink, i, 4000), 0);
		assert_int_equal(sink->ops->commit(sink, i), 0);
	}
	for (i = 0; i < 2000; i++) {
		while ((got = read(fds[0], text + length, (32 << 20) - length)) > 0)
			length += (size_t)got;
		sink->ops->commit(sink, 6000);
	}
	lines = count_lines(text, &last);
	left = 6000 - lines;
	assert_in_range(lines, 4000, 4200);
	assert_true(left > 0);
	assert_int_equal(put_number(sink, 6001, 10), 0); /* and it goes on */
	assert_int_equal(sink->ops->commit(sink, 6001), 0);
	got = read(fds[0], text, 1000);
	assert_int_equal(got, 30);
	sink->ops->close(sink);
	close(fds[0]);
	close(fds[1]);
	free(text);
}

/* A replay has no journal to fall back on: as much as above, all of it. */
static void
a_patient_sink_loses_nothing(void **state)
{
	FILE *file = tmpfile();
	struct sink *sink = NULL;
	unsigned int i;

	(void)state;
	assert_int_equal(json_open(&sink, fileno(file), SINK_WAITS), 0);
	for (i = 1000; i < 7000; i++)
		assert_int_equal(put_number(sink, i, 4000), 0);
	assert_int_equal(sink->ops->commit(sink, 7000), 0);
	sink->ops->close(sink);
	assert_int_equal(ftell(file), 6000 * 4020);
	fclose(file);
}

static void
a_full_disk_is_an_error(void **state)
{
	struct sink *sink = NULL;
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(json_open(&sink, fd, SINK_WAITS), 0);
	assert_int_equal(put_number(sink, 1, 10), 0);
	assert_int_equal(sink->ops->commit(sink, 1), -ENOSPC);
	assert_int_equal(sink->ops->commit(sink, 0), -ENOSPC);
	sink->ops->close(sink);
	close(fd);
}

static void
close_waits_for_a_reader_only_so_long(void **state)
{
	struct sink *sink = NULL;
	unsigned int i;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(json_open(&sink, fds[1], SINK_DROPS), 0);
	for (i = 1; i <= 100; i++)
		put_number(sink, i, 4000);
	sink->ops->commit(sink, 100);
	alarm(10);
	sink->ops->close(sink);
	alarm(0);
	close(fds[0]);
	close(fds[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come_out_as_they_are),
		cmocka_unit_test(a_slow_reader_gets_whole_lines),
		cmocka_unit_test(a_patient_sink_loses_nothing),
		cmocka_unit_test(a_full_disk_is_an_error),
		cmocka_unit_test(close_waits_for_a_reader_only_so_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
