/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* replay_test - recordings: written, read back, damaged. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "event.h"
#include "source.h"

static char file[] = "/tmp/demarc-replay-XXXXXX";

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

static void
read_file(struct buf *out)
{
	buf_clear(out);
	assert_true(buf_read_file(out, file, 1 << 24) >= 0);
}

/* What a drain handed over. */
struct seen {
	size_t count;
	uint64_t last_ns;
	struct buf bytes;
	struct event event;
};

static void
see(const struct wire_head *record, void *arg)
{
	struct seen *seen = arg;

	seen->count++;
	seen->last_ns = record->time_ns;
	buf_add(&seen->bytes, record, record->size);
	assert_int_equal((uintptr_t)record % 8, 0);
	if (event_decode(&seen->event, record) < 0)
		fail_msg("record %zu of kind %u does not decode", seen->count, record->kind);
}

/* Drain to the end; its errno, and the place of the damage in *why when there is one. */
static int
drain(struct seen *seen, struct error *why)
{
	struct source *source;
	struct error error;
	int result = replay_open(&source, file, &error);

	if (result < 0)
		fail_msg("%s", error.text);
	assert_int_equal(source->ops->fd(source), -1);
	do
		result = source->ops->drain(source, 3, see, seen);
	while (result > 0);
	assert_int_equal(source->ops->drain(source, 3, see, seen), result);
	assert_int_equal(!replay_error(source), result == -ENODATA);
	if (replay_error(source))
		*why = *replay_error(source);
	source->ops->close(source);
	return result;
}

static struct wire_exit
an_exit(uint64_t time_ns)
{
	return (struct wire_exit){
		.head = {.kind = WIRE_EXIT, .size = sizeof(struct wire_exit), .time_ns = time_ns},
		.task = {.pid = 41},
	};
}

static void
record_exits(size_t count)
{
	const struct recording_header header = {.offset_ms = 1234, .node = "n1", .boot_id = "b1"};
	struct recorder *recorder;
	struct error why = {0};
	size_t i;

	assert_int_equal(recorder_open(&recorder, file, &header, NULL, &why), 0);
	for (i = 1; i <= count; i++) {
		struct wire_exit record = an_exit(i);

		assert_int_equal(recorder_put(recorder, &record.head), 0);
		if (i == 2)
			assert_int_equal(recorder_flush(recorder), 0);
	}
	assert_int_equal(recorder_close(recorder), 0);
}

static void
round_trip(void **state)
{
	static const size_t counts[] = {0, 1, 2, 3, 2000};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct seen seen = {0};
		struct source *source;
		struct error why;

		record_exits(counts[i]);
		assert_int_equal(drain(&seen, &why), -ENODATA);
		assert_int_equal(seen.count, counts[i]);
		assert_int_equal(seen.last_ns, counts[i]);
		buf_fini(&seen.bytes);
		assert_int_equal(replay_open(&source, file, &why), 0);
		assert_int_equal(replay_header(source)->offset_ms, 1234);
		assert_string_equal(replay_header(source)->node, "n1");
		assert_string_equal(replay_header(source)->boot_id, "b1");
		source->ops->close(source);
	}
}

/* Cut anywhere, and with any byte changed behind the header: told, with a place, never a crash. */
static void
damage(void **state)
{
	struct buf good cleanup(buf_fini) = {0};
	size_t at;

	(void)state;
	record_exits(20);
	read_file(&good);
	for (at = sizeof(struct recording_header); at < good.length; at++) {
		struct seen seen = {0};
		struct error why = {0};

		write_file(good.data, at);
		assert_int_equal(drain(&seen, &why), -EBADMSG);
		assert_non_null(strstr(why.text, "byte "));
		assert_true(seen.count <= 20);
		buf_fini(&seen.bytes);

		good.data[at] ^= 0x10;
		write_file(good.data, good.length);
		good.data[at] ^= 0x10;
		memset(&seen, 0, sizeof(seen));
		if (drain(&seen, &why) != -EBADMSG)
			fail_msg("byte %zu changed, and nobody noticed", at);
		buf_fini(&seen.bytes);
	}
}

/* The header is covered too, where it does not make the file another thing altogether. */
static void
damaged_header(void **state)
{
	struct buf good cleanup(buf_fini) = {0};
	struct seen seen = {0};
	struct error why = {0};

	(void)state;
	record_exits(20);
	read_file(&good);
	good.data[offsetof(struct recording_header, offset_ms)] ^= 1;
	write_file(good.data, good.length);
	assert_int_equal(drain(&seen, &why), -EBADMSG);
	assert_int_equal(seen.count, 0);
	buf_fini(&seen.bytes);
}

static void
refuses(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *what;
	} cases[] = {
		{"", 0, "empty"},
		{"DEMARCR2........", 16, "version"},
		{"DEMARCR1....", 12, "within its header"},
		{"\x7f"
		 "ELF\0\0\0\0\0\0",
		 10, "neither"},
	};
	struct source *source = NULL;
	struct error why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_file(cases[i].bytes, cases[i].length);
		assert_int_equal(replay_open(&source, file, &why), -EINVAL);
		if (!strstr(why.text, cases[i].what))
			fail_msg("%s: %s", cases[i].what, why.text);
		assert_string_equal(why.file, file);
		assert_null(source);
	}
	assert_int_equal(replay_open(&source, "/nowhere/at/all", &why), -ENOENT);
}

static void
skips_unknown(void **state)
{
	const struct recording_header header = {0};
	struct wire_exit known = an_exit(1), unknown = an_exit(2), broken = an_exit(3);
	struct recorder *recorder;
	struct seen seen = {0};
	struct source *source;
	struct error why = {0};

	(void)state;
	unknown.head.kind = 999;
	broken.head.size = 8;
	assert_int_equal(recorder_open(&recorder, file, &header, NULL, &why), 0);
	assert_int_equal(recorder_put(recorder, &unknown.head), 0);
	assert_int_equal(recorder_put(recorder, &broken.head), 0);
	assert_int_equal(recorder_put(recorder, &known.head), 0);
	assert_int_equal(recorder_refused(recorder), 1);
	assert_int_equal(recorder_close(recorder), 0);
	assert_int_equal(replay_open(&source, file, &why), 0);
	assert_int_equal(source->ops->drain(source, 9, see, &seen), 1);
	assert_int_equal(source->ops->drain(source, 9, see, &seen), -ENODATA);
	assert_int_equal(replay_skipped(source), 1);
	source->ops->close(source);
	buf_fini(&seen.bytes);
}

/*
 * Privacy
 * -------
 */

struct exec_room {
	struct wire_exec exec;
	char exe[64], argv[64], path[64], stale[64];
};

static void
fill_exec(struct exec_room *record)
{
	memset(record, 0, sizeof(*record));
	record->exec.head =
		(struct wire_head){.kind = WIRE_EXEC, .size = sizeof(*record), .time_ns = 1};
	record->exec.task.pid = 41;
	strcpy(record->exe, "/home/alice/bin/tool");
	memcpy(record->argv, "tool\0--password=hunter2\0", 24);
	strcpy(record->path, "/lxc/alice");
	strcpy(record->stale, "stale-secret");
	record->exec.exe = (struct wire_slice){offsetof(struct exec_room, exe), 20};
	record->exec.argv = (struct wire_slice){offsetof(struct exec_room, argv), 24};
	record->exec.cgroup_path = (struct wire_slice){offsetof(struct exec_room, path), 10};
}

static void
record_exec(const struct privacy *privacy, struct buf *bytes, struct seen *seen)
{
	const struct recording_header header = {0};
	struct exec_room record;
	struct recorder *recorder;
	struct error why = {0};
	struct stat about;

	fill_exec(&record);
	assert_int_equal(recorder_open(&recorder, file, &header, privacy, &why), 0);
	assert_int_equal(recorder_put_known(recorder, &record.exec.head, "alice", NULL), 0);
	assert_int_equal(recorder_close(recorder), 0);
	read_file(bytes);
	assert_int_equal(drain(seen, &why), -ENODATA);
	assert_int_equal(stat(file, &about), 0);
	assert_int_equal(about.st_mode & 077, 0);
}

static bool
holds(const struct buf *bytes, const char *text)
{
	return memmem(bytes->data, bytes->length, text, strlen(text));
}

static void
keeps_as_is(void **state)
{
	struct buf bytes cleanup(buf_fini) = {0};
	struct seen seen = {0};

	(void)state;
	record_exec(NULL, &bytes, &seen);
	assert_string_equal(seen.event.process.exe, "/home/alice/bin/tool");
	assert_string_equal(seen.event.process.argv, "tool --password=hunter2");
	assert_string_equal(seen.event.process.cgroup_path, "/lxc/alice");
	assert_false(holds(&bytes, "stale"));
	buf_fini(&seen.bytes);
}

static void
keeps_secrets(void **state)
{
	static const enum privacy_mode modes[] = {PRIVACY_DROP, PRIVACY_PSEUDONYM};
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct privacy privacy = {.mode = {[PRIVACY_USER] = PRIVACY_PSEUDONYM,
						   [PRIVACY_PATH] = PRIVACY_PSEUDONYM,
						   [PRIVACY_ARGV] = modes[i]}};
		struct buf bytes cleanup(buf_fini) = {0};
		struct seen seen = {0};

		record_exec(&privacy, &bytes, &seen);
		assert_false(holds(&bytes, "hunter2"));
		assert_false(holds(&bytes, "alice"));
		assert_false(holds(&bytes, "stale"));
		assert_true(holds(&bytes, "/home/p-"));
		assert_true(holds(&bytes, "/lxc/p-"));
		assert_int_equal(!seen.event.process.argv, modes[i] == PRIVACY_DROP);
		buf_fini(&seen.bytes);
	}
}

/* A slice that points outside could carry anything: not stored. */
static void
refuses_wild_slices(void **state)
{
	const struct recording_header header = {0};
	struct exec_room record;
	struct recorder *recorder;
	struct error why = {0};

	(void)state;
	fill_exec(&record);
	record.exec.argv.offset = UINT16_MAX;
	assert_int_equal(recorder_open(&recorder, file, &header, NULL, &why), 0);
	assert_int_equal(recorder_put(recorder, &record.exec.head), 0);
	assert_int_equal(recorder_refused(recorder), 1);
	record.exec.argv.length = 0;
	record.exec.argv.offset = 0;
	record.exec.cgroup_path.length = 0;
	assert_int_equal(recorder_put_known(recorder, &record.exec.head, NULL, "/found"), 0);
	assert_int_equal(recorder_close(recorder), 0);

	struct seen seen = {0};

	assert_int_equal(drain(&seen, &why), -ENODATA);
	assert_string_equal(seen.event.process.cgroup_path, "/found");
	buf_fini(&seen.bytes);
}

static void
keeps_failing(void **state)
{
	const struct recording_header header = {0};
	struct wire_exit record = an_exit(1);
	struct recorder *recorder = NULL;
	struct error why = {0};
	int i;

	(void)state;
	if (access("/dev/full", W_OK) < 0)
		skip();
	assert_int_equal(recorder_open(&recorder, "/dev/full", &header, NULL, &why), -ENOSPC);
	assert_null(recorder);
	assert_int_equal(recorder_open(&recorder, "/nowhere/x", &header, NULL, &why), -ENOENT);
	assert_int_equal(recorder_open(&recorder, file, &header, NULL, &why), 0);
	for (i = 0; i < 10; i++)
		assert_int_equal(recorder_put(recorder, &record.head), 0);
	assert_int_equal(recorder_close(recorder), 0);
	assert_int_equal(recorder_close(NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),     cmocka_unit_test(damage),
		cmocka_unit_test(damaged_header), cmocka_unit_test(refuses),
		cmocka_unit_test(skips_unknown),  cmocka_unit_test(keeps_as_is),
		cmocka_unit_test(keeps_secrets),  cmocka_unit_test(refuses_wild_slices),
		cmocka_unit_test(keeps_failing),

	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
