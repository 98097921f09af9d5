/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ring - the kernel's rings and table of flows as one ordered source.
 *
 * Both rings are drained into memory and merged by time, so that a flow is not
 * judged before the exec that explains it. libbpf hands out one ring after the
 * other, hence the copy.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "probes_private.h"
#include "sequence.h"
#include "sweep.h"

#define ARENA_BYTES    (4u << 20) /* records of one drain */
#define ORDER_MAX      16384
#define SWEEP_EVERY_NS 1000000000ull

struct ring {
	struct source source;
	struct probes *probes;
	struct ring_buffer *rings[2]; /* critical, bulk */
	struct sequences *sequences;
	struct sweep *sweep;
	bool sweeping;
	uint64_t swept_ns;
	struct wire_sum told[2]; /* overflow totals that a gap has reported */
	uint64_t told_ns;
	uint64_t dropped_told[WIRE_KIND_MAX]; /* only where sequences are approximate */
	size_t limit;                         /* of count, for the ring that is being read */
	bool cut_short;                       /* this drain left records behind */
	char *arena;
	size_t used;
	size_t count;
	struct wire_head *order[ORDER_MAX];
	int epoll_fd;
};

/* libbpf stops after the record whose callback returns less than 0. */
static int
collect(void *arg, void *data, size_t size)
{
	struct ring *ring = arg;
	struct wire_head *copy = (struct wire_head *)(ring->arena + ring->used);

	memcpy(copy, data, size);
	ring->used += (size + 7) & ~(size_t)7;
	ring->order[ring->count++] = copy;
	sequence_note(ring->sequences, copy);
	if (ring->count < ring->limit && ring->used + 8192 <= ARENA_BYTES)
		return 0;
	ring->cut_short = true;
	return -ENOSPC;
}

static int
by_time(const void *a, const void *b)
{
	const struct wire_head *x = *(struct wire_head *const *)a,
			       *y = *(struct wire_head *const *)b;

	return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

static int
fd(const struct source *source)
{
	return ((const struct ring *)source)->epoll_fd;
}

static void
gap_from_total(const struct ring *ring, const struct wire_sum *now, struct wire_sum *told,
	       uint64_t now_ns, record_fn fn, void *arg)
{
	struct wire_gap gap = {
		.head = {.kind = WIRE_GAP,
			 .size = sizeof(gap),
			 .cpu = UINT32_MAX,
			 .time_ns = now_ns},
		.loss = WIRE_LOSS_TABLE,
		.missing_kind = WIRE_FLOW,
		.count = now->flows - told->flows,
		.from_ns = ring->told_ns,
		.to_ns = now_ns,
		.bytes = now->bytes - told->bytes,
		.packets = now->packets - told->packets,
	};

	if (gap.count || gap.packets)
		fn(&gap.head, arg);
	*told = *now;
}

static uint64_t
issued(unsigned int cpu, unsigned int kind, void *arg)
{
	const struct ring *ring = arg;

	return ring->probes->counters[cpu * WIRE_KIND_MAX + kind].issued;
}

/* Without exact sequence numbers a hole shows only as a number of drops. */
static void
tell_dropped(struct ring *ring, uint64_t now_ns, record_fn fn, void *arg)
{
	for (unsigned int kind = 0; kind < WIRE_KIND_MAX; kind++) {
		struct wire_gap gap = {
			.head = {.kind = WIRE_GAP,
				 .size = sizeof(gap),
				 .cpu = UINT32_MAX,
				 .time_ns = now_ns},
			.loss = WIRE_LOSS_RING,
			.missing_kind = kind,
			.from_ns = ring->told_ns,
			.to_ns = now_ns,
		};
		struct wire_counters c;

		probes_counters(ring->probes, kind, &c);
		gap.count = c.dropped - ring->dropped_told[kind];
		ring->dropped_told[kind] = c.dropped;
		if (gap.count)
			fn(&gap.head, arg);
	}
}

static void
tell_holes(struct ring *ring, bool flush, uint64_t now_ns, record_fn fn, void *arg)
{
	if (!ring->probes->approximate)
		sequence_gaps(ring->sequences, flush, now_ns, flush ? issued : NULL, ring, fn, arg);
}

/* Flows that met a full table are told as sums, once a round. */
static void
tell_overflow(struct ring *ring, uint64_t now_ns, record_fn fn, void *arg)
{
	const enum wire_total which[2] = {WIRE_TOTAL_TABLE_FULL_OWN, WIRE_TOTAL_TABLE_FULL_FOREIGN};
	struct wire_sum now;

	for (size_t i = 0; i < 2; i++) {
		probes_total(ring->probes, which[i], &now);
		gap_from_total(ring, &now, &ring->told[i], now_ns, fn, arg);
	}
	if (ring->probes->approximate)
		tell_dropped(ring, now_ns, fn, arg);
	ring->told_ns = now_ns;
}

static int
drain(struct source *source, int budget, record_fn fn, void *arg)
{
	struct ring *ring = (struct ring *)source;
	uint64_t now_ns;

	ring->used = 0;
	ring->count = 0;
	ring->cut_short = false;
	if (budget > ORDER_MAX)
		budget = ORDER_MAX;
	for (size_t i = 0; i < 2; i++) {
		ring->limit =
			(size_t)budget * (i + 1) / 2; /* half each, the second takes what is left */
		ring_buffer__consume(ring->rings[i]);
	}
	qsort(ring->order, ring->count, sizeof(ring->order[0]), by_time);
	for (size_t i = 0; i < ring->count; i++)
		fn(ring->order[i], arg);
	now_ns = clock_boot_ns();
	if (!ring->cut_short) /* else what is missing may just be unread */
		tell_holes(ring, false, now_ns, fn, arg);
	if (!ring->sweeping && now_ns - ring->swept_ns > SWEEP_EVERY_NS) {
		ring->sweeping = true;
		ring->swept_ns = now_ns;
		tell_overflow(ring, now_ns, fn, arg);
	}
	if (ring->sweeping)
		ring->sweeping = sweep_step(ring->sweep, now_ns, fn, arg);
	return (int)ring->count;
}

bool
ring_sleep(struct source *source)
{
	struct ring *ring = (struct ring *)source;

	if (ring->sweeping)
		return false;
	__atomic_store_n(&ring->probes->settings->waiting, 1, __ATOMIC_SEQ_CST);
	return true;
}

void
ring_finish(struct source *source, record_fn fn, void *arg)
{
	struct ring *ring = (struct ring *)source;
	uint64_t now_ns;

	while (drain(source, ORDER_MAX, fn, arg) > 0)
		;
	now_ns = clock_boot_ns();
	sweep_all(ring->sweep, now_ns, fn, arg);
	tell_overflow(ring, now_ns, fn, arg);
	tell_holes(ring, true, now_ns, fn, arg);
}

static void
close_ring(struct source *source)
{
	struct ring *ring = (struct ring *)source;

	for (size_t i = 0; i < 2; i++)
		ring_buffer__free(ring->rings[i]);
	if (ring->epoll_fd >= 0)
		close(ring->epoll_fd);
	sequences_free(ring->sequences);
	sweep_free(ring->sweep);
	free(ring->arena);
	free(ring);
}

static const struct source_ops ring_ops = {"ring", fd, drain, close_ring};

static int
set_up(struct ring *ring, const struct ring_options *options)
{
	const char *const names[2] = {"ring_critical", "ring_bulk"};
	int result = sequences_new(&ring->sequences, ring->probes->cpus);

	if (!result)
		result = sweep_new(&ring->sweep, ring->probes, options);
	ring->arena = malloc(ARENA_BYTES);
	ring->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (result || !ring->arena || ring->epoll_fd < 0)
		return -ENOMEM;
	for (size_t i = 0; i < 2; i++) {
		struct epoll_event event = {.events = EPOLLIN};

		ring->rings[i] = ring_buffer__new(probes_map_fd(ring->probes, names[i]), collect,
						  ring, NULL);
		if (!ring->rings[i])
			return -errno;
		if (epoll_ctl(ring->epoll_fd, EPOLL_CTL_ADD, ring_buffer__epoll_fd(ring->rings[i]),
			      &event) < 0)
			return -errno;
	}
	return 0;
}

int
ring_open(struct source **out, struct probes *probes, const struct ring_options *options,
	  struct error *why)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	int result;

	if (!ring)
		return -ENOMEM;
	ring->source.ops = &ring_ops;
	ring->probes = probes;
	ring->told_ns = clock_boot_ns();
	result = set_up(ring, options);
	if (result < 0) {
		close_ring(&ring->source);
		return error_set(why, result, "cannot map the rings: %s", strerror(-result));
	}
	*out = &ring->source;
	return 0;
}
