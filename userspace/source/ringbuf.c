/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ringbuf - reads one ring buffer of the kernel, and says so only when told to. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ringbuf.h"

#define HEADER_BYTES 8 /* u32 length and flags, u32 of the kernel's own */
#define FLAGS        (BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT)

void
ringbuf_init(struct ringbuf *ring, uint64_t *consumer, const uint64_t *producer, const void *data,
	     uint64_t bytes)
{
	ring->consumer = consumer;
	ring->producer = producer;
	ring->data = data;
	ring->bytes = bytes;
	ring->position = ring->limit = *consumer; /* ours alone: nobody else writes it */
	ring->record = NULL;
	ring->page_bytes = 0;
}

/* The consumer's page is ours to write; the producer's page and the data are not. */
int
ringbuf_open(struct ringbuf *ring, int fd)
{
	struct bpf_map_info info = {0};
	uint32_t info_bytes = sizeof(info);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *ours, *theirs;

	if (bpf_obj_get_info_by_fd(fd, &info, &info_bytes) < 0)
		return -errno;
	ours = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ours == MAP_FAILED)
		return -errno;
	theirs = mmap(NULL, page + info.max_entries, PROT_READ, MAP_SHARED, fd, (off_t)page);
	if (theirs == MAP_FAILED) {
		int result = -errno;

		munmap(ours, page);
		return result;
	}
	ringbuf_init(ring, (uint64_t *)ours, (uint64_t *)theirs, theirs + page, info.max_entries);
	ring->page_bytes = page;
	return 0;
}

void
ringbuf_close(struct ringbuf *ring)
{
	if (!ring->page_bytes)
		return;
	munmap(ring->consumer, ring->page_bytes);
	munmap((void *)ring->producer, ring->page_bytes + ring->bytes);
	ring->page_bytes = 0;
}

void
ringbuf_look(struct ringbuf *ring)
{
	ring->limit = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
}

/* Length and flags, which the kernel writes last. */
static uint32_t
header_at(const struct ringbuf *ring, uint64_t position)
{
	const void *header = &ring->data[position & (ring->bytes - 1)];

	return __atomic_load_n((const uint32_t *)header, __ATOMIC_ACQUIRE);
}

static uint64_t
step_over(uint32_t header)
{
	return HEADER_BYTES + (((uint64_t)(header & ~FLAGS) + 7) & ~(uint64_t)7);
}

/* Where the record's bytes are, in one piece. */
static const void *
bytes_at(struct ringbuf *ring, uint64_t position, size_t length)
{
	uint64_t offset = position & (ring->bytes - 1);
	size_t before_end = (size_t)(ring->bytes - offset);

	if (length <= before_end)
		return &ring->data[offset];
	memcpy(ring->joined, &ring->data[offset], before_end);
	memcpy(ring->joined + before_end, ring->data, length - before_end);
	return ring->joined;
}

/* The length is the kernel's word: longer than we have room for, it is none of our records. */
static bool
is_ours(uint32_t header)
{
	return !(header & BPF_RINGBUF_DISCARD_BIT) && header <= RINGBUF_JOINED_BYTES;
}

enum ringbuf_state
ringbuf_peek(struct ringbuf *ring, const void **record, size_t *length)
{
	while (!ring->record) {
		uint32_t header;

		if (ring->position >= ring->limit)
			return RINGBUF_EMPTY;
		header = header_at(ring, ring->position);
		if (header & BPF_RINGBUF_BUSY_BIT)
			return RINGBUF_BUSY;
		if (!is_ours(header)) {
			ring->position += step_over(header);
			continue;
		}
		ring->length = header;
		ring->record = bytes_at(ring, ring->position + HEADER_BYTES, header);
	}
	*record = ring->record;
	*length = ring->length;
	return RINGBUF_RECORD;
}

void
ringbuf_advance(struct ringbuf *ring)
{
	ring->position += step_over((uint32_t)ring->length);
	ring->record = NULL;
}

void
ringbuf_release(struct ringbuf *ring)
{
	__atomic_store_n(ring->consumer, ring->position, __ATOMIC_RELEASE);
}

bool
ringbuf_is_released(const struct ringbuf *ring)
{
	return *ring->consumer == ring->position;
}

bool
ringbuf_has_grown(const struct ringbuf *ring)
{
	return __atomic_load_n(ring->producer, __ATOMIC_SEQ_CST) != ring->limit;
}

bool
ringbuf_reaches(const struct ringbuf *ring, uint64_t position)
{
	uint64_t at = *ring->consumer, end = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);

	while (at < position && at < end) {
		uint32_t header = header_at(ring, at);

		if (header & BPF_RINGBUF_BUSY_BIT)
			return false;
		at += step_over(header);
	}
	return at == position;
}

void
ringbuf_seek(struct ringbuf *ring, uint64_t position)
{
	ring->position = position;
	ring->record = NULL;
}
