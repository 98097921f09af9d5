/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* plain.h - foreign strings and numbers in lines for people: harmless, short, in columns. */
#ifndef SINK_PLAIN_H
#define SINK_PLAIN_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Append text with a '?' for each byte or character that a terminal could obey or
 * that hides what stands there (controls, escapes, marks of direction, bad UTF-8).
 * At most room characters, the last of them "~" when there were more. Returns how
 * many columns that took.
 */
size_t plain_add(struct buf *out, const char *text, size_t room);

/* Blanks from column `from` up to column `to`, at least one. */
void plain_pad(struct buf *out, size_t from, size_t to);

/* "512 B", "12.3 KiB"; "-" when value is ABSENT. */
#define PLAIN_BYTES 16
const char *plain_bytes(int64_t value, char out[PLAIN_BYTES]);

#endif /* SINK_PLAIN_H */
