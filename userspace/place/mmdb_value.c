/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* mmdb_value - encode values of the MaxMind DB format. Pure. */
#include "place/mmdb_value.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

struct mmdb_known {
	UT_hash_handle hh;
	uint32_t offset;
	char key[]; /* a letter for the type, then the text */
};

static void
add_big_endian(struct buf *out, uint64_t number, unsigned int bytes)
{
	while (bytes-- > 0)
		buf_addc(out, (char)(number >> 8 * bytes & 0xff));
}

/* Types above 7 are written as 0 and, in the byte after the control byte, the rest. */
static void
add_head(struct buf *out, unsigned int type, unsigned int size)
{
	buf_addc(out, (char)((type > 7 ? 0 : type) << 5 | size));
	if (type > 7)
		buf_addc(out, (char)(type - 7));
}

void
mmdb_add_control(struct buf *out, enum mmdb_type type, uint32_t size)
{
	if (size < 29) {
		add_head(out, type, size);
	} else if (size < 29 + 256) {
		add_head(out, type, 29);
		add_big_endian(out, size - 29, 1);
	} else if (size < 285 + 65536) {
		add_head(out, type, 30);
		add_big_endian(out, size - 285, 2);
	} else {
		add_head(out, type, 31);
		add_big_endian(out, size - 65821, 3);
	}
}

void
mmdb_add_string(struct buf *out, const char *text)
{
	size_t length = strnlen(text, 65535);

	mmdb_add_control(out, MMDB_STRING, (uint32_t)length);
	buf_add(out, text, length);
}

void
mmdb_add_number(struct buf *out, enum mmdb_type type, uint64_t number)
{
	unsigned int bytes = 0;

	while (bytes < 8 && number >> 8 * bytes != 0)
		bytes++;
	mmdb_add_control(out, type, bytes);
	add_big_endian(out, number, bytes);
}

void
mmdb_add_pointer(struct buf *out, uint32_t offset)
{
	const unsigned int head = MMDB_POINTER << 5;

	if (offset < 2048) {
		buf_addc(out, (char)(head | offset >> 8));
		add_big_endian(out, offset & 0xff, 1);
	} else if (offset < 2048 + 524288) {
		offset -= 2048;
		buf_addc(out, (char)(head | 1 << 3 | offset >> 16));
		add_big_endian(out, offset & 0xffff, 2);
	} else if (offset < 526336 + 134217728) {
		offset -= 526336;
		buf_addc(out, (char)(head | 2 << 3 | offset >> 24));
		add_big_endian(out, offset & 0xffffff, 3);
	} else {
		buf_addc(out, (char)(head | 3 << 3));
		add_big_endian(out, offset, 4);
	}
}

/* True when the value was known and is now a pointer; else it is known from here on. */
static bool
was_known(struct mmdb_section *section, char letter, const char *text)
{
	size_t length = strlen(text);
	struct mmdb_known *known = calloc(1, sizeof(*known) + length + 2), *found = NULL;

	if (!known) {
		section->bytes.failed = true;
		return true;
	}
	known->key[0] = letter;
	memcpy(known->key + 1, text, length);
	known->offset = (uint32_t)section->bytes.length;
	HASH_FIND(hh, section->known, known->key, length + 1, found);
	if (!found) {
		HASH_ADD(hh, section->known, key[0], length + 1, known);
		if (known->hh.tbl)
			return false;
		section->bytes.failed = true; /* uthash found no memory */
		free(known);
		return true;
	}
	mmdb_add_pointer(&section->bytes, found->offset);
	free(known);
	return true;
}

void
mmdb_share_string(struct mmdb_section *section, const char *text)
{
	if (!was_known(section, 's', text))
		mmdb_add_string(&section->bytes, text);
}

void
mmdb_share_country(struct mmdb_section *section, const char *code)
{
	if (was_known(section, 'c', code))
		return;
	mmdb_add_control(&section->bytes, MMDB_MAP, 1);
	mmdb_share_string(section, "iso_code");
	mmdb_share_string(section, code);
}

void
mmdb_section_fini(struct mmdb_section *section)
{
	struct mmdb_known *known, *next;

	HASH_ITER (hh, section->known, known, next) {
		HASH_DEL(section->known, known);
		free(known);
	}
	buf_fini(&section->bytes);
}
