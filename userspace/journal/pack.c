/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pack.c - a compressed segment, read as the bytes that it was made of.
 *
 * Blocks say where their frames stood, so offsets mean what they did, and what is
 * behind a damaged block is found again. A hole is as large as the blocks around
 * it say, but never larger than zlib could have packed into the bytes it takes.
 */
#include "pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "segment.h"

#define SEARCH_BYTES ((size_t)64 * 1024)
#define HOLE_BYTES   40 /* stand for an end that is lost */
#define RATIO_MAX    1100

struct place {
	uint64_t offset; /* of the zlib stream in the file */
	uint64_t at;     /* of its frames in the segment */
	uint32_t packed;
	uint32_t raw;
};

struct pack {
	int fd;
	uint64_t size;
	struct buf places;
	struct buf stream;
};

static uint32_t
checksum(const struct pack_block *block)
{
	size_t start = offsetof(struct pack_block, packed);

	return (uint32_t)crc32_z(crc32_z(0, NULL, 0), (const void *)((const char *)block + start),
				 sizeof(*block) - start);
}

void
pack_block_seal(struct pack_block *block)
{
	memcpy(block->magic, PACK_MAGIC, sizeof(block->magic));
	block->crc = checksum(block);
}

size_t
pack_block_size(uint32_t packed)
{
	return (sizeof(struct pack_block) + packed + 7) / 8 * 8;
}

static bool
is_block(const struct pack_block *block)
{
	return memcmp(block->magic, PACK_MAGIC, sizeof(block->magic)) == 0 &&
	       block->crc == checksum(block) && block->raw > 0 && block->raw <= PACK_RAW_MAX &&
	       block->packed > 0 && block->packed <= 2 * PACK_RAW_MAX;
}

static ssize_t
load(int fd, void *out, size_t want, uint64_t offset)
{
	ssize_t got;

	do
		got = pread(fd, out, want, (off_t)offset);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

/* The first block at or behind *offset. 1, 0 when there is none, or -errno. */
static int
find_block(const struct pack *pack, uint64_t *offset, struct pack_block *out)
{
	char *window cleanup(free_drop) = NULL;
	size_t i;
	ssize_t got = load(pack->fd, out, sizeof(*out), *offset);

	if (got < (ssize_t)sizeof(*out))
		return got < 0 ? (int)got : 0;
	if (is_block(out))
		return 1;
	if (!(window = malloc(SEARCH_BYTES)))
		return -ENOMEM;
	while ((got = load(pack->fd, window, SEARCH_BYTES, *offset)) >= (ssize_t)sizeof(*out)) {
		for (i = 0; i + sizeof(*out) <= (size_t)got; i += 8) {
			memcpy(out, window + i, sizeof(*out));
			if (is_block(out)) {
				*offset += i;
				return 1;
			}
		}
		*offset += i;
	}
	return got < 0 ? (int)got : 0;
}

/* False: it cannot be where it says. */
static bool
note_block(struct pack *pack, const struct pack_block *block, uint64_t offset, uint64_t behind)
{
	struct place place = {offset + sizeof(*block), block->place, block->packed, block->raw};

	if (block->place < pack->size || block->place - pack->size > (offset - behind) * RATIO_MAX)
		return false;
	buf_add(&pack->places, &place, sizeof(place));
	pack->size = block->place + block->raw;
	return true;
}

static int
index_blocks(struct pack *pack, uint64_t size)
{
	uint64_t offset = sizeof(struct segment_header), behind = offset;
	struct pack_block block;
	off_t end;
	int found;

	pack->size = sizeof(struct segment_header);
	while ((found = find_block(pack, &offset, &block)) == 1) {
		if (note_block(pack, &block, offset, behind))
			behind = offset + pack_block_size(block.packed);
		offset = behind > offset ? behind : offset + 8;
	}
	end = lseek(pack->fd, 0, SEEK_END);
	if (pack->size < size || (end > 0 && (uint64_t)end > behind))
		pack->size += HOLE_BYTES;
	return found < 0 ? found : pack->places.failed ? -ENOMEM : 0;
}

int
pack_open(struct pack **out, int fd, uint64_t size)
{
	struct pack *pack = calloc(1, sizeof(*pack));
	int error;

	if (!pack)
		return -ENOMEM;
	pack->fd = fd;
	error = index_blocks(pack, size);
	if (error)
		pack_close(pack);
	else
		*out = pack;
	return error;
}

void
pack_close(struct pack *pack)
{
	if (!pack)
		return;
	buf_fini(&pack->places);
	buf_fini(&pack->stream);
	free(pack);
}

uint64_t
pack_size(const struct pack *pack)
{
	return pack->size;
}

size_t
pack_blocks(const struct pack *pack)
{
	return pack->places.length / sizeof(struct place);
}

/* The first block that ends behind `at`, or NULL. */
static const struct place *
find_place(const struct pack *pack, uint64_t at)
{
	const struct place *places = (const struct place *)(const void *)pack->places.data;
	size_t low = 0, high = pack_blocks(pack), middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (places[middle].at + places[middle].raw <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low < pack_blocks(pack) ? &places[low] : NULL;
}

/* The frames of a block, or zeroes. */
static int
unpack(struct pack *pack, const struct place *place, char *out)
{
	uLongf length = place->raw;
	ssize_t got;
	char *stream;

	buf_clear(&pack->stream);
	if (!(stream = buf_reserve(&pack->stream, place->packed)))
		return -ENOMEM;
	got = load(pack->fd, stream, place->packed, place->offset);
	if (got < 0)
		return (int)got;
	if ((size_t)got < place->packed ||
	    uncompress((Bytef *)out, &length, (const Bytef *)stream, place->packed) != Z_OK ||
	    length != place->raw)
		memset(out, 0, place->raw);
	return 0;
}

ssize_t
pack_read(struct pack *pack, uint64_t at, struct buf *out)
{
	const struct place *place = find_place(pack, at);
	uint64_t end = place ? place->at : pack->size;
	size_t skip, length;
	char *room;
	int error;

	if (at >= pack->size)
		return 0;
	if (at < end) {
		length = end - at > SEARCH_BYTES ? SEARCH_BYTES : (size_t)(end - at);
		if (!(room = buf_reserve(out, length)))
			return -ENOMEM;
		memset(room, 0, length);
		out->length += length;
		return (ssize_t)length;
	}
	if (!(room = buf_reserve(out, place->raw)))
		return -ENOMEM;
	if ((error = unpack(pack, place, room)))
		return error;
	skip = (size_t)(at - place->at);
	memmove(room, room + skip, place->raw - skip);
	out->length += place->raw - skip;
	return (ssize_t)(place->raw - skip);
}
