/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* carry_private.h - the table of what is carried; for carry.c, carry_open.c and carry_rewrite.c. */
#ifndef JOURNAL_CARRY_PRIVATE_H
#define JOURNAL_CARRY_PRIVATE_H

#include <sys/queue.h>
#include <uthash.h>

#include "base/buf.h"
#include "carry.h"
#include "carry_file.h"

#define CARRY_REWRITE_BYTES ((uint64_t)4 * 1024 * 1024)

struct carry_key {
	uint64_t id;
	uint64_t kind;
};

struct carry_value {
	UT_hash_handle hh;
	TAILQ_ENTRY(carry_value) dirty;
	struct carry_key key;
	uint64_t offset; /* of its bytes in the file; 0: not written yet */
	uint32_t length;
	bool is_dirty;
	size_t pending; /* of its item in the turn; 0: none */
};

TAILQ_HEAD(carry_values, carry_value);

struct carry {
	int fd;
	char path[CARRY_PATH_BYTES];
	char boot_id[40];
	char left_boot_id[40];
	bool is_foreign; /* the file still names another boot, or none */
	bool is_gone;    /* somebody removed the file */
	struct carry_value *table;
	struct carry_values dirty;
	struct buf turn;
	size_t idle_bytes; /* of the turn: given up */
	uint64_t size;
	uint64_t live_bytes;
	uint64_t rewrite_at; /* not before it is this long */
	bool out_of_memory;
	struct timespec left; /* when the file changed last, before we opened it */
	struct carry_state state;
};

struct carry_value *carry_find(const struct carry *carry, enum carry_kind kind, uint64_t id);
/* NULL when memory ran out. */
struct carry_value *carry_add(struct carry *carry, enum carry_kind kind, uint64_t id);
void carry_forget(struct carry *carry, struct carry_value *value);

/*
 * Until a turn of ours is kept, the file's time is the last agent's: who is killed
 * before that has told nothing of how long nobody was there.
 */
void carry_keep_time(struct carry *carry);

/* A new file with what is written and not out of date, under the same name. 0 or -errno. */
int carry_rewrite(struct carry *carry);

#endif /* JOURNAL_CARRY_PRIVATE_H */
