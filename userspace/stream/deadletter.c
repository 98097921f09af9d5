/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* deadletter.c - JSON lines in a file of bounded size, and the one before it. */
#include "stream/deadletter.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "stream/text.h"

/* Members in the order of their names, as in all that is written here. */
static void
write_line(struct buf *out, const struct dead_letter *letter)
{
	buf_adds(out, "{\"entry\":");
	if (letter->length)
		buf_add(out, letter->entry, letter->length);
	else
		buf_adds(out, "null");
	buf_adds(out, ",\"log_name\":");
	stream_text(out, letter->log_name);
	buf_adds(out, ",\"reason\":");
	stream_text(out, letter->reason);
	buf_addf(out, ",\"sequence\":%" PRIu64 ",\"topic\":", letter->sequence);
	stream_text(out, letter->topic);
	buf_addf(out, ",\"topic_sequence\":%" PRIu64 "}\n", letter->ordinal);
}

static int
make_room(const char *path, uint64_t limit, size_t length)
{
	char older[4096];
	struct stat status;

	if (stat(path, &status) < 0 || (uint64_t)status.st_size + length <= limit)
		return 0;
	if (snprintf(older, sizeof(older), "%s.1", path) >= (int)sizeof(older))
		return -ENAMETOOLONG;
	return rename(path, older) < 0 ? -errno : 0;
}

int
deadletter_add(const char *path, uint64_t limit, const struct dead_letter *letter)
{
	struct buf line cleanup(buf_fini) = {0};
	int fd cleanup(fd_drop) = -1;
	ssize_t put;
	int error;

	write_line(&line, letter);
	if (line.failed)
		return -ENOMEM;
	error = make_room(path, limit, line.length);
	if (error)
		return error;
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	put = write(fd, line.data, line.length);
	if (put < 0 || fsync(fd) < 0)
		return -errno;
	return put == (ssize_t)line.length ? 0 : -ENOSPC;
}
