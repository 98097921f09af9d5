/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* records_text_test - records as people write them: what they become, and what is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event.h"
#include "source.h"

static char file[] = "/tmp/demarc-records-XXXXXX";

static int
make_file(void **state)
{
	int fd = mkstemp(file);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int
remove_file(void **state)
{
	(void)state;
	return unlink(file);
}

static void
write_file(const void *bytes, size_t length)
{
	FILE *out = fopen(file, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(bytes, 1, length, out), length);
	assert_int_equal(fclose(out), 0);
}

/* What a drain handed over. */
struct seen {
	size_t count;
	uint64_t last_ns;
	struct event event;
};

static void
see(const struct wire_head *record, void *arg)
{
	struct seen *seen = arg;

	seen->count++;
	seen->last_ns = record->time_ns;
	assert_int_equal((uintptr_t)record % 8, 0);
	if (event_decode(&seen->event, record) < 0)
		fail_msg("record %zu of kind %u does not decode", seen->count, record->kind);
}

static const char story[] =
	"# a story\n"
	"!record offset=2026-11-01T00:00:00Z node=n1 boot=b1\n"
	"\n"
	"1.000 exec  pid=41 ppid=1 uid=33 exe=/usr/bin/python3 comm=python3 cgroup=7"
	" argv=\"python3\\x00-c \\\"x\\\"\\x00\"\n"
	"1.200 flow  open pid=41 uid=33 basis=connect src=10.0.0.5:40112"
	" dst=203.0.113.9:4444 proto=tcp role=client bytes=60 packets=1 cookie=5 # why\r\n"
	"1.500 flow  update cookie=5 bytes=1000 packets=5\n"
	"1.900 flow  close cookie=5 bytes=1200 packets=7 bytes_in=9\n"
	"1.950 flow  close cookie=5 bytes=1200 packets=7 told_bytes=1190 told_packets=6\n"
	"2.0 connect pid=41 dst=[2001:db8::1]:443 proto=tcp error=ECONNREFUSED\n"
	"2.1 exit pid=41 code=3\n"
	"2.2 gap loss=ring kind=flow count=5\n"
	"2.3 agent life=start text=\"all is well\"";

#define NEXT(seen) assert_int_equal(source->ops->drain(source, 1, see, seen), 1)

static void
check_others(struct source *source, struct seen *seen)
{
	struct event *event = &seen->event;

	NEXT(seen);
	assert_int_equal(event->error, ECONNREFUSED);
	assert_int_equal(event->process.uid, 33);
	NEXT(seen);
	assert_int_equal(event->exit_code, 3);
	assert_int_equal(event->process.started_ns, 1000000000);
	NEXT(seen);
	assert_int_equal(event->lost, 5);
	assert_string_equal(event->missing, "flow");
	NEXT(seen);
	assert_string_equal(event->message, "all is well");
}

static void
reads_text(void **state)
{
	struct seen seen = {0};
	struct source *source;
	struct error why = {0};
	struct event *event = &seen.event;

	(void)state;
	write_file(story, strlen(story));
	if (replay_open(&source, file, &why) < 0)
		fail_msg("%u:%u: %s", why.line, why.column, why.text);
	assert_int_equal(replay_header(source)->offset_ms, 1793491200000);
	assert_string_equal(replay_header(source)->node, "n1");
	NEXT(&seen);
	assert_ptr_equal(event->type, &event_exec);
	assert_string_equal(event->process.argv, "python3 -c \"x\"");
	assert_int_equal(event->process.started_ns, 1000000000);
	NEXT(&seen);
	assert_string_equal(event->moment, "open");
	assert_int_equal(event->dst_port, 4444);
	assert_int_equal(event->noted_ns, 1200000000);
	assert_string_equal(event->process.name, "python3");
	assert_int_equal(event->bytes_in, ABSENT);
	NEXT(&seen);
	assert_string_equal(event->moment, "update");
	assert_int_equal(event->delta_bytes, 1000);
	NEXT(&seen);
	assert_string_equal(event->moment, "close");
	assert_int_equal(event->delta_bytes, 200);
	assert_int_equal(event->delta_packets, 2);
	assert_int_equal(event->dst_port, 4444);
	assert_int_equal(event->bytes, 1200);
	assert_int_equal(event->wire_bytes, 1200);
	assert_int_equal(event->noted_ns, 1200000000);
	assert_int_equal(event->duration_ms, 700);
	assert_int_equal(event->bytes_in, 9);
	NEXT(&seen);
	assert_int_equal(event->delta_bytes, 10);
	assert_int_equal(event->delta_packets, 1);
	check_others(source, &seen);
	assert_int_equal(source->ops->drain(source, 1, see, &seen), -ENODATA);
	assert_null(replay_error(source));
	source->ops->close(source);
}

static const struct {
	const char *text;
	unsigned int line, column;
	const char *what;
} slips[] = {
	{"1 exex pid=1\n", 1, 3, "did you mean 'exec'"},
	{"1 exec pid=1\n2 flow open dts=1.2.3.4:5", 2, 13, "did you mean 'dst'"},
	{"1 flow opne dst=1.2.3.4 proto=tcp", 1, 8, "did you mean 'open'"},
	{"1 flow open dst=1.2.3.400:5 proto=tcp", 1, 17, "not an address"},
	{"1 flow open dst=1.2.3.4:99999 proto=tcp", 1, 17, "too large"},
	{"1 flow open dst=[::1:5 proto=tcp", 1, 17, "not an address"},
	{"1 flow open dst=[::1]x5 proto=tcp", 1, 17, "not an address"},
	{"1 flow open dst=::1 proto=tpc", 1, 27, "did you mean 'tcp'"},
	{"1 flow open dst=::1 proto=300", 1, 27, "too large"},
	{"1 flow dst=::1 proto=tcp", 1, 3, "one of: open, update, close"},
	{"1 flow open close dst=::1 proto=tcp", 1, 3, "one of: open, update, close"},
	{"1 flow open proto=tcp", 1, 3, "needs dst"},
	{"1 flow open dst=::1", 1, 3, "needs proto"},
	{"1 flow open=1 dst=::1", 1, 8, "without a value"},
	{"1 flow open dst proto=tcp", 1, 13, "needs a value"},
	{"1 flow open dst=::1 dst=::2 proto=tcp", 1, 21, "said twice"},
	{"1 flow open dst=::1 proto=tcp role=clinet", 1, 36, "did you mean 'client'"},
	{"1 connect dst=::1 proto=tcp error=ECONREFUSED", 1, 35, "'ECONNREFUSED'"},
	{"x exec pid=1", 1, 1, "not a time"},
	{"1. exec pid=1", 1, 1, "not a time"},
	{"1.0000000001 exec pid=1", 1, 1, "finer"},
	{"99999999999 exec pid=1", 1, 1, "too late"},
	{"1=2 exec", 1, 1, "begins with a time"},
	{"1", 1, 1, "a kind must follow"},
	{"1 exec", 1, 3, "needs pid"},
	{"1 fork ppid=3", 1, 3, "needs pid"},
	{"1 exec pid=4294967296", 1, 12, "too large"},
	{"1 exec pid=1x", 1, 12, "not a number"},
	{"1 exec pid=-1", 1, 12, "not a number"},
	{"1 exec pid=1 comm=0123456789abcdef", 1, 19, "keeps 15"},
	{"1 exec pid=1 exe=\"/a", 1, 18, "not closed"},
	{"1 exec pid=1 exe=\"/a\"b", 1, 22, "blank must follow"},
	{"1 exec pid=1 exe=/a\\q", 1, 20, "no such escape"},
	{"1 exec pid=1 exe=/a\\x4", 1, 20, "no such escape"},
	{"1 exec =1", 1, 8, "key is missing"},
	{"1 gap loss=rnig", 1, 12, "did you mean 'ring'"},
	{"1 gap count=1", 1, 3, "needs loss"},
	{"1 agent text=x", 1, 3, "needs life"},
	{"!recrod", 1, 1, "!record"},
	{"!record nod=x", 1, 9, "did you mean 'node'"},
	{"!record offset=yesterday", 1, 16, "not a"},
	{"!record offset=2026-13-01T00:00:00Z", 1, 16, "not a time"},
	{"1 exec pid=1\n!record node=x", 2, 1, "before"},
};

static void
refuses_text(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(slips) / sizeof(slips[0]); i++) {
		struct source *source = NULL;
		struct error why;
		int result;

		write_file(slips[i].text, strlen(slips[i].text));
		result = replay_open(&source, file, &why);
		if (result != -EINVAL || why.line != slips[i].line ||
		    why.column != slips[i].column || !strstr(why.text, slips[i].what))
			fail_msg("%s\n%d %u:%u: %s", slips[i].text, result, why.line, why.column,
				 why.text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_text),
		cmocka_unit_test(refuses_text),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
