/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * carry.h - what an agent owes while it runs, kept where kill -9 cannot reach it.
 *
 * The kernel goes on counting when the agent dies; what the agent has read but not
 * yet written would be lost: sums that are still being folded, entries that wait
 * for the disk, how far the rings are read. So each turn ends with one write() of
 * all that changed, which is either whole or absent, and only then are the rings
 * released and the entries handed to the disk. The next agent finds the state of
 * the last whole turn: nothing is missing and nothing is there twice.
 *
 *	carry_put(carry, CARRY_FOLD, id, &totals, sizeof(totals));
 *	...
 *	carry_commit(carry);
 *
 * A value is named by kind and id; the latest wins. The file is a log that is
 * rewritten when most of it is out of date. It lies in the runtime directory: a
 * file in memory is enough, since a reboot ends the kernel's counts too. One that
 * outlived a reboot has kept entries and folds; nothing is synced for that.
 */
#ifndef CARRY_H
#define CARRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct carry;

enum carry_kind {
	CARRY_RINGS = 1, /* id the set of maps: how far its rings are read; ~id: what was told */
	CARRY_SLOT = 2,  /* id set, CPU and kind: sequence numbers seen and holes open */
	CARRY_FOLD = 3,  /* id of the fold: its totals so far */
	CARRY_FIRST = 4, /* id of the fold: the entry it will become, as canonical JSON */
	CARRY_BATCH = 5, /* id is its last ticket: entries on their way to the disk */
	CARRY_SHED = 6,  /* id 0: refused entries that no gap has told yet */
	CARRY_END = 7,   /* id 0: the shard that is written to, and its next number */
};

/*
 * Open the file, or make it, readable by its owner only, and read what the last
 * agent left. A torn last turn is dropped. -EBUSY: another process has it open;
 * -EBADMSG: it is no carry file, or of a version that this build does not read.
 */
int carry_open(struct carry **out, const char *path, const char *boot_id, struct error *why);
void carry_close(struct carry *carry); /* NULL is welcome; what was not committed is forgotten */

/*
 * Was it left in this boot? Only then do positions in rings and sequence numbers
 * mean anything: those of an earlier boot are not handed out.
 */
bool carry_same_boot(const struct carry *carry);
/* The boot in which it was left; "" when nothing was. */
const char *carry_boot_id(const struct carry *carry);

typedef void (*carry_fn)(uint64_t id, const void *bytes, size_t length, void *arg);
/* Every committed value of a kind, by ascending id. fn must not put or drop. */
void carry_each(const struct carry *carry, enum carry_kind kind, carry_fn fn, void *arg);
/* Copies at most room bytes. Returns the value's length, or -ENOENT. */
long carry_get(const struct carry *carry, enum carry_kind kind, uint64_t id, void *bytes,
	       size_t room);

/* Part of this turn; the bytes are copied. */
void carry_put(struct carry *carry, enum carry_kind kind, uint64_t id, const void *bytes,
	       size_t length);
/* The same, but the caller fills in the bytes, before the next call. NULL: memory ran out. */
void *carry_place(struct carry *carry, enum carry_kind kind, uint64_t id, size_t length);
void carry_drop(struct carry *carry, enum carry_kind kind, uint64_t id);
/*
 * End the turn. 0, or -errno when it could not be written (the file system is
 * full): the changes stay part of the next turn, and the caller goes on.
 */
int carry_commit(struct carry *carry);

/* This process lives, though nothing changed. A file that somebody removed is made anew by the
 * next carry_commit(). */
void carry_touch(struct carry *carry);

struct carry_state {
	uint64_t bytes;         /* of the file */
	uint64_t live_bytes;    /* of these: not out of date */
	uint64_t turns;         /* written by this process */
	uint64_t rewrites;      /* of the whole file */
	uint64_t errors;        /* turns that could not be written when they ended */
	int64_t left_ms;        /* wall time of the last sign of life at open; 0: none */
	uint64_t dropped_bytes; /* found at open behind the last whole turn */
	int failing;            /* errno of the last turn, or 0 */
};
void carry_state(const struct carry *carry, struct carry_state *out);

#endif /* CARRY_H */
