/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* pack.h - a compressed segment, read as the bytes that it was made of. */
#ifndef JOURNAL_PACK_H
#define JOURNAL_PACK_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

#define PACK_MAGIC     "DMZ1"
#define PACK_RAW_BYTES ((uint32_t)128 * 1024) /* a block is closed beyond this */
#define PACK_RAW_MAX   (PACK_RAW_BYTES + 32 * 1024)

/* Before each block of whole frames, at offsets divisible by 8. */
struct pack_block {
	char magic[4];
	uint32_t crc;    /* of what follows in here */
	uint32_t packed; /* bytes of the zlib stream behind it */
	uint32_t raw;    /* bytes of frames in it */
	uint64_t place;  /* where they stood in the segment */
};

_Static_assert(sizeof(struct pack_block) == 24, "the block is part of the format");

void pack_block_seal(struct pack_block *block);
/* Of header, stream and padding. */
size_t pack_block_size(uint32_t packed);

struct pack;

/* size: what its header says that it was, 0 when nobody knows. The descriptor stays the caller's.
 */
int pack_open(struct pack **out, int fd, uint64_t size);
void pack_close(struct pack *pack);

/*
 * Adds what stood from `at` on, a block or a part of one, to out. Blocks that are
 * damaged read as zeroes, which are no frames. Bytes, 0 at the end, or -errno.
 */
ssize_t pack_read(struct pack *pack, uint64_t at, struct buf *out);
/* Of the segment as it was; as much as is known. */
uint64_t pack_size(const struct pack *pack);
size_t pack_blocks(const struct pack *pack);

#endif /* JOURNAL_PACK_H */
