/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* seek.c - a reader goes to an entry that is named by its shard and its number, and says where it
 * is. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "reader_private.h"

int
reader_join(char out[PATH_BYTES], const char *folder, const char *name)
{
	int length = snprintf(out, PATH_BYTES, "%s/%s", folder, name);

	return length >= PATH_BYTES ? -ENAMETOOLONG : 0;
}

static bool
shard_named(struct shard *out, const char *log_name)
{
	const char *slash = strrchr(log_name, '/');

	return shard_parse(out, slash ? slash + 1 : log_name);
}

int
journal_log_compare(const char *a, const char *b)
{
	struct shard left = {0}, right = {0};

	shard_named(&left, a);
	shard_named(&right, b);
	return shard_compare(&left, &right);
}

/* False: nobody knows where it begins. */
static bool
begins_by(const struct journal_reader *reader, unsigned int segment, uint64_t sequence)
{
	struct scan scan cleanup(scan_fini) = {.fd = -1};
	char path[PATH_BYTES], file[SEGMENT_TEXT];
	int fd;

	if (reader_join(path, reader->folder, segment_format(segment, file)) < 0)
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && scan_open(&scan, fd) == 0 && !scan.header_error &&
	       scan.header.first_sequence <= sequence;
}

/* The segment before the one to begin with becomes the current one. */
static int
choose(struct journal_reader *reader, uint64_t sequence)
{
	unsigned int *segments cleanup(free_drop) = NULL;
	size_t count;
	int error = segments_list(reader->folder, &segments, &count);

	if (error)
		return error;
	while (count > 1 && !begins_by(reader, segments[count - 1], sequence))
		count--;
	reader->has_segment = count > 1;
	reader->segment = count > 1 ? segments[count - 2] : 0;
	return 0;
}

int
journal_reader_seek(struct journal_reader *reader, const char *log_name, uint64_t sequence,
		    struct error *why)
{
	char name[SHARD_TEXT];
	int error;

	if (!reader->root[0] || !shard_named(&reader->shard, log_name))
		return error_set(why, -EINVAL, "no shard of this journal: %s", log_name);
	error = reader_join(reader->folder, reader->root, shard_format(&reader->shard, name));
	if (error)
		return reader_fail(reader, why, error);
	scan_fini(&reader->scan);
	reader->has_shard = true;
	reader->has_segment = false;
	reader->has_next = reader->is_whole = reader->is_pending = reader->is_any = false;
	reader->has_lost = false;
	reader->expected = sequence;
	error = choose(reader, sequence);
	if (error == -ENOENT) {
		reader_lose(reader, log_name, sequence, UINT64_MAX);
		reader->has_lost = true;
		return 0;
	}
	return error ? reader_fail(reader, why, error) : 0;
}

void
journal_reader_position(const struct journal_reader *reader, struct journal_position *out)
{
	out->log_name = reader->log_name;
	out->sequence = reader->frame.head.sequence;
	out->logged_ms = reader->frame.head.logged_ms;
	out->class = reader->frame.head.class == JOURNAL_CRITICAL ? JOURNAL_CRITICAL : JOURNAL_BULK;
}

void
journal_reader_lost(const struct journal_reader *reader, struct journal_lost *out)
{
	*out = reader->lost;
}
