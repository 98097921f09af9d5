/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * segment.c - the format on disk, complete.
 *
 *	DIRECTORY/<YYYY-MM-DD>[.<incarnation>]/NNNNNNNN.seg
 *
 * A folder is a shard, its segments are numbered from 00000000. All numbers are
 * little-endian and aligned to their size. A segment is a header, then frames.
 *
 *	header, 1024 bytes
 *	     0	char[8]	  magic "DEMARCJ1"
 *	     8	u32	  version, 1; 2: compressed
 *	    12	u32	  header_bytes: offset of the first frame, 1024
 *	    16	u64	  first_sequence
 *	    24	i64	  created, ms since 1970
 *	    32	char[128] cluster   \
 *	   160	char[256] node	     > text, padded with NUL
 *	   416	char[424] log_name  /
 *	   840	u64	  of a compressed segment: its size before, else 0
 *	   848	u64	  of a compressed segment: the sequence behind its last entry, else 0
 *	   856	zeroes
 *	  1020	u32	  CRC-32 of the 1020 bytes before
 *
 *	frame, at offsets divisible by 8
 *	     0	u32	  length of the entry, 1 to 16384
 *	     4	u32	  CRC-32 of frame bytes 8 to 40 + length
 *	     8	u64	  sequence: place in the shard, from 0
 *	    16	u64	  durable: all lower sequences were synced when this was written
 *	    24	i64	  logged, ms since 1970
 *	    32	u32	  class: 0 bulk, 1 critical
 *	    36	u32	  0
 *	    40	the entry: one canonical JSON object; then zeroes up to a multiple of 8
 *
 * A compressed segment has blocks in the place of frames, at offsets divisible by 8
 *	     0	char[4]	  magic "DMZ1"
 *	     4	u32	  CRC-32 of the 16 bytes behind
 *	     8	u32	  length of the zlib stream
 *	    12	u32	  bytes of frames in it
 *	    16	u64	  where these stood in the segment
 *	    24	the stream: whole frames; then zeroes up to a multiple of 8
 *
 * CRC-32 is that of zlib (and gzip, and Python's zlib.crc32).
 *
 * A segment counts up to the first_sequence of the next one in its shard: after a
 * failed write or sync the entries not acknowledged are written again there, and
 * what the older file still holds of them is superseded.
 *
 * durable tells a crash from damage: a bad frame that no later frame calls
 * durable was never acknowledged, and it and what follows are cut.
 */
#include "segment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "pack.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the format is little-endian");

#define FRAME_ALIGN  8
#define WINDOW_BYTES ((size_t)256 * 1024)

static uint32_t
checksum(const void *bytes, size_t length)
{
	return (uint32_t)crc32_z(crc32_z(0, NULL, 0), bytes, length);
}

void
segment_header_fill(struct segment_header *header, const struct segment_identity *identity,
		    uint64_t first_sequence, int64_t created_ms)
{
	memset(header, 0, sizeof(*header));
	memcpy(header->magic, SEGMENT_MAGIC, sizeof(header->magic));
	header->version = SEGMENT_VERSION;
	header->header_bytes = sizeof(*header);
	header->first_sequence = first_sequence;
	header->created_ms = created_ms;
	strncpy(header->cluster, identity->cluster, sizeof(header->cluster) - 1);
	strncpy(header->node, identity->node, sizeof(header->node) - 1);
	strncpy(header->log_name, identity->log_name, sizeof(header->log_name) - 1);
	header->crc = checksum(header, offsetof(struct segment_header, crc));
}

void
segment_header_pack(struct segment_header *header, uint64_t raw_bytes, uint64_t next_sequence)
{
	header->version = SEGMENT_PACKED;
	header->raw_bytes = raw_bytes;
	header->next_sequence = next_sequence;
	header->crc = checksum(header, offsetof(struct segment_header, crc));
}

int
segment_header_check(const struct segment_header *header)
{
	if (memcmp(header->magic, SEGMENT_MAGIC, sizeof(header->magic)) != 0 ||
	    header->crc != checksum(header, offsetof(struct segment_header, crc)))
		return -EBADMSG;
	if ((header->version != SEGMENT_VERSION && header->version != SEGMENT_PACKED) ||
	    header->header_bytes != sizeof(*header))
		return -ENOTSUP;
	if (header->cluster[SEGMENT_CLUSTER - 1] || header->node[SEGMENT_NODE - 1] ||
	    header->log_name[SEGMENT_LOG_NAME - 1])
		return -EBADMSG;
	return 0;
}

size_t
frame_size(uint32_t length)
{
	size_t size = sizeof(struct frame_header) + length;

	return (size + FRAME_ALIGN - 1) / FRAME_ALIGN * FRAME_ALIGN;
}

static uint32_t
frame_crc(const char *bytes, uint32_t length)
{
	size_t start = offsetof(struct frame_header, sequence);

	return checksum(bytes + start, sizeof(struct frame_header) - start + length);
}

void
frame_seal(struct frame_header *head, uint64_t durable)
{
	head->durable = durable;
	head->crc = frame_crc((const char *)head, head->length);
}

int
frame_check(struct frame *out, const char *bytes, size_t length)
{
	struct frame_header head;

	if (length < sizeof(head))
		return 0;
	memcpy(&head, bytes, sizeof(head));
	if (head.length == 0 || head.length > JOURNAL_ENTRY_BYTES)
		return -EBADMSG;
	if (frame_size(head.length) > length)
		return 0;
	if (head.crc != frame_crc(bytes, head.length))
		return -EBADMSG;
	out->head = head;
	out->bytes = bytes + sizeof(head);
	return 1;
}

/* Adds what follows the window. Bytes, 0 at the end, or -errno. */
static ssize_t
load(struct scan *scan)
{
	struct buf *window = &scan->window;
	uint64_t at = scan->base + window->length;
	ssize_t got;
	char *end;

	if (scan->pack)
		return pack_read(scan->pack, at, window);
	if (!(end = buf_reserve(window, WINDOW_BYTES)))
		return -ENOMEM;
	do
		got = pread(scan->fd, end, WINDOW_BYTES, (off_t)at);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	window->length += (size_t)got;
	return got;
}

/* Have want bytes from the current place in the window, if the file has them. */
static ssize_t
fill(struct scan *scan, size_t want)
{
	struct buf *window = &scan->window;
	size_t used = (size_t)(scan->at - scan->base);
	ssize_t got;

	if (used > window->length) {
		used = window->length = 0;
		scan->base = scan->at;
	}
	if (window->length - used >= want)
		return (ssize_t)(window->length - used);

	if (used)
		memmove(window->data, window->data + used, window->length - used);
	window->length -= used;
	scan->base += used;
	do
		got = load(scan);
	while (got > 0 && window->length < want);
	return got < 0 ? got : (ssize_t)window->length;
}

/* A damaged header does not say whether blocks follow: they do when there are any. */
static int
open_pack(struct scan *scan)
{
	bool is_known = !scan->header_error;
	int error = pack_open(&scan->pack, scan->fd, is_known ? scan->header.raw_bytes : 0);

	if (error || is_known || pack_blocks(scan->pack))
		return error;
	pack_close(scan->pack);
	scan->pack = NULL;
	return 0;
}

int
scan_open(struct scan *scan, int fd)
{
	ssize_t got;
	int error;

	*scan = (struct scan){.fd = fd};
	got = fill(scan, sizeof(scan->header));
	if (got < 0) {
		scan_fini(scan);
		return (int)got;
	}
	scan->at = sizeof(scan->header);
	if ((size_t)got < sizeof(scan->header)) {
		scan->header_error = -ENODATA;
		return 0;
	}
	memcpy(&scan->header, scan->window.data, sizeof(scan->header));
	scan->header_error = segment_header_check(&scan->header);
	if (scan->header_error ? scan->header_error != -EBADMSG
			       : scan->header.version != SEGMENT_PACKED)
		return 0;
	scan->base = scan->at;
	buf_clear(&scan->window);
	error = open_pack(scan);
	if (error)
		scan_fini(scan);
	return error;
}

void
scan_fini(struct scan *scan)
{
	buf_fini(&scan->window);
	pack_close(scan->pack);
	if (scan->fd >= 0)
		close(scan->fd);
	*scan = (struct scan){.fd = -1};
}

int
scan_next(struct scan *scan, struct frame *out)
{
	ssize_t got = fill(scan, frame_size(JOURNAL_ENTRY_BYTES));
	int found;

	if (got < 0)
		return (int)got;
	if (got == 0)
		return 0;
	found = frame_check(out, scan->window.data + (scan->at - scan->base), (size_t)got);
	if (found == 1)
		scan->at += frame_size(out->head.length);
	return found;
}

static void
rewind_to(struct scan *scan, uint64_t at)
{
	scan->at = scan->base = at;
	scan->window.length = 0;
}

int
scan_resync(struct scan *scan, uint64_t floor)
{
	uint64_t start = scan->at;
	struct frame frame;
	ssize_t got;

	for (;;) {
		scan->at += FRAME_ALIGN;
		got = fill(scan, frame_size(JOURNAL_ENTRY_BYTES));
		if (got < (ssize_t)sizeof(struct frame_header))
			break;
		if (frame_check(&frame, scan->window.data + (scan->at - scan->base), (size_t)got) ==
			    1 &&
		    frame.head.sequence >= floor)
			return 1;
	}
	rewind_to(scan, start);
	return got < 0 ? (int)got : 0;
}

int
scan_skip(struct scan *scan, uint64_t expected)
{
	uint64_t bad = scan->at, good, durable = 0;
	struct frame frame;
	int found = scan_resync(scan, expected);

	good = scan->at;
	while (found == 1) {
		while ((found = scan_next(scan, &frame)) == 1)
			durable = frame.head.durable > durable ? frame.head.durable : durable;
		if (found == -EBADMSG || found == 0)
			found = scan_resync(scan, expected);
	}
	if (found < 0)
		return found;
	rewind_to(scan, durable > expected ? good : bad);
	return durable > expected;
}

uint64_t
scan_rest(const struct scan *scan)
{
	struct stat status;

	if (scan->pack)
		return pack_size(scan->pack) > scan->at ? pack_size(scan->pack) - scan->at : 0;
	if (fstat(scan->fd, &status) < 0 || (uint64_t)status.st_size < scan->at)
		return 0;
	return (uint64_t)status.st_size - scan->at;
}
