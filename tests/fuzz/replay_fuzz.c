/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * replay_fuzz - any bytes as a recording; those that begin with a blank as the
 * records of a block whose frame is sound.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "event.h"
#include "source.h"
#include "source/recording.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
see(const struct wire_head *record, void *arg)
{
	event_decode(arg, record);
}

static void
put(int fd, const void *bytes, size_t length)
{
	if (write(fd, bytes, length) != (ssize_t)length)
		abort();
}

/* Header, one block, and no end mark. */
static void
put_framed(int fd, const uint8_t *data, size_t size)
{
	struct recording_header header = {.header_bytes = sizeof(header)};
	struct recording_block block = {.bytes = (uint32_t)size & ~7u};

	memcpy(header.magic, RECORDING_MAGIC, RECORDING_MAGIC_BYTES);
	block.crc = (uint32_t)crc32(0, (const Bytef *)&header, sizeof(header));
	block.crc = (uint32_t)crc32(block.crc, data, block.bytes);
	put(fd, &header, sizeof(header));
	put(fd, &block, sizeof(block));
	put(fd, data, block.bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct event event;
	struct source *source;
	struct error why;
	char path[64];
	int result, fd = memfd_create("recording", MFD_CLOEXEC);

	if (fd < 0)
		abort();
	if (size && data[0] == ' ')
		put_framed(fd, data + 1, size - 1);
	else
		put(fd, data, size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!replay_open(&source, path, &why)) {
		do
			result = source->ops->drain(source, 16, see, &event);
		while (result > 0);
		if ((result == -ENODATA) == (replay_error(source) != NULL))
			abort(); /* damage without a word, or the other way round */
		source->ops->close(source);
	}
	close(fd);
	return 0;
}
