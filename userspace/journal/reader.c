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
#include "reader_private.h"

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
		return error; /* -ENOENT: it expired meanwhile */
	for (i = 0; i < count; i++) {
		if (reader->has_segment && segments[i] <= reader->segment)
			continue;
		*out = segments[i];
		return 1;
	}
	return 0;
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

int
reader_fail(const struct journal_reader *reader, struct error *why, int error)
{
	name_file(why, reader->path[0] ? reader->path : reader->root);
	return error_set(why, error, "cannot read: %s", strerror(-error));
}

void
reader_lose(struct journal_reader *reader, const char *log_name, uint64_t first, uint64_t next)
{
	if (log_name != reader->lost_name)
		snprintf(reader->lost_name, sizeof(reader->lost_name), "%.423s", log_name);
	reader->lost = (struct journal_lost){reader->lost_name, first, next};
}

/* The shard's folder is gone, and more may have been in it than was read. */
static void
lose_shard(struct journal_reader *reader, uint64_t first)
{
	const char *name = strrchr(reader->folder, '/');

	if (reader->has_lost)
		return; /* that one goes up to here too */
	reader_lose(reader,
		    reader->has_segment ? reader->log_name
		    : name              ? name + 1
					: "",
		    first, UINT64_MAX);
	reader->has_lost = true;
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
	    reader_join(path, reader->folder, segment_format(segment, file)) < 0)
		return UINT64_MAX;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || scan_open(&scan, fd) < 0 || scan.header_error)
		return UINT64_MAX;
	return scan.header.first_sequence;
}

/* What follows it says whether anything is missing. */
static int
pass_header(struct journal_reader *reader, struct error *why)
{
	reader_lose(reader, reader->log_name, 0, 0);
	return damage(reader, why, 0, "the segment's header is damaged");
}

static int
open_segment(struct journal_reader *reader, struct error *why)
{
	int fd = open(reader->path, O_RDONLY | O_CLOEXEC);
	int error = fd < 0 ? -errno : scan_open(&reader->scan, fd);

	if (error == -ENOENT && !reader->is_file)
		return error; /* expired between list and open */
	if (error)
		return reader_fail(reader, why, error);
	reader->is_sealed = false;
	reader->limit = next_first(reader);
	if (reader->scan.header_error == -ENOTSUP)
		return reader_fail(reader, why, -ENOTSUP);
	if (reader->scan.header_error == -EBADMSG)
		return pass_header(reader, why);
	if (!reader->scan.header_error)
		memcpy(reader->log_name, reader->scan.header.log_name, sizeof(reader->log_name));
	return 1;
}

/* The first shard after the current one becomes it. 1, 0 when there is none yet, or -errno. */
static int
choose_shard(struct journal_reader *reader)
{
	char name[SHARD_TEXT];
	struct shard shard;
	int found = next_shard(reader, &shard);

	if (found <= 0)
		return found;
	if (reader->has_next && shard_compare(&shard, &reader->next) > 0) {
		reader->has_segment = false;
		reader_join(reader->folder, reader->root, shard_format(&reader->next, name));
		lose_shard(reader, 0);
	}
	reader->shard = shard;
	reader->has_shard = true;
	reader->has_segment = reader->has_next = reader->is_whole = false;
	reader->expected = 0;
	return reader_join(reader->folder, reader->root, shard_format(&shard, name)) ?: 1;
}

/* Choose the next segment, if need be of the next shard. 1, 0 at the end, or -errno. */
static int
choose_segment(struct journal_reader *reader, unsigned int *segment)
{
	int found = next_segment(reader, segment);

	while ((found == 0 || found == -ENOENT) && reader->root[0]) {
		if (found == -ENOENT && !reader->is_whole)
			lose_shard(reader, reader->expected);
		found = choose_shard(reader);
		if (found <= 0)
			return found;
		found = next_segment(reader, segment);
	}
	return found == -ENOENT ? 0 : found;
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
			return found ? reader_fail(reader, why, found) : 0;
		had_segment = reader->has_segment;
		reader->segment = segment;
		reader->has_segment = true;
		found = reader_join(reader->path, reader->folder, segment_format(segment, file));
		found = found ? reader_fail(reader, why, found) : open_segment(reader, why);
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

	bool is_gone;

	found = next_segment(reader, &segment);
	is_gone = found == -ENOENT;
	if (is_gone)
		found = 0;
	if (found == 0 && reader->root[0]) {
		found = next_shard(reader, &shard);
		if (found == 1 && !is_gone) {
			reader->is_whole = true;
			reader->next = shard;
			reader->has_next = true;
		}
	}
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
		reader_lose(reader, reader->log_name, expected, sequence);
		snprintf(what, sizeof(what), "entries %" PRIu64 " to %" PRIu64 " are missing",
			 expected, sequence - 1);
		return damage(reader, why, reader->scan.at - frame_size(reader->frame.head.length),
			      what);
	}
	reader->is_any = false;
	reader->expected = sequence + 1;
	return 1;
}

/* Of what is damaged up to the end of the segment, where it would go on. */
static uint64_t
next_known(const struct journal_reader *reader)
{
	const struct scan *scan = &reader->scan;

	if (reader->limit != UINT64_MAX || !scan->pack || scan->header_error ||
	    scan->header.next_sequence <= reader->expected)
		return reader->limit;
	return scan->header.next_sequence;
}

/* The damage is passed: the next good frame waits, or nothing more comes in this segment. */
static void
describe(struct journal_reader *reader, bool is_found, char *out, size_t room)
{
	uint64_t end = reader->scan.at, next = next_known(reader);

	if (is_found && scan_next(&reader->scan, &reader->frame) == 1) {
		next = reader->frame.head.sequence;
		reader->is_pending = true;
	} else {
		end += scan_rest(&reader->scan);
		leave(reader);
	}
	reader_lose(reader, reader->log_name, reader->expected, next);
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
	bool is_sealed = reader->is_sealed || reader->scan.pack;
	int found;

	if (is_sealed && reader->limit <= reader->expected) {
		leave(reader);
		return 1;
	}
	if (!is_sealed && scan_next(&reader->scan, &reader->frame) == 1) {
		reader->scan.at -= frame_size(reader->frame.head.length);
		return 1; /* it came while we looked */
	}
	found = is_sealed ? scan_resync(&reader->scan, reader->expected)
			  : scan_skip(&reader->scan, reader->expected);
	if (found < 0)
		return reader_fail(reader, why, found);
	if (found == 0 && !is_sealed)
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
			return reader_fail(reader, why, found);
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
say_expired(struct journal_reader *reader, struct error *why)
{
	reader->has_lost = false;
	name_file(why, reader->root);
	return error_set(why, -EBADMSG, "shard %s expired: entries from %" PRIu64 " on are lost",
			 reader->lost_name, reader->lost.first);
}

static int
step(struct journal_reader *reader, struct error *why)
{
	int found = 1;

	if (reader->scan.fd < 0)
		found = reader->is_file ? 0 : advance(reader, why);
	if (reader->has_lost)
		return say_expired(reader, why);
	if (found <= 0)
		return found;
	found = scan_next(&reader->scan, &reader->frame);
	if (found == 1) {
		found = accept(reader, why);
		return found == 1 ? 2 : found == 0 ? 1 : found;
	}
	if (found == 0 || found == -EBADMSG)
		return end_of_frames(reader, why);
	return reader_fail(reader, why, found);
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
journal_reader_close(struct journal_reader *reader)
{
	if (!reader)
		return;
	scan_fini(&reader->scan);
	free(reader);
}
