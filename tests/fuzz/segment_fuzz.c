/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* segment_fuzz.c - any bytes as a segment, compressed or not: read it, and walk it as recovery
 * does. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "journal/pack.h"
#include "journal/segment.h"

/* Checksums stop a fuzzer at once: mend those of the header and of the frames in a row. */
static void
mend(uint8_t *bytes, size_t length)
{
	struct segment_identity identity = {"c", "n", "c/n/2026-11-23"};
	size_t at = sizeof(struct segment_header);
	struct frame_header head;

	if (length < at)
		return;
	segment_header_fill((void *)bytes, &identity, bytes[16], 1);
	for (; at + sizeof(head) <= length; at += frame_size(head.length)) {
		memcpy(&head, bytes + at, sizeof(head));
		if (head.length == 0 || head.length > length - at - sizeof(head))
			return;
		frame_seal((void *)(bytes + at), head.durable);
	}
}

/* Blocks in a row of any streams; their places are theirs. */
static void
mend_blocks(uint8_t *bytes, size_t length)
{
	size_t at = sizeof(struct segment_header);
	struct pack_block block;

	if (length < at)
		return;
	segment_header_pack((void *)bytes, at + bytes[17] * 64u, bytes[18]);
	for (; at + sizeof(block) <= length; at += pack_block_size(block.packed)) {
		memcpy(&block, bytes + at, sizeof(block));
		pack_block_seal(&block);
		memcpy(bytes + at, &block, sizeof(block));
		if (block.packed > length - at)
			return;
	}
}

static void
walk(int fd)
{
	uint64_t expected = 0;
	struct frame frame;
	struct scan scan;
	int found;

	if (scan_open(&scan, dup(fd)) < 0)
		abort();
	do {
		while ((found = scan_next(&scan, &frame)) == 1) {
			if (frame.head.length > JOURNAL_ENTRY_BYTES)
				abort();
			expected = frame.head.sequence + 1;
		}
	} while (scan_skip(&scan, expected) == 1);
	scan_fini(&scan);
}

static void
read_all(int fd)
{
	struct journal_reader *reader;
	struct error why = {0};
	const char *bytes;
	char path[32];
	size_t length, steps = 0;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (journal_reader_open(&reader, path, &why) < 0)
		return;
	while (journal_reader_next(reader, &bytes, &length, &why) != 0)
		if (++steps > 100000)
			abort(); /* damage is passed, so there is an end */
	journal_reader_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	uint8_t *copy;
	int fd;

	if (length < 1)
		return 0;
	copy = malloc(length);
	memcpy(copy, data + 1, length - 1);
	if (data[0] & 1)
		mend(copy, length - 1);
	if (data[0] & 2)
		mend_blocks(copy, length - 1);
	fd = memfd_create("segment", MFD_CLOEXEC);
	if (write(fd, copy, length - 1) == (ssize_t)length - 1) {
		walk(fd);
		read_all(fd);
	}
	close(fd);
	free(copy);
	return 0;
}
