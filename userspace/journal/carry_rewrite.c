/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * carry_rewrite.c - leave what is out of date behind.
 *
 * Every value goes into a new file, in turns of a chunk, which then takes the old
 * one's name: a process that is killed on the way leaves the old file as it was.
 */
#define HASH_NONFATAL_OOM 1

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "carry_private.h"

#define CHUNK_BYTES ((size_t)1024 * 1024)

struct copy {
	int fd;
	uint64_t size;
	struct buf chunk;
};

static int
flush_chunk(struct copy *copy)
{
	int error = copy->chunk.failed ? -ENOMEM : 0;

	if (copy->chunk.length <= sizeof(struct carry_turn))
		return error;
	carry_turn_seal((void *)copy->chunk.data, copy->chunk.length - sizeof(struct carry_turn));
	if (!error)
		error = carry_file_write(copy->fd, copy->chunk.data, copy->chunk.length,
					 copy->size);
	copy->size += copy->chunk.length;
	copy->chunk.length = sizeof(struct carry_turn);
	return error;
}

static int
copy_value(const struct carry *carry, struct copy *copy, const struct carry_value *value)
{
	const struct carry_item item = {(uint32_t)value->key.kind, value->length, value->key.id};
	size_t rest = carry_item_size(value->length) - sizeof(item);
	char *room;

	buf_add(&copy->chunk, &item, sizeof(item));
	room = buf_reserve(&copy->chunk, rest);
	if (!room)
		return -ENOMEM;
	if (pread(carry->fd, room, rest, (off_t)value->offset) != (ssize_t)rest)
		return -EIO;
	copy->chunk.length += rest;
	return copy->chunk.length < CHUNK_BYTES ? 0 : flush_chunk(copy);
}

static int
copy_all(const struct carry *carry, struct copy *copy)
{
	struct carry_header header;
	const struct carry_value *value;
	int error;

	carry_header_fill(&header, carry->boot_id);
	copy->size = sizeof(header);
	error = carry_file_write(copy->fd, &header, sizeof(header), 0);
	buf_add(&copy->chunk, &(struct carry_turn){0}, sizeof(struct carry_turn));
	for (value = carry->table; value && !error; value = value->hh.next)
		if (value->offset)
			error = copy_value(carry, copy, value);
	return error ? error : flush_chunk(copy);
}

/* As copy_all() placed them: the same order and the same chunks. */
static void
place_all(struct carry *carry)
{
	uint64_t at = sizeof(struct carry_header);
	size_t chunk = sizeof(struct carry_turn);
	struct carry_value *value;

	for (value = carry->table; value; value = value->hh.next) {
		if (!value->offset)
			continue;
		value->offset = at + chunk + sizeof(struct carry_item);
		chunk += carry_item_size(value->length);
		if (chunk < CHUNK_BYTES)
			continue;
		at += chunk;
		chunk = sizeof(struct carry_turn);
	}
}

/* The new file is locked before it gets the name, so that there is no moment without a lock. */
int
carry_rewrite(struct carry *carry)
{
	char path[CARRY_PATH_BYTES + 4];
	struct copy copy = {.fd = -1};
	int error;

	snprintf(path, sizeof(path), "%s.new", carry->path);
	copy.fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	error = copy.fd < 0 || flock(copy.fd, LOCK_EX | LOCK_NB) < 0 ? -errno
								     : copy_all(carry, &copy);
	buf_fini(&copy.chunk);
	if (!error && rename(path, carry->path) < 0)
		error = -errno;
	if (error) {
		fd_drop(&copy.fd);
		unlink(path);
		return error;
	}
	close(carry->fd);
	carry->fd = copy.fd;
	carry->size = copy.size;
	carry->is_foreign = false;
	carry->is_gone = false;
	place_all(carry);
	carry->state.rewrites++;
	return 0;
}
