/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* recording.h - the file format that recorder and replay share; described in source.h. */
#ifndef SOURCE_RECORDING_H
#define SOURCE_RECORDING_H

#include <stdint.h>

#include "wire.h"

#define RECORDING_MAGIC        "DEMARCR1"
#define RECORDING_MAGIC_BYTES  8
#define RECORDING_FAMILY_BYTES 7 /* of the magic; the last one is the version */
#define RECORDING_ALIGN        8
#define RECORDING_RECORD_BYTES 4096u         /* no record is longer */
#define RECORDING_BLOCK_BYTES  (64u << 10)   /* no block's records are longer */
#define RECORDING_HEADER_BYTES 4096u         /* no header is longer */
#define RECORDING_TEXT_BYTES   (256ul << 20) /* no text is longer */

struct recording_block {
	uint32_t bytes; /* 0: the end */
	uint32_t crc;
};

struct recording_end {
	uint64_t records;
};

static inline uint32_t
recording_padded(uint32_t bytes)
{
	return (bytes + RECORDING_ALIGN - 1) & ~(uint32_t)(RECORDING_ALIGN - 1);
}

#endif /* SOURCE_RECORDING_H */
