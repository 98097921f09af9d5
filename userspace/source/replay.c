/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* replay - a recording, or records as text, as a source. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "event.h"
#include "source.h"
#include "source/recording.h"
#include "source/text.h"

struct replay {
	struct source source;
	struct recording_header header;
	FILE *file; /* NULL: a text, which is one block in memory */
	struct buf block;
	size_t position; /* in block */
	uint64_t offset; /* in the file, of the block's first byte */
	uint64_t records;
	uint64_t skipped;
	uint32_t crc;
	int result; /* 0 while there is more */
	struct error error;
};

static int
damaged(struct replay *replay, uint64_t offset, const char *what)
{
	return error_set(&replay->error, -EBADMSG, "byte %llu: %s", (unsigned long long)offset,
			 what);
}

static int
ended_early(struct replay *replay, uint64_t offset)
{
	if (ferror(replay->file))
		return error_set(&replay->error, -EIO, "byte %llu: cannot be read",
				 (unsigned long long)offset);
	return damaged(replay, offset, "the recording ends here, without its end mark");
}

static int
check_end(struct replay *replay, uint32_t crc)
{
	struct recording_end end;

	if (fread(&end, sizeof(end), 1, replay->file) != 1)
		return ended_early(replay, replay->offset);
	if (crc != crc32(replay->crc, (const Bytef *)&end, sizeof(end)))
		return damaged(replay, replay->offset, "the end mark is damaged");
	if (end.records != replay->records)
		return damaged(replay, replay->offset, "records are missing");
	if (fgetc(replay->file) != EOF)
		return damaged(replay, replay->offset + sizeof(end), "bytes after the end mark");
	return -ENODATA;
}

/* Read and check the next block. -ENODATA behind the last one. */
static int
next_block(struct replay *replay)
{
	struct recording_block head;
	char *room;

	if (!replay->file)
		return -ENODATA;
	replay->offset += replay->block.length;
	buf_clear(&replay->block);
	replay->position = 0;
	if (fread(&head, sizeof(head), 1, replay->file) != 1)
		return ended_early(replay, replay->offset);
	replay->offset += sizeof(head);
	if (!head.bytes)
		return check_end(replay, head.crc);
	if (head.bytes > RECORDING_BLOCK_BYTES || head.bytes % RECORDING_ALIGN)
		return damaged(replay, replay->offset - sizeof(head), "no block begins here");
	room = buf_reserve(&replay->block, head.bytes);
	if (!room)
		return error_set(&replay->error, -ENOMEM, "no memory for a block");
	if (fread(room, head.bytes, 1, replay->file) != 1)
		return ended_early(replay, replay->offset);
	replay->crc = (uint32_t)crc32(replay->crc, (const Bytef *)room, head.bytes);
	if (head.crc != replay->crc)
		return damaged(replay, replay->offset, "the block that begins here is damaged");
	replay->block.length = head.bytes;
	return 0;
}

/* The next record of the block, or NULL with result set. */
static const struct wire_head *
next_record(struct replay *replay)
{
	size_t left = replay->block.length - replay->position;
	const struct wire_head *record = NULL;

	if (left >= sizeof(*record))
		record = (const void *)(replay->block.data + replay->position);
	if (!record || record->size < sizeof(*record) || record->size > RECORDING_RECORD_BYTES ||
	    recording_padded(record->size) > left) {
		replay->result =
			damaged(replay, replay->offset + replay->position, "no record begins here");
		return NULL;
	}
	replay->position += recording_padded(record->size);
	replay->records++;
	return record;
}

static int
replay_drain(struct source *source, int budget, record_fn fn, void *arg)
{
	struct replay *replay = (struct replay *)source;
	int count = 0;

	while (count < budget && !replay->result) {
		const struct wire_head *record;

		if (replay->position >= replay->block.length) {
			replay->result = next_block(replay);
			continue;
		}
		record = next_record(replay);
		if (record && event_type_by_kind(record->kind)) {
			fn(record, arg);
			count++;
		} else if (record) {
			replay->skipped++;
		}
	}
	return count ? count : replay->result;
}

static int
replay_fd(const struct source *source)
{
	(void)source;
	return -1;
}

static void
replay_close(struct source *source)
{
	struct replay *replay = (struct replay *)source;

	if (!replay)
		return;
	file_drop(&replay->file);
	buf_fini(&replay->block);
	free(replay);
}

static const struct source_ops replay_ops = {
	.name = "replay",
	.fd = replay_fd,
	.drain = replay_drain,
	.close = replay_close,
};

static void
replay_drop(struct replay **replay)
{
	if (*replay)
		replay_close(&(*replay)->source);
}

/*
 * Opening
 * -------
 */

/* The rest of the header; its first bytes are read. A later version's may be longer. */
static int
read_header(struct replay *replay, struct error *why)
{
	struct recording_header *header = &replay->header;
	char more[RECORDING_HEADER_BYTES];
	size_t extra;

	if (memcmp(header->magic, RECORDING_MAGIC, RECORDING_MAGIC_BYTES))
		return error_set(why, -EINVAL, "a recording of a version that is not known here");
	if (fread(header->magic + RECORDING_MAGIC_BYTES, sizeof(*header) - RECORDING_MAGIC_BYTES, 1,
		  replay->file) != 1)
		return error_set(why, -EINVAL, "the recording ends within its header");
	if (header->header_bytes < sizeof(*header) || header->header_bytes > sizeof(more))
		return error_set(why, -EINVAL,
				 "a header of %u bytes: damaged, or of another byte order",
				 header->header_bytes);
	extra = header->header_bytes - sizeof(*header);
	if (extra && fread(more, extra, 1, replay->file) != 1)
		return error_set(why, -EINVAL, "the recording ends within its header");
	replay->crc = (uint32_t)crc32(0, (const Bytef *)header, sizeof(*header));
	replay->crc = (uint32_t)crc32(replay->crc, (const Bytef *)more, (uInt)extra);
	replay->offset = header->header_bytes;
	header->boot_id[sizeof(header->boot_id) - 1] = '\0';
	header->node[sizeof(header->node) - 1] = '\0';
	return 0;
}

static int
read_text(struct replay *replay, const char *first, size_t length, struct error *why)
{
	struct buf text cleanup(buf_fini) = {0};
	char *room;

	buf_add(&text, first, length);
	while (!feof(replay->file) && text.length <= RECORDING_TEXT_BYTES) {
		room = buf_reserve(&text, RECORDING_BLOCK_BYTES);
		if (!room)
			return error_set(why, -ENOMEM, "no memory for the text");
		text.length += fread(room, 1, RECORDING_BLOCK_BYTES, replay->file);
		if (ferror(replay->file))
			return error_set(why, -EIO, "cannot be read");
	}
	if (text.length > RECORDING_TEXT_BYTES)
		return error_set(why, -EFBIG, "more than %lu bytes of text", RECORDING_TEXT_BYTES);
	if (memchr(buf_text(&text), '\0', text.length))
		return error_set(why, -EINVAL, "neither a recording nor a text of records");
	fclose(take(replay->file));
	return text_parse(&replay->block, &replay->header, buf_text(&text), text.length, why);
}

int
replay_open(struct source **out, const char *path, struct error *why)
{
	struct replay *replay cleanup(replay_drop) = calloc(1, sizeof(*replay));
	char *magic;
	size_t got;
	int result;

	*why = (struct error){0};
	snprintf(why->file, sizeof(why->file), "%s", path);
	if (!replay)
		return error_set(why, -ENOMEM, "no memory");
	replay->source.ops = &replay_ops;
	snprintf(replay->error.file, sizeof(replay->error.file), "%s", path);
	replay->file = fopen(path, "re");
	if (!replay->file)
		return error_set(why, -errno, "%s", strerror(errno));
	magic = replay->header.magic;
	got = fread(magic, 1, RECORDING_MAGIC_BYTES, replay->file);
	if (!got)
		return error_set(why, -EINVAL, "empty, or cannot be read");
	if (got == RECORDING_MAGIC_BYTES && !memcmp(magic, RECORDING_MAGIC, RECORDING_FAMILY_BYTES))
		result = read_header(replay, why);
	else
		result = read_text(replay, magic, got, why);
	if (result < 0)
		return result;
	*out = &take(replay)->source;
	return 0;
}

const struct recording_header *
replay_header(const struct source *source)
{
	return &((const struct replay *)source)->header;
}

const struct error *
replay_error(const struct source *source)
{
	const struct replay *replay = (const struct replay *)source;

	return replay->error.text[0] ? &replay->error : NULL;
}

uint64_t
replay_skipped(const struct source *source)
{
	return ((const struct replay *)source)->skipped;
}
