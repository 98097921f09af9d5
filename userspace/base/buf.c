/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* buf.c - a growable run of bytes; one byte of room is always left for a final NUL. */
#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define ROOM_FIRST 64
#define READ_BYTES 16384

static bool
grow(struct buf *buf, size_t room)
{
	size_t next = buf->room ? buf->room : ROOM_FIRST;
	char *data;

	while (next < room)
		next = next > SIZE_MAX / 2 ? room : next * 2;
	data = realloc(buf->data, next);
	if (!data) {
		buf->failed = true;
		return false;
	}
	buf->data = data;
	buf->room = next;
	return true;
}

char *
buf_reserve(struct buf *buf, size_t length)
{
	if (buf->failed)
		return NULL;
	if (length > SIZE_MAX - buf->length - 1) {
		buf->failed = true;
		return NULL;
	}
	if (buf->room < buf->length + length + 1 && !grow(buf, buf->length + length + 1))
		return NULL;
	return buf->data + buf->length;
}

void
buf_add(struct buf *buf, const void *bytes, size_t length)
{
	char *end = length ? buf_reserve(buf, length) : NULL;

	if (!end)
		return;
	memcpy(end, bytes, length);
	buf->length += length;
}

void
buf_adds(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void
buf_addc(struct buf *buf, char byte)
{
	buf_add(buf, &byte, 1);
}

void
buf_addf(struct buf *buf, const char *format, ...)
{
	va_list args, again;
	int length;

	va_start(args, format);
	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0)
		buf->failed = true;
	else if (buf_reserve(buf, (size_t)length)) {
		vsnprintf(buf->data + buf->length, (size_t)length + 1, format, again);
		buf->length += (size_t)length;
	}
	va_end(again);
}

const char *
buf_text(struct buf *buf)
{
	if (buf->failed || !buf->data)
		return "";
	buf->data[buf->length] = '\0';
	return buf->data;
}

void
buf_clear(struct buf *buf)
{
	buf->length = 0;
	buf->failed = false;
}

void
buf_fini(struct buf *buf)
{
	if (!buf)
		return;
	free(buf->data);
	*buf = (struct buf){0};
}

/* Files of /proc have no size to ask for, so: read until there is no more. */
static int
read_all(struct buf *buf, int fd, size_t limit)
{
	size_t start = buf->length;

	for (;;) {
		char *end = buf_reserve(buf, READ_BYTES);
		ssize_t got;

		if (!end)
			return -ENOMEM;
		got = read(fd, end, READ_BYTES);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return 0;
		buf->length += (size_t)got;
		if (buf->length - start > limit)
			return -EFBIG;
	}
}

int
buf_read_file(struct buf *buf, const char *path, size_t limit)
{
	int fd cleanup(fd_drop) = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t start = buf->length;
	int err;

	if (fd < 0)
		return -errno;
	err = read_all(buf, fd, limit);
	if (err)
		buf->length = start;
	return err;
}
