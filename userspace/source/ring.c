/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ring - the kernel's rings and table of flows as one ordered source.
 *
 * Both rings are drained into memory and merged by time, so that a flow is not
 * judged before the exec that explains it, nor closed before it opened. libbpf
 * hands out one ring after the other, and the kernel goes on writing meanwhile:
 * so what is younger than the drain, or than the last record of a ring that was
 * not read to its end, is carried over to the next.
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

#define ARENA_BYTES    (8u << 20) /* room for the records of one drain and those carried over */
#define ORDER_MAX      32768
#define BUDGET_MAX     8192
#define RECORD_ROOM    4096 /* more than any record is long */
#define SWEEP_EVERY_NS 1000000000ull

struct ring {
	struct source source;
	struct probes *probes;
	struct ring_buffer *rings[2]; /* critical, bulk */
	bool unread[2];               /* the last drain left records behind in it */
	uint64_t last_ns[2];          /* time of the last record read from it */
	int behind;                   /* of those left unread, the older one; or -1 */
	struct sequences *sequences;
	struct sweep *sweep;
	bool sweeping;
	uint64_t swept_ns;
	struct wire_sum told[2]; /* overflow totals that a gap has reported */
	uint64_t told_ns;
	uint64_t dropped_told[WIRE_KIND_MAX]; /* only where sequences are approximate */
	char *arena;
	char *spare; /* what is carried over moves there, and the two change places */
	size_t used;
	size_t count;       /* records in order[]: carried over, then collected */
	size_t limit;       /* of count, for the ring that is being read */
	size_t limit_bytes; /* of used */
	bool full;          /* a limit ended the reading */
	struct wire_head *order[ORDER_MAX];
	int epoll_fd;
};

static bool
has_room(const struct ring *ring)
{
	return ring->count < ring->limit && ring->used + RECORD_ROOM <= ring->limit_bytes;
}

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
	if (has_room(ring))
		return 0;
	ring->full = true;
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

static struct slot_counts
counts_of(unsigned int cpu, unsigned int kind, void *arg)
{
	const struct ring *ring = arg;
	const volatile struct wire_counters *c =
		&ring->probes->counters[cpu * WIRE_KIND_MAX + kind];

	return (struct slot_counts){.issued = c->issued, .dropped = c->dropped};
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
		sequence_gaps(ring->sequences, flush, now_ns, counts_of, ring, fn, arg);
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

static void
read_ring(struct ring *ring, int which)
{
	size_t before = ring->count;

	ring->full = !has_room(ring);
	if (!ring->full)
		ring_buffer__consume(ring->rings[which]);
	if (ring->count > before)
		ring->last_ns[which] = ring->order[ring->count - 1]->time_ns;
	ring->unread[which] = ring->full;
}

/*
 * Fill order[] from both rings: half the room for the first, the rest for the
 * second. When much is carried over, only the ring that holds the other back is
 * read. Returns the time up to which nothing can be missing.
 */
static uint64_t
collect_all(struct ring *ring, size_t budget)
{
	bool crowded = ring->count > ORDER_MAX / 2 || ring->used > ARENA_BYTES / 2;
	int only = crowded ? ring->behind : -1;
	uint64_t bound_ns = clock_boot_ns();

	ring->limit_bytes = only < 0 ? ARENA_BYTES / 4 * 3 : ARENA_BYTES;
	for (int i = 0; i < 2; i++) {
		ring->limit = ring->count + (i || only == i ? budget : budget / 2);
		if (only < 0 || only == i)
			read_ring(ring, i);
		else
			ring->unread[i] = true;
	}
	ring->behind = -1;
	for (int i = 0; i < 2; i++) {
		if (!ring->unread[i] || ring->last_ns[i] >= bound_ns)
			continue;
		bound_ns = ring->last_ns[i];
		ring->behind = i;
	}
	return bound_ns;
}

/* Keep what begins at order[first] for the next drain. */
static void
carry_over(struct ring *ring, size_t first)
{
	char *arena = ring->spare;
	size_t count = 0, used = 0;

	for (size_t i = first; i < ring->count; i++) {
		struct wire_head *copy = (struct wire_head *)(arena + used);

		memcpy(copy, ring->order[i], ring->order[i]->size);
		used += (copy->size + 7u) & ~7u;
		ring->order[count++] = copy;
	}
	ring->spare = ring->arena;
	ring->arena = arena;
	ring->used = used;
	ring->count = count;
}

/* An uplink that came or went is a change of coverage: the journal must know. */
static void
tend_uplinks(struct ring *ring, uint64_t now_ns, record_fn fn, void *arg)
{
	struct {
		struct wire_agent agent;
		char text[WIRE_TEXT_BYTES];
	} record = {.agent = {.head = {.kind = WIRE_AGENT,
				       .size = sizeof(record),
				       .cpu = UINT32_MAX,
				       .time_ns = now_ns},
			      .life = WIRE_LIFE_COVERAGE}};

	if (!uplinks_tend(ring->probes, record.text, sizeof(record.text)))
		return;
	record.agent.text.offset = sizeof(record.agent);
	record.agent.text.length = (uint16_t)strlen(record.text);
	fn(&record.agent.head, arg);
}

static void
sweep_a_part(struct ring *ring, uint64_t now_ns, record_fn fn, void *arg)
{
	if (!ring->sweeping && now_ns - ring->swept_ns > SWEEP_EVERY_NS) {
		ring->sweeping = true;
		ring->swept_ns = now_ns;
		tell_overflow(ring, now_ns, fn, arg);
		tend_uplinks(ring, now_ns, fn, arg);
	}
	if (ring->sweeping)
		ring->sweeping = sweep_step(ring->sweep);
}

static int
drain(struct source *source, int budget, record_fn fn, void *arg)
{
	struct ring *ring = (struct ring *)source;
	uint64_t bound_ns = collect_all(ring, budget < BUDGET_MAX ? (size_t)budget : BUDGET_MAX);
	uint64_t now_ns;
	size_t done = 0;

	qsort(ring->order, ring->count, sizeof(ring->order[0]), by_time);
	while (done < ring->count && ring->order[done]->time_ns <= bound_ns)
		fn(ring->order[done++], arg);
	carry_over(ring, done);
	now_ns = clock_boot_ns();
	if (!ring->unread[0] && !ring->unread[1]) /* else what is missing may just be unread */
		tell_holes(ring, false, now_ns, fn, arg);
	sweep_a_part(ring, now_ns, fn, arg);
	return (int)done;
}

bool
ring_sleep(struct source *source)
{
	struct ring *ring = (struct ring *)source;

	if (ring->sweeping || ring->count)
		return false;
	__atomic_store_n(&ring->probes->settings->waiting, 1, __ATOMIC_SEQ_CST);
	return true;
}

void
ring_finish(struct source *source, record_fn fn, void *arg)
{
	struct ring *ring = (struct ring *)source;
	uint64_t now_ns;

	probes_stop(ring->probes); /* from here on nothing is counted that would not be told */
	while (drain(source, BUDGET_MAX, fn, arg) > 0 || ring->count)
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
	free(ring->spare);
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
	ring->spare = malloc(ARENA_BYTES);
	ring->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (result || !ring->arena || !ring->spare || ring->epoll_fd < 0)
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
	  const struct carry *carry, struct error *why)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	int result;

	if (!ring)
		return -ENOMEM;
	(void)carry;
	ring->source.ops = &ring_ops;
	ring->probes = probes;
	ring->behind = -1;
	ring->told_ns = clock_boot_ns();
	result = set_up(ring, options);
	if (result < 0) {
		close_ring(&ring->source);
		return error_set(why, result, "cannot map the rings: %s", strerror(-result));
	}
	*out = &ring->source;
	return 0;
}
