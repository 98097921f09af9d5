/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cursor.c - a slot is text in a page of its own, with zeros behind it:
 *
 *	demarc-cursors 2			its form
 *	number 81				of the write
 *	violations 17 3 c1/n1/2026-11-23	a line a topic: sequence, ordinal, shard
 *	sum 0c4e6a51
 */
#include "stream/cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/cleanup.h"

#define MAGIC      "demarc-cursors 2\n"
#define SLOT_BYTES 4096
#define SLOTS      2

static const char *const words[STREAM_ENTRY_TOPICS] = {"violations", "evidence", "activity"};

struct slot {
	uint64_t number;
	struct cursor cursors[STREAM_ENTRY_TOPICS];
};

static unsigned long
checksum(const char *bytes, size_t length)
{
	return crc32(0, (const unsigned char *)bytes, (unsigned int)length);
}

/* The line's words behind the first, which is given; *at moves behind the line. NULL: not there. */
static char *
take_line(char **at, const char *word)
{
	char *line = *at, *end = strchr(line, '\n');
	size_t length = strlen(word);

	if (!end || strncmp(line, word, length) != 0 || line[length] != ' ')
		return NULL;
	*end = '\0';
	*at = end + 1;
	return line + length + 1;
}

static int
parse_cursor(char **at, const char *word, struct cursor *out)
{
	char *rest = take_line(at, word);

	if (!rest)
		return -EBADMSG;
	out->sequence = strtoull(rest, &rest, 10);
	if (*rest != ' ')
		return -EBADMSG;
	out->ordinal = strtoull(rest + 1, &rest, 10);
	if (*rest != ' ' || strlen(rest + 1) >= sizeof(out->log_name))
		return -EBADMSG;
	snprintf(out->log_name, sizeof(out->log_name), "%s", rest + 1);
	return 0;
}

/* Where the line with the checksum begins. */
static char *
find_sum(char *text)
{
	char *sum = strstr(text, "\nsum "), *next;

	while (sum && (next = strstr(sum + 1, "\nsum ")))
		sum = next;
	return sum ? sum + 1 : NULL;
}

static int
parse_slot(struct slot *out, char *text)
{
	char *at = text + strlen(MAGIC), *sum = find_sum(text), *number;
	char expected[24];
	int error = 0;

	if (!sum || strncmp(text, MAGIC, strlen(MAGIC)) != 0)
		return -EBADMSG;
	snprintf(expected, sizeof(expected), "sum %08lx\n", checksum(text, (size_t)(sum - text)));
	number = strcmp(sum, expected) == 0 ? take_line(&at, "number") : NULL;
	if (!number)
		return -EBADMSG;
	out->number = strtoull(number, NULL, 10);
	for (int i = 0; i < STREAM_ENTRY_TOPICS && !error; i++)
		error = parse_cursor(&at, words[i], &out->cursors[i]);
	return error;
}

static bool
is_blank(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i])
			return false;
	return true;
}

/* -ENOENT: nothing was ever written to it. */
static int
read_slot(int fd, unsigned int number, struct slot *out)
{
	char text[SLOT_BYTES + 1];
	ssize_t got = pread(fd, text, SLOT_BYTES, (off_t)number * SLOT_BYTES);

	if (got < 0)
		return -errno;
	if (is_blank(text, (size_t)got))
		return -ENOENT;
	text[got] = '\0';
	*out = (struct slot){0};
	return parse_slot(out, text);
}

/* The later of the slots that are whole. */
static int
read_slots(struct cursor_file *file, struct cursor cursors[STREAM_ENTRY_TOPICS])
{
	int result = -ENOENT, error;
	struct slot slot;

	for (unsigned int i = 0; i < SLOTS; i++) {
		error = read_slot(file->fd, i, &slot);
		if (error) {
			result = result && error != -ENOENT ? error : result;
			continue;
		}
		result = 0;
		if (slot.number < file->number)
			continue;
		file->number = slot.number;
		file->slot = 1 - i; /* nobody knows whether this one is synced */
		memcpy(cursors, slot.cursors, sizeof(slot.cursors));
	}
	return result;
}

static int
sync_folder_of(const char *path)
{
	char folder[4096];
	int fd cleanup(fd_drop) = -1;

	snprintf(folder, sizeof(folder), "%s", path);
	fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int
put_bytes(int fd, const char *bytes, size_t length, off_t at)
{
	ssize_t put;

	do
		put = pwrite(fd, bytes, length, at);
	while (put < 0 && errno == EINTR);
	if (put < 0)
		return -errno;
	return put == (ssize_t)length ? 0 : -ENOSPC;
}

/* All the room that it will ever need. */
static int
reserve(int fd, const char *path)
{
	static const char zeros[SLOTS * SLOT_BYTES];
	off_t size = lseek(fd, 0, SEEK_END);
	int error;

	if (size < 0)
		return -errno;
	if (size >= (off_t)sizeof(zeros))
		return 0;
	error = put_bytes(fd, zeros, sizeof(zeros) - (size_t)size, size);
	if (!error && fsync(fd) < 0)
		error = -errno;
	return error ? error : sync_folder_of(path);
}

static int
open_file(struct cursor_file *file)
{
	int fd cleanup(fd_drop) = open(file->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int error = fd < 0 ? -errno : reserve(fd, file->path);

	if (!error) {
		file->fd = fd;
		fd = -1;
	}
	return error;
}

int
cursors_open(struct cursor_file *file, const char *path, struct cursor cursors[STREAM_ENTRY_TOPICS])
{
	int result;

	*file = (struct cursor_file){.path = path, .fd = open(path, O_RDWR | O_CLOEXEC)};
	if (file->fd < 0)
		return -errno;
	result = read_slots(file, cursors);
	cursors_close(file); /* opened by the first write, with all its room */
	return result;
}

void
cursors_close(struct cursor_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

/* In one write, which a kill lets end. */
int
cursors_write(struct cursor_file *file, const struct cursor cursors[STREAM_ENTRY_TOPICS])
{
	struct buf text cleanup(buf_fini) = {0};
	int error = file->fd < 0 ? open_file(file) : 0;

	if (error)
		return error;
	buf_addf(&text, MAGIC "number %" PRIu64 "\n", file->number + 1);
	for (int i = 0; i < STREAM_ENTRY_TOPICS; i++)
		buf_addf(&text, "%s %" PRIu64 " %" PRIu64 " %s\n", words[i], cursors[i].sequence,
			 cursors[i].ordinal, cursors[i].log_name);
	buf_addf(&text, "sum %08lx\n", checksum(text.data, text.length));
	buf_addc(&text, '\0'); /* what a longer one left behind it does not count */
	if (text.failed || text.length > SLOT_BYTES)
		return -ENOMEM;
	error = put_bytes(file->fd, text.data, text.length, (off_t)file->slot * SLOT_BYTES);
	if (error)
		return error;
	file->number++;
	file->is_unsynced = true;
	return 0;
}

int
cursors_sync(struct cursor_file *file)
{
	if (!file->is_unsynced)
		return 0;
	if (fdatasync(file->fd) < 0)
		return -errno;
	file->is_unsynced = false;
	file->slot = 1 - file->slot;
	return 0;
}
