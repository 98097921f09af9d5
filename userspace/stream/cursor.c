/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cursor.c - a line a topic and a checksum: "violations 17 3 c1/n1/2026-11-23". */
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

#define MAGIC      "demarc-cursors 1\n"
#define FILE_BYTES 65536

static const char *const words[STREAM_ENTRY_TOPICS] = {"violations", "evidence", "activity"};

static unsigned long
checksum(const char *bytes, size_t length)
{
	return crc32(0, (const unsigned char *)bytes, (unsigned int)length);
}

/* One line; *at moves behind it. */
static int
parse_line(char **at, const char *word, struct cursor *out)
{
	char *line = *at, *end = strchr(line, '\n'), *rest;
	size_t length = strlen(word);

	if (!end || strncmp(line, word, length) != 0 || line[length] != ' ')
		return -EBADMSG;
	*end = '\0';
	*at = end + 1;
	out->sequence = strtoull(line + length + 1, &rest, 10);
	if (*rest != ' ')
		return -EBADMSG;
	out->ordinal = strtoull(rest + 1, &rest, 10);
	if (*rest != ' ' || strlen(rest + 1) >= sizeof(out->log_name))
		return -EBADMSG;
	snprintf(out->log_name, sizeof(out->log_name), "%s", rest + 1);
	return 0;
}

static int
parse(struct cursor cursors[STREAM_ENTRY_TOPICS], char *text)
{
	char *at = text, *sum = strstr(text, "sum "), expected[24];
	int error = 0;

	while (sum && sum > text && sum[-1] != '\n') /* a shard may be named like it */
		sum = strstr(sum + 1, "sum ");
	if (!sum)
		return -EBADMSG;
	snprintf(expected, sizeof(expected), "sum %08lx\n", checksum(text, (size_t)(sum - text)));
	if (strcmp(sum, expected) != 0 || strncmp(at, MAGIC, strlen(MAGIC)) != 0)
		return -EBADMSG;
	at += strlen(MAGIC);
	for (int i = 0; i < STREAM_ENTRY_TOPICS && !error; i++)
		error = parse_line(&at, words[i], &cursors[i]);
	return error;
}

int
cursors_load(struct cursor cursors[STREAM_ENTRY_TOPICS], const char *path)
{
	struct cursor read_back[STREAM_ENTRY_TOPICS] = {0};
	struct buf text cleanup(buf_fini) = {0};
	int error = buf_read_file(&text, path, FILE_BYTES);

	if (error)
		return error == -EFBIG ? -EBADMSG : error;
	buf_addc(&text, '\0');
	if (text.failed)
		return -ENOMEM;
	error = parse(read_back, text.data);
	if (!error)
		memcpy(cursors, read_back, sizeof(read_back));
	return error;
}

static int
write_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t put = write(fd, bytes, length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		bytes += put;
		length -= (size_t)put;
	}
	return fsync(fd) < 0 ? -errno : 0;
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

int
cursors_store(const struct cursor cursors[STREAM_ENTRY_TOPICS], const char *path)
{
	struct buf text cleanup(buf_fini) = {0};
	int fd cleanup(fd_drop) = -1;
	char beside[4096];
	int error;

	buf_adds(&text, MAGIC);
	for (int i = 0; i < STREAM_ENTRY_TOPICS; i++)
		buf_addf(&text, "%s %" PRIu64 " %" PRIu64 " %s\n", words[i], cursors[i].sequence,
			 cursors[i].ordinal, cursors[i].log_name);
	buf_addf(&text, "sum %08lx\n", checksum(text.data, text.length));
	if (text.failed)
		return -ENOMEM;
	if (snprintf(beside, sizeof(beside), "%s.new", path) >= (int)sizeof(beside))
		return -ENAMETOOLONG;
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	error = write_all(fd, text.data, text.length);
	if (!error && rename(beside, path) < 0)
		error = -errno;
	return error ? error : sync_folder_of(path);
}
