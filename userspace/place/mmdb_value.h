/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * mmdb_value.h - values of the MaxMind DB format, each kept once.
 *
 * Whatever is written a second time becomes a pointer to the first.
 */
#ifndef PLACE_MMDB_VALUE_H
#define PLACE_MMDB_VALUE_H

#include <stdint.h>

#include "base/buf.h"

/* Control numbers of the format's types. */
enum mmdb_type {
	MMDB_POINTER = 1,
	MMDB_STRING = 2,
	MMDB_UINT16 = 5,
	MMDB_UINT32 = 6,
	MMDB_MAP = 7,
	MMDB_UINT64 = 9,
	MMDB_ARRAY = 11,
};

/* The control bytes of a value: its type, and how many bytes, pairs or elements follow. */
void mmdb_add_control(struct buf *out, enum mmdb_type type, uint32_t size);
void mmdb_add_string(struct buf *out, const char *text);
void mmdb_add_number(struct buf *out, enum mmdb_type type, uint64_t number);
void mmdb_add_pointer(struct buf *out, uint32_t offset);

struct mmdb_known;

/* The data section of a file that is being written. */
struct mmdb_section {
	struct buf bytes;
	struct mmdb_known *known; /* encoded value -> offset */
};

/* Append a string: whole the first time, then as a pointer. */
void mmdb_share_string(struct mmdb_section *section, const char *text);

/* Append {"iso_code": code}, whole the first time, then as a pointer. */
void mmdb_share_country(struct mmdb_section *section, const char *code);

void mmdb_section_fini(struct mmdb_section *section);

#endif /* PLACE_MMDB_VALUE_H */
