/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * reader.c - every entry once, in order, from a journal at rest or being written.
 *
 * A segment counts up to the first sequence of the next one in its shard (see
 * segment.c); what it holds beyond was written again there.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "journal.h"
#include "segment.h"
#include "shard.h"

#define PATH_BYTES 4096

struct journal_reader {
	char root[PATH_BYTES];   /* of the shards; "" when a shard or segment was named */
	char folder[PATH_BYTES]; /* of the segments; "" before the first shard or for a file */
	char path[PATH_BYTES];   /* of the segment */
	struct shard shard;
	bool has_shard;
	unsigned int segment; /* number of the current one, or of the last */
	bool has_segment;
	bool is_file; /* one segment, nothing after it */

	struct scan scan; /* fd -1: between segments */
	bool is_sealed;   /* there is a later segment: nothing more will be written here */
	uint64_t limit;   /* first sequence of the next segment in this shard, if any */
	uint64_t expected;
	bool is_any;     /* a lone file with a damaged header may begin anywhere */
	bool is_pending; /* frame was read, but not given */
	struct frame frame;
	char log_name[SEGMENT_LOG_NAME];
};

static void
reader_drop(struct journal_reader **reader)
{
	journal_reader_close(*reader);
}

/* The first shard after the current one. 1, 0 when there is none yet, or -errno. */
static int
next_shard(const struct journal_reader *reader, struct shard *out)
{
	struct shard *shards cleanup(free_drop) = NULL;
	size_t count, i;
	int error = shards_list(reader->root, &shards, &count);

	if (error)
		return error;
	for (i = 0; i < count; i++) {
		if (reader->has_shard && shard_compare(&shards[i], &reader->shard) <= 0)
			continue;
		*out = shards[i];
		return 1;
	}
	return 0;
}

/* The first segment after the current one, likewise. */
static int
next_segment(const struct journal_reader *reader, unsigned int *out)
{
	unsigned int *segments cleanup(free_drop) = NULL;
	size_t count, i;
	int error;

	if (reader->is_file || !reader->folder[0])
		return 0;
	error = segments_list(reader->folder, &segments, &count);
	if (error)
		return error == -ENOENT ? 0 : error; /* it expired meanwhile */
	for (i = 0; i < count; i++) {
		if (reader->has_segment && segments[i] <= reader->segment)
			continue;
		*out = segments[i];
		return 1;
	}
	return 0;
}

static int
join(char out[PATH_BYTES], const char *folder, const char *name)
{
	int length = snprintf(out, PATH_BYTES, "%s/%s", folder, name);

	return length >= PATH_BYTES ? -ENAMETOOLONG : 0;
}

/* The end of a long path tells more than its beginning. */
static void
name_file(struct error *why, const char *path)
{
	size_t length = strlen(path), room = sizeof(why->file) - 1;

	memset(why->file, 0, sizeof(why->file));
	memcpy(why->file, length > room ? path + length - room : path,
	       length > room ? room : length);
	why->line = why->column = 0;
}

static int
damage(const struct journal_reader *reader, struct error *why, uint64_t offset, const char *what)
{
	name_file(why, reader->path);
	return error_set(why, -EBADMSG, "byte %" PRIu64 ": %s", offset, what);
}

static int
fail(const struct journal_reader *reader, struct error *why, int error)
{
	name_file(why, reader->path[0] ? reader->path : reader->root);
	return error_set(why, error, "cannot read: %s", strerror(-error));
}

/* Where the next segment of this shard begins; UINT64_MAX when there is none, or nobody knows. */
static uint64_t
next_first(const struct journal_reader *reader)
{
	struct scan scan cleanup(scan_fini) = {.fd = -1};
	char path[PATH_BYTES], file[SEGMENT_TEXT];
	unsigned int segment;
	int fd;

	if (next_segment(reader, &segment) <= 0 ||
	    join(path, reader->folder, segment_format(segment, file)) < 0)
		return UINT64_MAX;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || scan_open(&scan, fd) < 0 || scan.header_error)
		return UINT64_MAX;
	return scan.header.first_sequence;
}

static int
open_segment(struct journal_reader *reader, struct error *why)
{
	int fd = open(reader->path, O_RDONLY | O_CLOEXEC);
	int error = fd < 0 ? -errno : scan_open(&reader->scan, fd);

	if (error == -ENOENT && !reader->is_file)
		return error; /* expired between list and open */
	if (error)
		return fail(reader, why, error);
	reader->is_sealed = false;
	reader->limit = next_first(reader);
	if (reader->scan.header_error == -ENOTSUP)
		return fail(reader, why, -ENOTSUP);
	if (reader->scan.header_error == -EBADMSG)
		return damage(reader, why, 0, "the segment's header is damaged");
	if (!reader->scan.header_error)
		memcpy(reader->log_name, reader->scan.header.log_name, sizeof(reader->log_name));
	return 1;
}

/* Choose the next segment, if need be of the next shard. 1, 0 at the end, or -errno. */
static int
choose_segment(struct journal_reader *reader, unsigned int *segment)
{
	char name[SHARD_TEXT];
	struct shard shard;
	int found = next_segment(reader, segment);

	while (found == 0 && reader->root[0]) {
		found = next_shard(reader, &shard);
		if (found <= 0)
			return found;
		reader->shard = shard;
		reader->has_shard = true;
		reader->has_segment = false;
		reader->expected = 0;
		found = join(reader->folder, reader->root, shard_format(&shard, name));
		if (!found)
			found = next_segment(reader, segment);
	}
	return found;
}

/* A segment whose header is still being written is left for the next call. */
static int
advance(struct journal_reader *reader, struct error *why)
{
	char file[SEGMENT_TEXT];
	unsigned int segment = 0, previous = reader->segment, ignored;
	bool had_segment;
	int found;

	do {
		found = choose_segment(reader, &segment);
		if (found <= 0)
			return found ? fail(reader, why, found) : 0;
		had_segment = reader->has_segment;
		reader->segment = segment;
		reader->has_segment = true;
		found = join(reader->path, reader->folder, segment_format(segment, file));
		found = found ? fail(reader, why, found) : open_segment(reader, why);
	} while (found == -ENOENT);
	if (found == 1 && reader->scan.header_error == -ENODATA) {
		scan_fini(&reader->scan);
		if (next_segment(reader, &ignored) == 1)
			return advance(reader, why);
		reader->has_segment = had_segment;
		reader->segment = previous;
		return 0;
	}
	return found;
}

/* Is there anything after this segment? Then it is complete. */
static int
seal(struct journal_reader *reader)
{
	unsigned int segment;
	struct shard shard;
	int found;

	found = next_segment(reader, &segment);
	if (found == 0 && reader->root[0])
		found = next_shard(reader, &shard);
	if (found == 1) {
		reader->is_sealed = true;
		reader->limit = next_first(reader);
	}
	return found;
}

static void
leave(struct journal_reader *reader)
{
	scan_fini(&reader->scan);
}

/* The frame that was read is here: give it, pass it over (0), or say what is missing before it. */
static int
accept(struct journal_reader *reader, struct error *why)
{
	uint64_t sequence = reader->frame.head.sequence, expected = reader->expected;
	char what[128];

	reader->is_pending = false;
	if (sequence >= reader->limit) {
		leave(reader);
		return 0;
	}
	if (sequence < expected)
		return 0;
	reader->expected = sequence;
	if (sequence > expected && !reader->is_any) {
		reader->is_pending = true;
		snprintf(what, sizeof(what), "entries %" PRIu64 " to %" PRIu64 " are missing",
			 expected, sequence - 1);
		return damage(reader, why, reader->scan.at - frame_size(reader->frame.head.length),
			      what);
	}
	reader->is_any = false;
	reader->expected = sequence + 1;
	return 1;
}

/* The damage is passed: the next good frame waits, or nothing more comes in this segment. */
static void
describe(struct journal_reader *reader, bool is_found, char *out, size_t room)
{
	uint64_t end = reader->scan.at, next = reader->limit;

	if (is_found && scan_next(&reader->scan, &reader->frame) == 1) {
		next = reader->frame.head.sequence;
		reader->is_pending = true;
	} else {
		end += scan_rest(&reader->scan);
		leave(reader);
	}
	if (next == UINT64_MAX) {
		snprintf(out, room, "damaged up to byte %" PRIu64 ", from entry %" PRIu64 " on",
			 end, reader->expected);
		return;
	}
	snprintf(out, room,
		 "damaged up to byte %" PRIu64 ": entries %" PRIu64 " to %" PRIu64 " are lost", end,
		 reader->expected, next - 1);
	reader->expected = next;
}

/* No good frame here although bytes are. 0: the end for now, 1: look again. */
static int
pass_bad_place(struct journal_reader *reader, struct error *why)
{
	uint64_t bad = reader->scan.at;
	char what[160];
	int found;

	if (reader->is_sealed && reader->limit <= reader->expected) {
		leave(reader);
		return 1;
	}
	found = reader->is_sealed ? scan_resync(&reader->scan, reader->expected)
				  : scan_skip(&reader->scan, reader->expected);
	if (found < 0)
		return fail(reader, why, found);
	if (found == 0 && !reader->is_sealed)
		return 0;
	describe(reader, found == 1, what, sizeof(what));
	return damage(reader, why, bad, what);
}

/* The end of the segment, or a bad place in it. */
static int
end_of_frames(struct journal_reader *reader, struct error *why)
{
	int found;

	if (!reader->is_sealed) {
		found = seal(reader);
		if (found < 0)
			return fail(reader, why, found);
		if (found == 1)
			return 1; /* what came before the next segment did must be read first */
	}
	if (scan_rest(&reader->scan))
		return pass_bad_place(reader, why);
	if (!reader->is_sealed)
		return 0;
	leave(reader);
	return 1;
}

static int
step(struct journal_reader *reader, struct error *why)
{
	int found;

	if (reader->scan.fd < 0) {
		found = reader->is_file ? 0 : advance(reader, why);
		if (found <= 0)
			return found;
	}
	found = scan_next(&reader->scan, &reader->frame);
	if (found == 1) {
		found = accept(reader, why);
		return found == 1 ? 2 : found == 0 ? 1 : found;
	}
	if (found == 0 || found == -EBADMSG)
		return end_of_frames(reader, why);
	return fail(reader, why, found);
}

int
journal_reader_next(struct journal_reader *reader, const char **bytes, size_t *length,
		    struct error *why)
{
	int found = reader->is_pending ? accept(reader, why) + 1 : 1;

	while (found == 1)
		found = step(reader, why);
	if (found <= 0)
		return found;
	*bytes = reader->frame.bytes;
	*length = reader->frame.head.length;
	return 1;
}

/* A directory without shards but with segments is a shard. */
static int
open_directory(struct journal_reader *reader, const char *path)
{
	struct shard *shards cleanup(free_drop) = NULL;
	unsigned int *segments cleanup(free_drop) = NULL;
	size_t shard_count = 0, segment_count = 0;
	int error = shards_list(path, &shards, &shard_count);

	if (!error)
		error = segments_list(path, &segments, &segment_count);
	if (error)
		return error;
	snprintf(shard_count || !segment_count ? reader->root : reader->folder, PATH_BYTES, "%s",
		 path);
	return 0;
}

static int
open_file(struct journal_reader *reader, const char *path, struct error *why)
{
	int found;

	reader->is_file = true;
	snprintf(reader->path, sizeof(reader->path), "%s", path);
	found = open_segment(reader, why);
	if (found < 0 && found != -EBADMSG)
		return found;
	if (reader->scan.header_error == -ENODATA)
		return damage(reader, why, 0, "too short for a segment");
	if (reader->scan.header_error &&
	    memcmp(reader->scan.header.magic, SEGMENT_MAGIC, sizeof(reader->scan.header.magic)))
		return damage(reader, why, 0, "not a segment of a journal");
	reader->is_any = reader->scan.header_error != 0;
	reader->expected = reader->is_any ? 0 : reader->scan.header.first_sequence;
	return 0;
}

int
journal_reader_open(struct journal_reader **out, const char *path, struct error *why)
{
	struct journal_reader *reader cleanup(reader_drop) = calloc(1, sizeof(*reader));
	struct stat status;
	int error = 0;

	if (!reader)
		return error_set(why, -ENOMEM, "out of memory");
	reader->scan.fd = -1;
	reader->limit = UINT64_MAX;
	if (strlen(path) >= PATH_BYTES)
		error = -ENAMETOOLONG;
	else if (stat(path, &status) < 0)
		error = -errno;
	else if (S_ISDIR(status.st_mode))
		error = open_directory(reader, path);
	if (error) {
		name_file(why, path);
		return error_set(why, error, "cannot read: %s", strerror(-error));
	}
	if (!S_ISDIR(status.st_mode) && (error = open_file(reader, path, why)))
		return error;
	*out = take(reader);
	return 0;
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
journal_reader_close(struct journal_reader *reader)
{
	if (!reader)
		return;
	scan_fini(&reader->scan);
	free(reader);
}
