/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ringbuf.h - reads one ring buffer of the kernel, and says so only when told to.
 *
 * libbpf gives a record back to the kernel as soon as its callback returns. Here
 * reading and giving back are two steps: what was read but not released is still
 * there for the next process when this one is killed. The data is mapped once (twice,
 * as libbpf does it, counts twice in the resident memory), so the record that wraps
 * round the end is joined in a copy.
 *
 *	ringbuf_look(ring);
 *	while (ringbuf_peek(ring, &record, &length) == RINGBUF_RECORD) {
 *		...
 *		ringbuf_advance(ring);
 *	}
 *	ringbuf_release(ring);
 *
 * Positions count bytes since the ring was made and never wrap.
 */
#ifndef RINGBUF_H
#define RINGBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RINGBUF_JOINED_BYTES 65536 /* no wire record is longer: its size is 16 bits wide */

enum ringbuf_state {
	RINGBUF_EMPTY,  /* nothing more as of the last look */
	RINGBUF_BUSY,   /* the next record has its place but is still being written */
	RINGBUF_RECORD, /* here it is */
};

struct ringbuf {
	uint64_t *consumer;       /* what lies before it, the kernel may write over */
	const uint64_t *producer; /* what lies behind it is not given out yet */
	const unsigned char *data;
	uint64_t bytes;     /* of data: a power of two */
	uint64_t position;  /* of the next record to be read */
	uint64_t limit;     /* the producer's position at the last look */
	const void *record; /* the one at position, once it was peeked at */
	size_t length;      /* its */
	size_t page_bytes;  /* of the mappings; 0: the memory is the caller's */
	_Alignas(8) unsigned char joined[RINGBUF_JOINED_BYTES];
};

/* Map the ring behind a map's descriptor; its size is the map's. 0 or -errno. */
int ringbuf_open(struct ringbuf *ring, int fd);
/* The same on memory of the caller's, which outlives it. bytes is a power of two. */
void ringbuf_init(struct ringbuf *ring, uint64_t *consumer, const uint64_t *producer,
		  const void *data, uint64_t bytes);
void ringbuf_close(struct ringbuf *ring);

/* Take note of how far the ring is filled: peeking stops there. */
void ringbuf_look(struct ringbuf *ring);
/*
 * The next record, which stays where it is, without those that were discarded. It
 * is the ring's memory and may be read until it is released, or joined and then
 * read until the next peek.
 */
enum ringbuf_state ringbuf_peek(struct ringbuf *ring, const void **record, size_t *length);
void ringbuf_advance(struct ringbuf *ring); /* past the record that was peeked at */

/* Give back what was advanced past. */
void ringbuf_release(struct ringbuf *ring);
bool ringbuf_is_released(const struct ringbuf *ring);
/* Did the kernel hand out more since the last look? */
bool ringbuf_has_grown(const struct ringbuf *ring);

/* Is there a record's boundary at position, not released yet, everything before it written? */
bool ringbuf_reaches(const struct ringbuf *ring, uint64_t position);
void ringbuf_seek(struct ringbuf *ring, uint64_t position); /* which ringbuf_reaches() */

#endif /* RINGBUF_H */
