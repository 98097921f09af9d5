/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text.h - a C string as a JSON string. */
#ifndef STREAM_TEXT_H
#define STREAM_TEXT_H

#include "base/buf.h"

/* Control characters become spaces, bytes that are not UTF-8 question marks. */
void stream_text(struct buf *out, const char *text);

#endif /* STREAM_TEXT_H */
