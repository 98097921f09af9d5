/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * carry.c - what an agent owes while it runs, kept where kill -9 cannot reach it.
 *
 * The turn being made is a buffer of items as they will stand in the file; a value
 * that is put again, or dropped, before it was written gives its room up. Of what
 * is written only the place is remembered.
 */
#define HASH_NONFATAL_OOM 1

#include "carry_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define COMPACT_BYTES   ((size_t)1024 * 1024)
#define TURN_KEPT_BYTES ((size_t)4 * 1024 * 1024)

/*
 * The table
 * ---------
 */

struct carry_value *
carry_find(const struct carry *carry, enum carry_kind kind, uint64_t id)
{
	const struct carry_key key = {id, kind};
	struct carry_value *value;

	HASH_FIND(hh, carry->table, &key, sizeof(key), value);
	return value;
}

struct carry_value *
carry_add(struct carry *carry, enum carry_kind kind, uint64_t id)
{
	struct carry_value *value = calloc(1, sizeof(*value));

	if (!value)
		return NULL;
	value->key = (struct carry_key){id, kind};
	HASH_ADD(hh, carry->table, key, sizeof(value->key), value);
	if (value->hh.tbl)
		return value;
	free(value);
	return NULL;
}

void
carry_forget(struct carry *carry, struct carry_value *value)
{
	if (value->is_dirty)
		TAILQ_REMOVE(&carry->dirty, value, dirty);
	HASH_DEL(carry->table, value);
	free(value);
}

/*
 * The turn
 * --------
 */

static struct carry_item *
item_at(struct carry *carry, size_t at)
{
	return (struct carry_item *)(void *)(carry->turn.data + at);
}

static void
give_up(struct carry *carry, struct carry_value *value)
{
	struct carry_item *item;

	if (!value->pending)
		return;
	item = item_at(carry, value->pending);
	item->kind = 0;
	carry->idle_bytes += carry_item_size(item->length);
	value->pending = 0;
}

/* Append the value's item to the turn, its bytes to be filled in. length CARRY_GONE: it is dropped.
 */
static void *
append(struct carry *carry, struct carry_value *value, uint32_t length)
{
	const struct carry_item item = {(uint32_t)value->key.kind, length, value->key.id};
	size_t size = carry_item_size(length);

	if (!carry->turn.length)
		buf_add(&carry->turn, &(struct carry_turn){0}, sizeof(struct carry_turn));
	if (!buf_reserve(&carry->turn, size)) {
		carry->turn.failed = false;
		carry->out_of_memory = true;
		return NULL;
	}
	value->pending = carry->turn.length;
	buf_add(&carry->turn, &item, sizeof(item));
	if (size > sizeof(item)) /* the padding */
		memset(carry->turn.data + value->pending + size - 8, 0, 8);
	carry->turn.length = value->pending + size;
	if (!value->is_dirty)
		TAILQ_INSERT_TAIL(&carry->dirty, value, dirty);
	value->is_dirty = true;
	return carry->turn.data + value->pending + sizeof(item);
}

/* While turns cannot be written, what was given up would pile up. */
static void
compact(struct carry *carry)
{
	struct buf fresh = {0};
	struct carry_value *value;
	size_t size;

	if (carry->idle_bytes < COMPACT_BYTES || carry->idle_bytes < carry->turn.length / 2 ||
	    !buf_reserve(&fresh, carry->turn.length - carry->idle_bytes))
		return;
	buf_add(&fresh, &(struct carry_turn){0}, sizeof(struct carry_turn));
	TAILQ_FOREACH(value, &carry->dirty, dirty)
	{
		if (!value->pending)
			continue;
		size = carry_item_size(item_at(carry, value->pending)->length);
		buf_add(&fresh, carry->turn.data + value->pending, size);
		value->pending = fresh.length - size;
	}
	buf_fini(&carry->turn);
	carry->turn = fresh;
	carry->idle_bytes = 0;
}

void *
carry_place(struct carry *carry, enum carry_kind kind, uint64_t id, size_t length)
{
	struct carry_value *value = carry_find(carry, kind, id);

	if (!value)
		value = carry_add(carry, kind, id);
	if (!value || length >= CARRY_GONE) {
		carry->out_of_memory = true;
		return NULL;
	}
	if (value->pending && item_at(carry, value->pending)->length == length)
		return carry->turn.data + value->pending + sizeof(struct carry_item);
	give_up(carry, value);
	compact(carry);
	return append(carry, value, (uint32_t)length);
}

void
carry_put(struct carry *carry, enum carry_kind kind, uint64_t id, const void *bytes, size_t length)
{
	void *room = carry_place(carry, kind, id, length);

	if (room && length)
		memcpy(room, bytes, length);
}

void
carry_drop(struct carry *carry, enum carry_kind kind, uint64_t id)
{
	struct carry_value *value = carry_find(carry, kind, id);

	if (!value)
		return;
	give_up(carry, value);
	compact(carry);
	if (!value->offset)
		carry_forget(carry, value);
	else
		append(carry, value, CARRY_GONE);
}

/*
 * The file
 * --------
 */

/* What the turn says is now in the file, from offset base on. */
static void
settle(struct carry *carry, uint64_t base)
{
	struct carry_value *value;
	const struct carry_item *item;

	while ((value = TAILQ_FIRST(&carry->dirty))) {
		TAILQ_REMOVE(&carry->dirty, value, dirty);
		value->is_dirty = false;
		if (!value->pending)
			continue;
		item = item_at(carry, value->pending);
		if (value->offset)
			carry->live_bytes -= carry_item_size(value->length);
		if (item->length == CARRY_GONE) {
			carry_forget(carry, value);
			continue;
		}
		value->offset = base + value->pending + sizeof(*item);
		value->length = item->length;
		value->pending = 0;
		carry->live_bytes += carry_item_size(value->length);
	}
	if (carry->turn.room > TURN_KEPT_BYTES)
		buf_fini(&carry->turn);
	buf_clear(&carry->turn);
	carry->idle_bytes = 0;
}

static int
write_turn(struct carry *carry)
{
	int error;

	carry_turn_seal((void *)carry->turn.data, carry->turn.length - sizeof(struct carry_turn));
	error = carry_file_write(carry->fd, carry->turn.data, carry->turn.length, carry->size);
	if (error) {
		/* Where even this fails, the next turn is written over it. */
		if (ftruncate(carry->fd, (off_t)carry->size) < 0)
			return error;
		return error;
	}
	carry->size += carry->turn.length;
	settle(carry, carry->size - carry->turn.length);
	return 0;
}

static bool
is_stale(const struct carry *carry)
{
	return carry->size > carry->rewrite_at && carry->size / 2 > carry->live_bytes;
}

static void
rewrite_if_stale(struct carry *carry)
{
	int error;

	if (!is_stale(carry))
		return;
	error = carry_rewrite(carry);
	carry->rewrite_at = error ? carry->size * 2 : CARRY_REWRITE_BYTES;
}

static int
commit(struct carry *carry)
{
	int error = carry->is_gone ? carry_rewrite(carry) : 0;

	if (error)
		return error;
	if (carry->turn.length - carry->idle_bytes <= sizeof(struct carry_turn))
		return 0;
	/* Positions of this boot must not stand below the name of another. */
	if (carry->is_foreign)
		error = carry_rewrite(carry);
	if (!error)
		error = write_turn(carry);
	if (error)
		return error;
	carry->state.turns++;
	rewrite_if_stale(carry);
	return 0;
}

int
carry_commit(struct carry *carry)
{
	int error = commit(carry);

	if (!error && carry->out_of_memory)
		error = -ENOMEM; /* a value is missing, or still the one before */
	carry->out_of_memory = false;
	carry->state.errors += error != 0;
	carry->state.failing = -error;
	if (error)
		carry_keep_time(carry);
	return error;
}

/*
 * Reading
 * -------
 */

bool
carry_same_boot(const struct carry *carry)
{
	return carry->left_boot_id[0] && strcmp(carry->left_boot_id, carry->boot_id) == 0;
}

const char *
carry_boot_id(const struct carry *carry)
{
	return carry->left_boot_id;
}

static int
by_id(const void *a, const void *b)
{
	const struct carry_value *x = *(struct carry_value *const *)a,
				 *y = *(struct carry_value *const *)b;

	return (x->key.id > y->key.id) - (x->key.id < y->key.id);
}

void
carry_each(const struct carry *carry, enum carry_kind kind, carry_fn fn, void *arg)
{
	struct carry_value **list cleanup(free_drop) =
		calloc(HASH_COUNT(carry->table) + 1, sizeof(struct carry_value *));
	struct buf bytes cleanup(buf_fini) = {0};
	struct carry_value *value;
	size_t count = 0;

	for (value = list ? carry->table : NULL; value; value = value->hh.next)
		if (value->key.kind == kind && value->offset)
			list[count++] = value;
	qsort(list, count, sizeof(struct carry_value *), by_id);
	for (size_t i = 0; i < count; i++) {
		buf_clear(&bytes);
		if (buf_reserve(&bytes, list[i]->length + 1u) &&
		    pread(carry->fd, bytes.data, list[i]->length, (off_t)list[i]->offset) ==
			    (ssize_t)list[i]->length)
			fn(list[i]->key.id, bytes.data, list[i]->length, arg);
	}
}

long
carry_get(const struct carry *carry, enum carry_kind kind, uint64_t id, void *bytes, size_t room)
{
	const struct carry_value *value = carry_find(carry, kind, id);
	size_t length;

	if (!value || !value->offset)
		return -ENOENT;
	length = value->length < room ? value->length : room;
	if (pread(carry->fd, bytes, length, (off_t)value->offset) != (ssize_t)length)
		return -EIO;
	return (long)value->length;
}

void
carry_keep_time(struct carry *carry)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, carry->left};

	if (!carry->state.turns && carry->state.left_ms && futimens(carry->fd, times) < 0)
		carry->state.failing = errno;
}

/* Somebody removed the file, perhaps with its folder: the next turn makes it anew. */
static void
notice_removal(struct carry *carry)
{
	char folder[CARRY_PATH_BYTES];
	char *slash;

	if (access(carry->path, F_OK) == 0 || errno != ENOENT)
		return;
	snprintf(folder, sizeof(folder), "%s", carry->path);
	slash = strrchr(folder, '/');
	if (slash && slash != folder) {
		*slash = '\0';
		mkdir(folder, 0700);
	}
	carry->is_gone = true;
}

void
carry_touch(struct carry *carry)
{
	notice_removal(carry);
	if (carry->state.turns && futimens(carry->fd, NULL) < 0)
		carry->state.failing = errno;
}

void
carry_state(const struct carry *carry, struct carry_state *out)
{
	*out = carry->state;
	out->bytes = carry->size;
	out->live_bytes = carry->live_bytes;
}
