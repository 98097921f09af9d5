/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * recorder - writes records to a file, block by block.
 *
 * A ring's record may carry stale bytes where no field and no slice points, and
 * what is in argv or a path may be nobody's business. So exec records, the only
 * ones with such room, are built anew from their fields.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "event.h"
#include "source.h"
#include "source/recording.h"

struct recorder {
	int fd;
	int result; /* 0, or the first error */
	uint32_t crc;
	uint32_t length;
	uint64_t records;
	uint64_t refused;
	const struct privacy *privacy;
	struct buf path; /* being rewritten */
	char block[RECORDING_BLOCK_BYTES];
};

/* An exec record of our own, as it is stored. */
struct exec_copy {
	struct wire_exec exec;
	char bytes[RECORDING_RECORD_BYTES - sizeof(struct wire_exec)];
};

static int
write_all(int fd, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length) {
		ssize_t written = write(fd, at, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		at += written;
		length -= (size_t)written;
	}
	return 0;
}

static uint32_t
crc_add(uint32_t crc, const void *bytes, size_t length)
{
	return (uint32_t)crc32(crc, bytes, (uInt)length);
}

static void
recorder_free(struct recorder *recorder)
{
	if (!recorder)
		return;
	fd_drop(&recorder->fd);
	buf_fini(&recorder->path);
	free(recorder);
}

DEFINE_DROP(struct recorder *, recorder, recorder_free)

int
recorder_open(struct recorder **out, const char *path, const struct recording_header *header,
	      const struct privacy *privacy, struct error *why)
{
	struct recorder *recorder cleanup(recorder_drop) = calloc(1, sizeof(*recorder));
	struct recording_header start = *header;
	int result;

	if (!recorder)
		return error_set(why, -ENOMEM, "no memory for a recording");
	memcpy(start.magic, RECORDING_MAGIC, RECORDING_MAGIC_BYTES);
	start.header_bytes = sizeof(start);
	start.wire_flow_bytes = sizeof(struct wire_flow);
	recorder->privacy = privacy;
	recorder->crc = crc_add(0, &start, sizeof(start));
	recorder->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (recorder->fd < 0)
		return error_set(why, -errno, "%s: %s", path, strerror(errno));
	result = write_all(recorder->fd, &start, sizeof(start));
	if (result < 0)
		return error_set(why, result, "%s: %s", path, strerror(-result));
	*out = take(recorder);
	return 0;
}

static int
write_block(struct recorder *recorder, uint32_t bytes, const void *data, size_t length)
{
	struct recording_block head = {.bytes = bytes};

	recorder->crc = head.crc = crc_add(recorder->crc, data, length);
	recorder->result = write_all(recorder->fd, &head, sizeof(head));
	if (!recorder->result)
		recorder->result = write_all(recorder->fd, data, length);
	return recorder->result;
}

int
recorder_flush(struct recorder *recorder)
{
	if (recorder->result || !recorder->length)
		return recorder->result;
	write_block(recorder, recorder->length, recorder->block, recorder->length);
	recorder->length = 0;
	return recorder->result;
}

static int
append(struct recorder *recorder, const struct wire_head *record)
{
	uint32_t padded = recording_padded(record->size);

	if (recorder->length + padded > sizeof(recorder->block) && recorder_flush(recorder) < 0)
		return recorder->result;
	memset(recorder->block + recorder->length, 0, padded);
	memcpy(recorder->block + recorder->length, record, record->size);
	recorder->length += padded;
	recorder->records++;
	return 0;
}

/*
 * Exec records
 * ------------
 */

/* A slice as a C string, NULs between arguments as spaces. False: it points outside. */
static bool
read_slice(const struct wire_head *record, struct wire_slice slice, char *out, size_t room)
{
	size_t i;

	if (slice.length >= room || (size_t)slice.offset + slice.length > record->size)
		return false;
	memcpy(out, (const char *)record + slice.offset, slice.length);
	out[slice.length] = '\0';
	for (i = slice.length; i && !out[i - 1]; i--) /* the last argument ends with one */
		;
	while (i--) {
		if (!out[i])
			out[i] = ' ';
	}
	return true;
}

static void
add_slice(struct exec_copy *copy, struct wire_slice *slice, const char *bytes, size_t length)
{
	if (length > sizeof(*copy) - copy->exec.head.size)
		length = 0; /* not cut: the start of something is something else */
	*slice = (struct wire_slice){copy->exec.head.size, (__u16)length};
	memcpy((char *)copy + copy->exec.head.size, bytes, length);
	copy->exec.head.size = (__u16)(copy->exec.head.size + length);
}

static void
add_path(struct recorder *recorder, struct exec_copy *copy, struct wire_slice *slice,
	 const char *path, const char *user)
{
	const struct privacy *privacy = recorder->privacy;

	buf_clear(&recorder->path);
	if (!privacy)
		buf_adds(&recorder->path, path);
	else if (privacy->mode[PRIVACY_PATH] != PRIVACY_DROP)
		privacy_path(privacy, path, user, &recorder->path);
	add_slice(copy, slice, buf_text(&recorder->path), recorder->path.length);
}

static void
add_argv(struct recorder *recorder, struct exec_copy *copy, const char *bytes, size_t length,
	 const char *joined)
{
	const struct privacy *privacy = recorder->privacy;
	char pseudonym[PSEUDONYM_TEXT] = "";

	if (privacy && privacy->mode[PRIVACY_ARGV] != PRIVACY_FULL) {
		if (length && privacy->mode[PRIVACY_ARGV] == PRIVACY_PSEUDONYM)
			privacy_pseudonym(privacy, joined, pseudonym);
		bytes = pseudonym;
		length = strlen(pseudonym);
	}
	add_slice(copy, &copy->exec.argv, bytes, length);
}

static int
put_exec(struct recorder *recorder, const struct wire_exec *said, const char *user,
	 const char *cgroup_path)
{
	const struct wire_head *record = &said->head;
	char exe[RECORDING_RECORD_BYTES], argv[RECORDING_RECORD_BYTES],
		path[RECORDING_RECORD_BYTES];
	struct exec_copy copy;

	if (record->size < sizeof(*said) || !read_slice(record, said->exe, exe, sizeof(exe)) ||
	    !read_slice(record, said->argv, argv, sizeof(argv)) ||
	    !read_slice(record, said->cgroup_path, path, sizeof(path))) {
		recorder->refused++;
		return 0;
	}
	copy.exec = *said;
	copy.exec.head.size = sizeof(copy.exec);
	add_path(recorder, &copy, &copy.exec.exe, exe, user);
	add_argv(recorder, &copy, (const char *)said + said->argv.offset, said->argv.length, argv);
	add_path(recorder, &copy, &copy.exec.cgroup_path,
		 *path || !cgroup_path ? path : cgroup_path, user);
	return append(recorder, &copy.exec.head);
}

int
recorder_put_known(struct recorder *recorder, const struct wire_head *record, const char *user,
		   const char *cgroup_path)
{
	if (recorder->result)
		return recorder->result;
	if (record->size < sizeof(*record) || record->size > RECORDING_RECORD_BYTES) {
		recorder->refused++;
		return 0;
	}
	if (record->kind == WIRE_EXEC)
		return put_exec(recorder, (const struct wire_exec *)(const void *)record, user,
				cgroup_path);
	return append(recorder, record);
}

int
recorder_put(struct recorder *recorder, const struct wire_head *record)
{
	return recorder_put_known(recorder, record, NULL, NULL);
}

uint64_t
recorder_refused(const struct recorder *recorder)
{
	return recorder->refused;
}

int
recorder_close(struct recorder *recorder)
{
	struct recording_end end;
	int result;

	if (!recorder)
		return 0;
	end.records = recorder->records;
	if (!recorder_flush(recorder))
		write_block(recorder, 0, &end, sizeof(end));
	if (!recorder->result && fsync(recorder->fd) < 0 && errno != EINVAL && errno != ENOTSUP)
		recorder->result = -errno;
	result = recorder->result;
	recorder_free(recorder);
	return result;
}
