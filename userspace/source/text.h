/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text.h - records as people write them; the format is described in text.c. */
#ifndef SOURCE_TEXT_H
#define SOURCE_TEXT_H

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "source.h"

/*
 * Append to *out the records of a text, each padded to 8 bytes, and fill in
 * what it says of clock, node and boot. -EINVAL with line and column in why, or
 * -ENOMEM. Pure.
 */
int text_parse(struct buf *out, struct recording_header *header, const char *text, size_t length,
	       struct error *why);

#endif /* SOURCE_TEXT_H */
