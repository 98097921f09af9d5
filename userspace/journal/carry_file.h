/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * carry_file.h - the bytes of a carry file: a header, then a frame for each turn.
 *
 *	turn	u32 mark, u32 crc, u64 length, items
 *	item	u32 kind, u32 length, u64 id, bytes padded with zeros to 8
 *
 * crc is zlib's crc32 of the length and the items. An item of length CARRY_GONE
 * drops its value; one of kind 0 is room that was given up. In the byte order of the
 * machine that wrote it.
 */
#ifndef JOURNAL_CARRY_FILE_H
#define JOURNAL_CARRY_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define CARRY_MAGIC      "DEMARCC1"
#define CARRY_VERSION    1
#define CARRY_MARK       UINT32_C(0x4e525554) /* "TURN" */
#define CARRY_GONE       UINT32_MAX
#define CARRY_PATH_BYTES 4096

struct carry_header {
	char magic[8];
	uint32_t version;
	uint32_t header_bytes; /* where the first turn begins */
	char boot_id[40];
	uint32_t pad;
	uint32_t crc; /* of all before it */
};

_Static_assert(sizeof(struct carry_header) == 64, "the header is part of the format");

struct carry_turn {
	uint32_t mark;
	uint32_t crc;
	uint64_t length; /* of the items */
};

struct carry_item {
	uint32_t kind;
	uint32_t length;
	uint64_t id;
};

void carry_header_fill(struct carry_header *header, const char *boot_id);
/* 0; -ENODATA when it is cut short, as a killed process may leave it; -EBADMSG. */
int carry_header_check(const struct carry_header *header, size_t length);

/* Of an item of that length: header, bytes and padding. */
size_t carry_item_size(uint32_t length);
/* Fill in the header of the turn whose items follow it in memory. */
void carry_turn_seal(struct carry_turn *turn, size_t length);

/* at: where the value's bytes begin, counted from the first byte walked. */
typedef void (*carry_item_fn)(const struct carry_item *item, size_t at, void *arg);
/*
 * Walk whole turns, and call fn for each of their items. Returns where the last whole turn ends.
 */
size_t carry_walk(const char *bytes, size_t length, carry_item_fn fn, void *arg);

/* Open and lock, and make it if need be. The descriptor, or -errno. */
int carry_file_open(const char *path, struct error *why);
/* Write all, at an offset. 0 or -errno. */
int carry_file_write(int fd, const void *bytes, size_t length, uint64_t at);

#endif /* JOURNAL_CARRY_FILE_H */
