/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text_keys.h - which keys a line of each kind may have, and how their values are read. */
#ifndef SOURCE_TEXT_KEYS_H
#define SOURCE_TEXT_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "source/recording.h"
#include "wire.h"

/* A record being written. */
union text_record {
	struct wire_head head;
#define X(number, KIND, name, sentence) struct wire_##name name;
	WIRE_KINDS(X)
#undef X
	char bytes[RECORDING_RECORD_BYTES];
};

/* A value as it stands in the line, escapes resolved; a C string, but may hold NULs. */
struct text_value {
	const char *bytes;
	size_t length;
};

struct text_key {
	const char *name;
	/* 0 or -EINVAL with why's text filled. NULL: a bare word, which only sets its mark. */
	int (*read)(union text_record *record, const struct text_key *key, struct text_value value,
		    struct error *why);
	size_t offset;            /* of the member it fills */
	size_t width;             /* of that member */
	size_t port;              /* addresses: offset of the port, 0 without one */
	const char *const *names; /* words: names of the values from 0, NULL-terminated */

	unsigned int mark;  /* bits to set beside it... */
	size_t mark_offset; /* ...in the member here */
	size_t mark_width;
};

struct text_kind {
	const char *name;
	uint16_t number;
	uint16_t size;
	const struct text_key *keys; /* ends with a row of zeroes */
};

/* NULL with why's text filled: what is nearest. */
const struct text_kind *text_kind(const char *name, struct error *why);
const struct text_key *text_key(const struct text_kind *kind, const char *name, struct error *why);

/* Fill in the key's member from the value. */
int text_set(union text_record *record, const struct text_key *key, struct text_value value,
	     struct error *why);

/* "12.000000345" seconds, as ns. */
int text_seconds(uint64_t *out, const char *text, struct error *why);

/* An unsigned number, decimal or 0x..., at most max. */
int text_number(uint64_t *out, const char *text, uint64_t max, struct error *why);

#endif /* SOURCE_TEXT_KEYS_H */
