/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* writer.c - the segment being written, and the shards that may stay. For the storage thread. */
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "packer.h"
#include "segment.h"

#define PATH_BYTES 4096

struct kept {
	struct shard shard;
	uint64_t bytes;
};

struct writer {
	char *directory;
	char *cluster;
	char *node;
	size_t segment_bytes;
	uint64_t quota_bytes;
	int64_t age_days;

	int fd; /* of the current segment, or -1 */
	char path[PATH_BYTES];
	struct shard shard;        /* of the last segment begun */
	unsigned int next_segment; /* in it */
	uint64_t size;
	uint64_t synced;        /* bytes of the segment */
	uint64_t next_sequence; /* after what was appended */
	uint64_t durable;       /* after what was synced */

	struct kept *kept; /* oldest first; the current shard is the last */
	size_t kept_count;
	uint64_t disk_bytes;
	uint64_t expired;
	struct packer *packer; /* NULL: nothing is compressed */
	uint64_t packed;
	bool over_said; /* the current shard alone is over the quota */
};

/* The shard's row, which is made if need be. Shards come in order, so it is the last. */
static struct kept *
keep(struct writer *writer, const struct shard *shard)
{
	size_t count = writer->kept_count;
	struct kept *grown;

	if (count && shard_compare(&writer->kept[count - 1].shard, shard) == 0)
		return &writer->kept[count - 1];
	grown = realloc(writer->kept, (count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	writer->kept = grown;
	writer->over_said = false;
	grown[count] = (struct kept){.shard = *shard};
	return &grown[writer->kept_count++];
}

static void
account(struct writer *writer, int64_t bytes)
{
	writer->kept[writer->kept_count - 1].bytes += (uint64_t)bytes;
	writer->disk_bytes += (uint64_t)bytes;
}

static void
expire_oldest(struct writer *writer, const char *reason)
{
	struct kept oldest = writer->kept[0];
	char name[SHARD_TEXT];
	int error = shard_remove(writer->directory, &oldest.shard);

	shard_format(&oldest.shard, name);
	if (error && error != -ENOENT)
		log_error("journal", "cannot remove the expired shard %s: %s", name,
			  strerror(-error));
	else
		log_warn("journal", "removed shard %s (%" PRIu64 " bytes): %s", name, oldest.bytes,
			 reason);
	if (writer->packer)
		packer_forget(writer->packer, &oldest.shard);
	writer->expired += !error;
	writer->disk_bytes -= oldest.bytes;
	writer->kept_count--;
	memmove(writer->kept, writer->kept + 1, writer->kept_count * sizeof(*writer->kept));
}

/* By the days of shards: a clock that is wrong for a while removes nothing. */
static void
enforce_age(struct writer *writer)
{
	int64_t newest = writer->kept_count ? writer->kept[writer->kept_count - 1].shard.day : 0;

	while (writer->age_days && writer->kept_count > 1 &&
	       writer->kept[0].shard.day < newest - writer->age_days)
		expire_oldest(writer, "too old");
}

static void
enforce_quota(struct writer *writer)
{
	enforce_age(writer);
	if (!writer->quota_bytes)
		return;
	while (writer->disk_bytes > writer->quota_bytes && writer->kept_count > 1)
		expire_oldest(writer, "over the quota");
	if (writer->disk_bytes > writer->quota_bytes && !writer->over_said) {
		writer->over_said = true;
		log_warn("journal", "the current shard alone fills the quota: entries are refused");
	}
}

static int
load_kept(struct writer *writer)
{
	struct shard *shards cleanup(free_drop) = NULL;
	struct kept *kept;
	size_t count, i;
	int error = shards_list(writer->directory, &shards, &count);

	for (i = 0; !error && i < count; i++) {
		kept = keep(writer, &shards[i]);
		if (!kept)
			return -ENOMEM;
		account(writer, (int64_t)shard_bytes(writer->directory, &shards[i]));
	}
	return error;
}

int
writer_new(struct writer **out, const struct store_options *options,
	   const struct recovery *recovery)
{
	struct writer *writer = calloc(1, sizeof(*writer));
	int error;

	if (!writer)
		return -ENOMEM;
	writer->fd = -1;
	writer->segment_bytes = options->segment_bytes;
	writer->quota_bytes = options->quota_bytes;
	writer->age_days = (int64_t)options->age_days;
	writer->shard = recovery->shard;
	writer->next_segment = recovery->next_segment;
	writer->durable = writer->next_sequence = recovery->next_sequence;
	writer->directory = strdup(options->directory);
	writer->cluster = strdup(options->cluster);
	writer->node = strdup(options->node);
	error = writer->directory && writer->cluster && writer->node ? load_kept(writer) : -ENOMEM;
	if (!error && options->compress)
		error = packer_new(&writer->packer, writer->directory);
	if (error) {
		writer_free(writer);
		return error;
	}
	enforce_quota(writer);
	*out = writer;
	return 0;
}

void
writer_free(struct writer *writer)
{
	if (!writer)
		return;
	if (writer->fd >= 0)
		close(writer->fd);
	packer_free(writer->packer);
	free(writer->directory);
	free(writer->cluster);
	free(writer->node);
	free(writer->kept);
	free(writer);
}

bool
writer_needs_segment(const struct writer *writer, const struct shard *shard)
{
	return writer->fd < 0 || writer->size >= writer->segment_bytes ||
	       shard_compare(&writer->shard, shard) != 0;
}

static int
write_all(struct writer *writer, const void *bytes, size_t length)
{
	const char *at = bytes;
	ssize_t put;

	while (length) {
		put = pwrite(writer->fd, at, length, (off_t)writer->size);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put < 0 ? -errno : -EIO;
		at += put;
		length -= (size_t)put;
		writer->size += (uint64_t)put;
		account(writer, put);
	}
	return 0;
}

/* Folder, file and header, all of them synced before the first entry. */
static int
create(struct writer *writer, uint64_t first_sequence, int64_t now_ms)
{
	char name[SHARD_TEXT], file[SEGMENT_TEXT], folder[PATH_BYTES - SEGMENT_TEXT];
	char log_name[SEGMENT_LOG_NAME];
	struct segment_header header;
	int length, error;

	shard_format(&writer->shard, name);
	length = snprintf(folder, sizeof(folder), "%s/%s", writer->directory, name);
	if ((size_t)length >= sizeof(folder))
		return -ENAMETOOLONG;
	if (mkdir(folder, 0700) == 0)
		error = directory_sync(writer->directory);
	else
		error = errno == EEXIST ? 0 : -errno;
	if (error)
		return error;
	snprintf(writer->path, sizeof(writer->path), "%s/%s", folder,
		 segment_format(writer->next_segment, file));
	writer->fd = open(writer->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (writer->fd < 0) {
		error = -errno;
		writer->next_segment += error == -EEXIST;
		return error;
	}
	snprintf(log_name, sizeof(log_name), "%s/%s/%s", writer->cluster, writer->node, name);
	segment_header_fill(&header,
			    &(struct segment_identity){writer->cluster, writer->node, log_name},
			    first_sequence, now_ms);
	if ((error = write_all(writer, &header, sizeof(header))))
		return error;
	return fdatasync(writer->fd) < 0 ? -errno : directory_sync(folder);
}

/* The current segment is complete. Without memory it stays as it is until the next start. */
static void
leave(struct writer *writer)
{
	close(writer->fd);
	writer->fd = -1;
	if (writer->packer && writer->synced > sizeof(struct segment_header))
		packer_add(writer->packer, &writer->shard, writer->next_segment - 1);
}

int
writer_begin(struct writer *writer, const struct shard *shard, uint64_t first_sequence,
	     int64_t now_ms)
{
	int error;

	if (writer->fd >= 0)
		leave(writer);
	if (shard_compare(&writer->shard, shard) != 0) {
		writer->shard = *shard;
		writer->next_segment = 0;
		writer->durable = first_sequence;
	}
	if (!keep(writer, shard))
		return -ENOMEM;
	writer->size = writer->synced = 0;
	writer->next_sequence = first_sequence;
	if ((error = create(writer, first_sequence, now_ms)))
		return error;
	writer->synced = writer->size;
	writer->next_segment++;
	enforce_quota(writer);
	return 0;
}

int
writer_append(struct writer *writer, struct buf *bytes)
{
	struct frame_header *head;
	size_t at;

	for (at = 0; at < bytes->length; at += frame_size(head->length)) {
		head = (struct frame_header *)(void *)(bytes->data + at);
		frame_seal(head, writer->durable);
		writer->next_sequence = head->sequence + 1;
	}
	return write_all(writer, bytes->data, bytes->length);
}

int
writer_sync(struct writer *writer)
{
	struct stat status;

	if (fdatasync(writer->fd) < 0 || fstat(writer->fd, &status) < 0)
		return -errno;
	if (status.st_nlink == 0)
		return -ESTALE; /* somebody removed it: what it holds is gone with it */
	writer->synced = writer->size;
	writer->durable = writer->next_sequence;
	enforce_quota(writer);
	return 0;
}

/*
 * What was not synced is written again elsewhere, so give its room back; this may
 * fail as well, and then readers find those entries twice and take the later.
 */
void
writer_abandon(struct writer *writer)
{
	bool is_empty = writer->synced <= sizeof(struct segment_header);

	if (writer->fd < 0)
		return;
	if ((is_empty ? unlink(writer->path) : ftruncate(writer->fd, (off_t)writer->synced)) == 0) {
		account(writer, (int64_t)(is_empty ? 0 : writer->synced) - (int64_t)writer->size);
		if (is_empty && writer->synced)
			writer->next_segment--;
	} else if (!writer->synced) {
		writer->next_segment++;
	}
	leave(writer);
	writer->next_sequence = writer->durable;
}

/* Not before the current segment holds something: what goes on from there must find its place. */
bool
writer_can_pack(const struct writer *writer)
{
	return writer->packer && packer_has_work(writer->packer) && writer->fd >= 0 &&
	       writer->synced > sizeof(struct segment_header);
}

void
writer_pack(struct writer *writer)
{
	struct shard shard;
	int64_t saved;

	if (packer_step(writer->packer, &shard, &saved) != 1)
		return;
	writer->packed++;
	for (size_t i = 0; i < writer->kept_count; i++) {
		if (shard_compare(&writer->kept[i].shard, &shard) != 0)
			continue;
		writer->kept[i].bytes -= (uint64_t)saved;
		writer->disk_bytes -= (uint64_t)saved;
	}
}

uint64_t
writer_packed(const struct writer *writer)
{
	return writer->packed;
}

uint64_t
writer_disk_bytes(const struct writer *writer)
{
	return writer->disk_bytes;
}

uint64_t
writer_shard_bytes(const struct writer *writer)
{
	return writer->kept_count ? writer->kept[writer->kept_count - 1].bytes : 0;
}

uint64_t
writer_expired(const struct writer *writer)
{
	return writer->expired;
}
