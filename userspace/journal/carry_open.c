/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* carry_open.c - take over what the last agent left, or begin. */
#define HASH_NONFATAL_OOM 1

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carry_private.h"

static void
load_item(const struct carry_item *item, size_t at, void *arg)
{
	struct carry *carry = arg;
	struct carry_value *value = carry_find(carry, (enum carry_kind)item->kind, item->id);

	if (value)
		carry->live_bytes -= carry_item_size(value->length);
	if (item->length == CARRY_GONE) {
		if (value)
			carry_forget(carry, value);
		return;
	}
	if (!value)
		value = carry_add(carry, (enum carry_kind)item->kind, item->id);
	if (!value) {
		carry->out_of_memory = true;
		return;
	}
	value->offset = sizeof(struct carry_header) + at;
	value->length = item->length;
	carry->live_bytes += carry_item_size(item->length);
}

static bool
is_of_boot(enum carry_kind kind)
{
	return kind == CARRY_RINGS || kind == CARRY_SLOT;
}

static void
forget_positions(struct carry *carry)
{
	struct carry_value *value, *next;

	for (value = carry->table; value; value = next) {
		next = value->hh.next;
		if (!is_of_boot((enum carry_kind)value->key.kind))
			continue;
		carry->live_bytes -= carry_item_size(value->length);
		carry_forget(carry, value);
	}
}

static int
load(struct carry *carry, const char *bytes, size_t length)
{
	const struct carry_header *header = (const void *)bytes;
	int error = carry_header_check(header, length);

	if (error)
		return error;
	carry->size = sizeof(*header) + carry_walk(bytes + sizeof(*header),
						   length - sizeof(*header), load_item, carry);
	carry->state.dropped_bytes = length - carry->size;
	memcpy(carry->left_boot_id, header->boot_id, sizeof(carry->left_boot_id));
	carry->is_foreign = strcmp(header->boot_id, carry->boot_id) != 0;
	if (carry->is_foreign)
		forget_positions(carry);
	return carry->out_of_memory ? -ENOMEM : 0;
}

static int
begin_file(struct carry *carry)
{
	struct carry_header header;

	carry_header_fill(&header, carry->boot_id);
	carry->size = sizeof(header);
	return carry_file_write(carry->fd, &header, sizeof(header), 0);
}

/* Our own file, which nobody else may write: mapping it is safe. */
static int
load_file(struct carry *carry)
{
	struct stat status;
	void *bytes;
	int error;

	if (fstat(carry->fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EBADMSG;
	if (!status.st_size)
		return begin_file(carry);
	carry->left = status.st_mtim;
	carry->state.left_ms =
		(int64_t)status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1000000;
	bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, carry->fd, 0);
	if (bytes == MAP_FAILED)
		return -errno;
	error = load(carry, bytes, (size_t)status.st_size);
	munmap(bytes, (size_t)status.st_size);
	if (error == -ENODATA)
		return begin_file(carry);
	if (!error && ftruncate(carry->fd, (off_t)carry->size) < 0)
		return -errno;
	carry_keep_time(carry);
	return error;
}

int
carry_open(struct carry **out, const char *path, const char *boot_id, struct error *why)
{
	struct carry *carry = calloc(1, sizeof(*carry));
	int error;

	if (!carry)
		return error_set(why, -ENOMEM, "out of memory");
	TAILQ_INIT(&carry->dirty);
	carry->rewrite_at = CARRY_REWRITE_BYTES;
	snprintf(carry->boot_id, sizeof(carry->boot_id), "%s", boot_id);
	if ((size_t)snprintf(carry->path, sizeof(carry->path), "%s", path) >= sizeof(carry->path))
		error = error_set(why, -ENAMETOOLONG, "the path of the carry file is too long");
	else
		error = carry_file_open(path, why);
	carry->fd = error;
	if (error >= 0) {
		error = load_file(carry);
		if (error)
			error_set(why, error, "%s: %s", path,
				  error == -EBADMSG ? "no carry file that this build can read"
						    : strerror(-error));
	}
	if (error < 0) {
		carry_close(carry);
		return error;
	}
	*out = carry;
	return 0;
}

void
carry_close(struct carry *carry)
{
	struct carry_value *value, *next;

	if (!carry)
		return;
	for (value = carry->table; value; value = next) {
		next = value->hh.next;
		carry_forget(carry, value);
	}
	buf_fini(&carry->turn);
	if (carry->fd >= 0)
		close(carry->fd);
	free(carry);
}
