/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * packer.c - compresses segments that are not written any more, a block at a time.
 *
 * The copy is written beside the segment, synced, and renamed over it: at any
 * moment one of both has the name, and whoever has the old one open reads on. A
 * step is short, so that entries do not wait for it.
 */
#include "packer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "pack.h"

#define LEVEL      1
#define SYNC_BYTES ((uint64_t)1024 * 1024) /* so that no sync is long */

int
packing_begin(struct packing *packing, const char *path)
{
	int error;

	*packing = (struct packing){.fd = -1, .source.fd = -1};
	snprintf(packing->path, sizeof(packing->path), "%s", path);
	if ((size_t)snprintf(packing->temporary, sizeof(packing->temporary), "%s" SEGMENT_TEMPORARY,
			     path) >= sizeof(packing->temporary))
		return -ENAMETOOLONG;
	error = open(path, O_RDONLY | O_CLOEXEC);
	error = error < 0 ? -errno : scan_open(&packing->source, error);
	if (error)
		return error;
	if (packing->source.header_error || packing->source.pack)
		return 1;
	packing->fd = open(packing->temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (packing->fd < 0)
		return -errno;
	packing->place = packing->size = sizeof(struct segment_header);
	return 0;
}

void
packing_fini(struct packing *packing)
{
	if (packing->fd >= 0) {
		unlink(packing->temporary);
		close(packing->fd);
	}
	scan_fini(&packing->source);
	buf_fini(&packing->raw);
	buf_fini(&packing->packed);
	packing->fd = -1;
}

static int
put(struct packing *packing, const void *bytes, size_t length, uint64_t offset)
{
	const char *at = bytes;
	ssize_t done;

	while (length) {
		done = pwrite(packing->fd, at, length, (off_t)offset);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -EIO;
		at += done;
		offset += (uint64_t)done;
		length -= (size_t)done;
	}
	return 0;
}

/* What was gathered becomes a block. */
static int
close_block(struct packing *packing)
{
	struct pack_block block = {.raw = (uint32_t)packing->raw.length, .place = packing->place};
	uLongf packed = compressBound(packing->raw.length);
	struct buf *out = &packing->packed;
	char *room;
	int error;

	buf_clear(out);
	if (!(room = buf_reserve(out, sizeof(block) + packed + 8)))
		return -ENOMEM;
	if (compress2((Bytef *)room + sizeof(block), &packed, (const Bytef *)packing->raw.data,
		      packing->raw.length, LEVEL) != Z_OK)
		return -ENOMEM;
	block.packed = (uint32_t)packed;
	pack_block_seal(&block);
	memcpy(room, &block, sizeof(block));
	out->length = pack_block_size(block.packed);
	memset(room + sizeof(block) + packed, 0, out->length - sizeof(block) - packed);
	if ((error = put(packing, out->data, out->length, packing->size)))
		return error;
	packing->size += out->length;
	packing->unsynced += out->length;
	packing->place += packing->raw.length;
	buf_clear(&packing->raw);
	if (packing->unsynced < SYNC_BYTES)
		return 0;
	packing->unsynced = 0;
	return fdatasync(packing->fd) < 0 ? -errno : 0;
}

static int
sync_folder(const struct packing *packing)
{
	char folder[sizeof(packing->path)];
	char *slash;

	memcpy(folder, packing->path, sizeof(folder));
	if ((slash = strrchr(folder, '/')))
		*slash = '\0';
	return directory_sync(slash ? folder : ".");
}

/* From the rename on, the copy is the segment. */
static int
finish(struct packing *packing)
{
	struct segment_header header = packing->source.header;
	int error;

	segment_header_pack(&header, packing->place, packing->next_sequence);
	if ((error = put(packing, &header, sizeof(header), 0)))
		return error;
	if (fsync(packing->fd) < 0 || rename(packing->temporary, packing->path) < 0)
		return -errno;
	close(packing->fd);
	packing->fd = -1;
	sync_folder(packing); /* without it a power cut may leave the old one, which is as good */
	return 1;
}

int
packing_step(struct packing *packing)
{
	struct frame frame;
	int found, error;

	while ((found = scan_next(&packing->source, &frame)) == 1) {
		buf_add(&packing->raw, frame.bytes - sizeof(frame.head),
			frame_size(frame.head.length));
		packing->next_sequence = frame.head.sequence + 1;
		if (packing->raw.length >= PACK_RAW_BYTES)
			return packing->raw.failed ? -ENOMEM : close_block(packing);
	}
	if (found < 0)
		return found;
	if (scan_rest(&packing->source))
		return -EBADMSG;
	if (packing->raw.failed)
		return -ENOMEM;
	error = packing->raw.length ? close_block(packing) : 0;
	return error ? error : finish(packing);
}

/*
 * Those that wait
 * ---------------
 */

struct waiting {
	struct shard shard;
	unsigned int segment;
};

struct packer {
	const char *directory;
	struct waiting *waiting; /* in order */
	size_t count;
	bool is_open; /* the first is being packed */
	struct packing packing;
	int64_t size; /* of it */
};

static int
add_shard(struct packer *packer, const struct shard *shard)
{
	unsigned int *segments cleanup(free_drop) = NULL;
	char path[4096], name[SHARD_TEXT];
	size_t count, i;
	int error;

	snprintf(path, sizeof(path), "%s/%s", packer->directory, shard_format(shard, name));
	error = segments_list(path, &segments, &count);
	for (i = 0; !error && i < count; i++)
		error = packer_add(packer, shard, segments[i]);
	return error;
}

int
packer_new(struct packer **out, const char *directory)
{
	struct packer *packer = calloc(1, sizeof(*packer));
	struct shard *shards cleanup(free_drop) = NULL;
	size_t count, i;
	int error;

	if (!packer)
		return -ENOMEM;
	packer->directory = directory;
	error = shards_list(directory, &shards, &count);
	for (i = 0; !error && i < count; i++)
		error = add_shard(packer, &shards[i]);
	if (error)
		packer_free(packer);
	else
		*out = packer;
	return error;
}

void
packer_free(struct packer *packer)
{
	if (!packer)
		return;
	if (packer->is_open)
		packing_fini(&packer->packing);
	free(packer->waiting);
	free(packer);
}

int
packer_add(struct packer *packer, const struct shard *shard, unsigned int segment)
{
	struct waiting *grown =
		realloc(packer->waiting, (packer->count + 1) * sizeof(*packer->waiting));

	if (!grown)
		return -ENOMEM;
	packer->waiting = grown;
	grown[packer->count++] = (struct waiting){*shard, segment};
	return 0;
}

/* Done with the first. */
static void
drop_first(struct packer *packer)
{
	if (packer->is_open)
		packing_fini(&packer->packing);
	packer->is_open = false;
	packer->count--;
	memmove(packer->waiting, packer->waiting + 1, packer->count * sizeof(*packer->waiting));
}

void
packer_forget(struct packer *packer, const struct shard *shard)
{
	while (packer->count && shard_compare(&packer->waiting[0].shard, shard) <= 0)
		drop_first(packer);
}

bool
packer_has_work(const struct packer *packer)
{
	return packer->count > 0;
}

static int
begin(struct packer *packer)
{
	char path[4096], name[SHARD_TEXT], file[SEGMENT_TEXT];
	struct stat status;
	int error;

	snprintf(path, sizeof(path), "%s/%s/%s", packer->directory,
		 shard_format(&packer->waiting[0].shard, name),
		 segment_format(packer->waiting[0].segment, file));
	packer->is_open = true;
	if ((error = packing_begin(&packer->packing, path)))
		return error;
	if (fstat(packer->packing.source.fd, &status) < 0)
		return -errno;
	packer->size = (int64_t)status.st_size;
	return 0;
}

int
packer_step(struct packer *packer, struct shard *shard, int64_t *saved)
{
	int found = packer->is_open ? 0 : begin(packer);

	if (found == 1) {
		drop_first(packer);
		return 0;
	}
	if (!found)
		found = packing_step(&packer->packing);
	if (!found)
		return 0;
	if (found < 0 && found != -ENOENT)
		log_warn("journal", "%s stays uncompressed: %s", packer->packing.path,
			 strerror(-found));
	*shard = packer->waiting[0].shard;
	*saved = packer->size - (int64_t)packer->packing.size;
	drop_first(packer);
	return found == 1;
}
