/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* segment.h - the bytes of a segment: its header, its frames, and a walk over a file of them. */
#ifndef JOURNAL_SEGMENT_H
#define JOURNAL_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "journal.h"

#define SEGMENT_MAGIC     "DEMARCJ1"
#define SEGMENT_VERSION   1
#define SEGMENT_PACKED    2 /* the version of a compressed one */
#define SEGMENT_CLUSTER   128
#define SEGMENT_NODE      256
#define SEGMENT_LOG_NAME  424
#define SEGMENT_TEMPORARY ".tmp" /* the end of the name of what is not finished */

struct segment_header {
	char magic[8];
	uint32_t version;
	uint32_t header_bytes; /* where the first frame begins */
	uint64_t first_sequence;
	int64_t created_ms; /* wall clock */
	char cluster[SEGMENT_CLUSTER];
	char node[SEGMENT_NODE];
	char log_name[SEGMENT_LOG_NAME];
	uint64_t raw_bytes;     /* of a compressed one: its size before */
	uint64_t next_sequence; /* of a compressed one: behind its last entry */
	char pad[160];
	uint32_t pad2;
	uint32_t crc;
};

_Static_assert(sizeof(struct segment_header) == 1024, "the header is part of the format");

struct frame_header {
	uint32_t length;
	uint32_t crc;
	uint64_t sequence;
	uint64_t durable;
	int64_t logged_ms;
	uint32_t class;
	uint32_t pad;
};

_Static_assert(sizeof(struct frame_header) == 40, "the frame is part of the format");

#define FRAME_BYTES_MAX (sizeof(struct frame_header) + JOURNAL_ENTRY_BYTES)

/* A frame that was found good. bytes point into what was walked. */
struct frame {
	struct frame_header head;
	const char *bytes;
};

/* What makes one shard's segments differ from another's. */
struct segment_identity {
	const char *cluster;
	const char *node;
	const char *log_name;
};

void segment_header_fill(struct segment_header *header, const struct segment_identity *identity,
			 uint64_t first_sequence, int64_t created_ms);
/* Of the compressed copy. */
void segment_header_pack(struct segment_header *header, uint64_t raw_bytes, uint64_t next_sequence);
/* 0, -EBADMSG when it is damaged, -ENOTSUP when a newer program wrote it. */
int segment_header_check(const struct segment_header *header);

/* Of header, bytes and padding together. */
size_t frame_size(uint32_t length);

/* Fill in durable and checksum; the bytes follow the header in memory. */
void frame_seal(struct frame_header *head, uint64_t durable);

/* 1 and *out for a good frame, 0 when it goes on beyond length, -EBADMSG when it is no frame. */
int frame_check(struct frame *out, const char *bytes, size_t length);

/*
 * A walk over the frames of one file, through a window of it. Offsets in a
 * compressed one are those of the segment that it was.
 */
struct pack;
struct scan {
	int fd;
	struct pack *pack; /* NULL: it is not compressed */
	uint64_t at;       /* offset of the next frame */
	uint64_t base;     /* offset of window's first byte */
	struct buf window;
	struct segment_header header;
	int header_error; /* what segment_header_check() said; -ENODATA: cut short */
};

/* Takes fd over, also when it fails. */
int scan_open(struct scan *scan, int fd);
void scan_fini(struct scan *scan);

/* 1 and *out; 0 at the end of what is there, a tail cut short included; -EBADMSG; -errno. */
int scan_next(struct scan *scan, struct frame *out);

/* Move to the next good frame behind the current place, with at least that sequence. 1, 0 when
 * there is none (the place is then as before), or -errno. */
int scan_resync(struct scan *scan, uint64_t floor);

/*
 * At a bad place where entry `expected` should be: move behind it as above, but
 * only if a later frame says that `expected` had been synced. 0: it had not, so
 * this is the torn tail of writes that nobody was told of.
 */
int scan_skip(struct scan *scan, uint64_t expected);

/* Bytes from the current place to the end. */
uint64_t scan_rest(const struct scan *scan);

#endif /* JOURNAL_SEGMENT_H */
