/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * buf.h - a growable run of bytes.
 *
 * Write freely, check once: after a failed allocation every further write is
 * ignored and buf.failed stays true. data is NULL until the first write.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data;
	size_t length;
	size_t room;
	bool failed;
};

void buf_add(struct buf *buf, const void *bytes, size_t length);
void buf_adds(struct buf *buf, const char *text);
void buf_addc(struct buf *buf, char byte);
void buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Room for length more bytes, or NULL. The caller writes them and adds to buf->length. */
char *buf_reserve(struct buf *buf, size_t length);

/* The bytes as a C string; "" when empty or failed. Valid until the next write. */
const char *buf_text(struct buf *buf);

/* Keep the room, forget the bytes. */
void buf_clear(struct buf *buf);
void buf_fini(struct buf *buf);

/* Append a whole file. -errno, or -EFBIG beyond limit bytes. */
int buf_read_file(struct buf *buf, const char *path, size_t limit);

#endif /* BASE_BUF_H */
