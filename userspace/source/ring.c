/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ring - the kernel's rings and table of flows as one ordered source.
 *
 * Two rings are merged by the older head, without sorting or holding anything back,
 * and still no flow is told before the exec that explains it. Because: a program
 * takes the time of its record before it reserves the record's place, and what a
 * ring holds first was reserved first. So when an exec was reserved before the flow
 * began, everything that stands before the exec in its ring, and the exec, has an
 * earlier time than the flow, and the older head is always one of those. Two things
 * could spoil that, and end a drain: a head that is still being written, whose time
 * nobody knows yet; and a flow from after the rings were looked at, whose exec may lie
 * beyond. Hence the bound: the clock is read before the rings' ends are. A flow up to
 * it has its exec within what was looked at.
 *
 * Reading gives nothing back to the kernel: that is ring_release(), once carry holds
 * how far was read. A killed agent's successor begins where the last one committed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "losses.h"
#include "ringbuf.h"
#include "sweep.h"

#define SWEEP_EVERY_NS 1000000000ull
#define STUCK_NS       1000000000ull /* no program takes that long to write a record */

/* By an agent that stopped, or by its successor, who has told the gap after it too. */
enum ending { ENDING_NONE, ENDING_STOPPED, ENDING_STALE };

/* Kept under the set's number; grows at its tail. */
struct kept_rings {
	uint64_t position[2];
	uint64_t finished; /* an enum ending */
	uint64_t swept;    /* at the end: where in the table of flows */
};

struct ring {
	struct source source;
	struct probes *probes;
	struct ringbuf rings[2]; /* critical, bulk */
	bool is_open[2];
	bool emptied; /* by the last drain, as far as it looked */
	struct losses *losses;
	struct sweep *sweep;
	bool sweeping;
	uint64_t swept_ns;
	bool resumed;
	bool is_read;   /* at the end: the rings */
	uint32_t swept; /* then: where in the table of flows */
	bool finished;  /* all was told: nothing is left to do */
	bool is_kept;   /* carry has what is in kept */
	struct kept_rings kept;
	int epoll_fd;
};

static int
fd(const struct source *source)
{
	return ((const struct ring *)source)->epoll_fd;
}

/* Another agent reads after this one only what is pinned. */
static bool
is_pinned(const struct ring *ring)
{
	const char *pins = ring->probes->options.pins;

	return pins && *pins && ring->probes->settings->set;
}

/* Of another layout, detached: there is nothing to sweep or to attach again. */
static bool
is_silent(const struct ring *ring)
{
	return ring->probes->settings->silent;
}

/* The older head of both rings; of two of the same age the critical one. NULL: no more now. */
static struct ringbuf *
older_head(struct ring *ring, uint64_t bound_ns, const struct wire_head **out)
{
	struct ringbuf *older = NULL;

	*out = NULL;
	for (size_t i = 0; i < 2; i++) {
		const void *record;
		size_t length;
		enum ringbuf_state state = ringbuf_peek(&ring->rings[i], &record, &length);

		if (state == RINGBUF_BUSY) {
			ring->emptied = false;
			return NULL;
		}
		if (state == RINGBUF_EMPTY)
			continue;
		ring->emptied = false;
		if (older && ((const struct wire_head *)record)->time_ns >= (*out)->time_ns)
			continue;
		older = &ring->rings[i];
		*out = record;
	}
	return older && (*out)->time_ns <= bound_ns ? older : NULL;
}

static int
merge(struct ring *ring, int budget, record_fn fn, void *arg)
{
	uint64_t bound_ns = clock_boot_ns();
	const struct wire_head *head;
	struct ringbuf *older;
	int done = 0;

	for (size_t i = 0; i < 2; i++)
		ringbuf_look(&ring->rings[i]);
	for (;;) {
		ring->emptied = true; /* unless there is a head */
		older = older_head(ring, bound_ns, &head);
		if (!older || done == budget)
			return done;
		losses_note(ring->losses, head);
		fn(head, arg);
		ringbuf_advance(older);
		done++;
	}
}

static void
sweep_a_part(struct ring *ring, uint64_t now_ns, record_fn fn, void *arg)
{
	if (!ring->sweeping && now_ns - ring->swept_ns > SWEEP_EVERY_NS) {
		ring->sweeping = true;
		ring->swept_ns = now_ns;
		losses_tell_sums(ring->losses, ring->emptied, now_ns, fn, arg);
		probes_tend(ring->probes, now_ns, fn, arg);
	}
	if (ring->sweeping)
		ring->sweeping = sweep_step(ring->sweep);
}

static int
drain(struct source *source, int budget, record_fn fn, void *arg)
{
	struct ring *ring = (struct ring *)source;
	int done = merge(ring, budget, fn, arg);
	uint64_t now_ns = clock_boot_ns();

	if (ring->emptied) /* else what is missing may just be unread */
		losses_tell(ring->losses, now_ns, fn, arg);
	if (!is_silent(ring))
		sweep_a_part(ring, now_ns, fn, arg);
	return done;
}

bool
ring_is_new(const struct source *source)
{
	return !((const struct ring *)source)->is_kept;
}

/* What was read and not released fills the rings, and they would wake us for ever. */
bool
ring_sleep(struct source *source)
{
	struct ring *ring = (struct ring *)source;
	uint32_t *waiting = &ring->probes->settings->waiting;

	if (ring->sweeping || !ring->emptied || !ringbuf_is_released(&ring->rings[0]) ||
	    !ringbuf_is_released(&ring->rings[1]))
		return false;
	__atomic_store_n(waiting, 1, __ATOMIC_SEQ_CST);
	if (!ringbuf_has_grown(&ring->rings[0]) && !ringbuf_has_grown(&ring->rings[1]))
		return true;
	__atomic_store_n(waiting, 0, __ATOMIC_SEQ_CST);
	return false;
}

static enum ending
ending_of(const struct ring *ring)
{
	if (!ring->finished)
		return ENDING_NONE;
	return ring->probes->stale ? ENDING_STALE : ENDING_STOPPED;
}

void
ring_keep(struct source *source, struct carry *carry)
{
	struct ring *ring = (struct ring *)source;
	const struct kept_rings now = {
		{ring->rings[0].position, ring->rings[1].position}, ending_of(ring), ring->swept};
	uint64_t set = ring->probes->settings->set;

	if (!is_pinned(ring))
		return;
	if (!ring->is_kept || memcmp(&now, &ring->kept, sizeof(now)))
		carry_put(carry, CARRY_RINGS, set, &now, sizeof(now));
	ring->kept = now;
	ring->is_kept = true;
	if (ring->finished)
		losses_drop(ring->losses, carry, set);
	else
		losses_keep(ring->losses, carry, set);
}

void
ring_release(struct source *source)
{
	struct ring *ring = (struct ring *)source;

	for (size_t i = 0; i < 2; i++)
		ringbuf_release(&ring->rings[i]);
}

bool
ring_resumed(const struct source *source)
{
	return ((const struct ring *)source)->resumed;
}

bool
ring_finished(const struct source *source)
{
	return ((const struct ring *)source)->kept.finished == ENDING_STALE;
}

/* Nothing runs any more. True until nothing is left, or what is left does not change. */
static bool
read_rest(struct ring *ring, int budget, record_fn fn, void *arg)
{
	uint64_t from_ns = clock_boot_ns();

	do {
		if (merge(ring, budget, fn, arg) > 0)
			return true;
	} while (!ring->emptied && clock_boot_ns() - from_ns < STUCK_NS);
	ring->is_read = true;
	return false;
}

bool
ring_finish(struct source *source, int budget, record_fn fn, void *arg)
{
	struct ring *ring = (struct ring *)source;
	uint64_t now_ns;

	probes_stop(ring->probes); /* from here on nothing is counted that would not be told */
	if (ring->finished)
		return false;
	if (!ring->is_read && read_rest(ring, budget, fn, arg))
		return true;
	now_ns = clock_boot_ns();
	if (sweep_end(ring->sweep, &ring->swept, (uint32_t)budget, now_ns, fn, arg))
		return true;
	losses_tell_all(ring->losses, now_ns, fn, arg);
	ring->finished = true;
	return false;
}

static void
close_ring(struct source *source)
{
	struct ring *ring = (struct ring *)source;

	for (size_t i = 0; i < 2; i++)
		if (ring->is_open[i])
			ringbuf_close(&ring->rings[i]);
	if (ring->epoll_fd >= 0)
		close(ring->epoll_fd);
	losses_free(ring->losses);
	sweep_free(ring->sweep);
	free(ring);
}

static const struct source_ops ring_ops = {"ring", fd, drain, close_ring};

static int
open_one(struct ring *ring, size_t i, const char *name)
{
	struct epoll_event event = {.events = EPOLLIN};
	int map_fd = probes_map_fd(ring->probes, name);
	int result = ringbuf_open(&ring->rings[i], map_fd);

	if (result < 0)
		return result;
	ring->is_open[i] = true;
	return epoll_ctl(ring->epoll_fd, EPOLL_CTL_ADD, map_fd, &event) < 0 ? -errno : 0;
}

static int
set_up(struct ring *ring, const struct ring_options *options)
{
	int result = losses_new(&ring->losses, ring->probes);

	if (!result)
		result = sweep_new(&ring->sweep, ring->probes, options);
	if (result < 0)
		return result;
	ring->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (ring->epoll_fd < 0)
		return -errno;
	result = open_one(ring, 0, "ring_critical");
	return result ? result : open_one(ring, 1, "ring_bulk");
}

/* What the last agent committed may lie ahead of what it released: release it now. */
static bool
resume(struct ring *ring, const struct carry *carry)
{
	uint64_t set = ring->probes->settings->set;
	struct kept_rings kept = {0};

	if (!carry || !is_pinned(ring) || !carry_same_boot(carry) ||
	    carry_get(carry, CARRY_RINGS, set, &kept, sizeof(kept)) <
		    (long)offsetof(struct kept_rings, finished))
		return false;
	for (size_t i = 0; i < 2; i++)
		if (!ringbuf_reaches(&ring->rings[i], kept.position[i]))
			return false;
	for (size_t i = 0; i < 2; i++)
		ringbuf_seek(&ring->rings[i], kept.position[i]);
	ring_release(&ring->source);
	losses_restore(ring->losses, carry, set);
	ring->kept = kept;
	ring->is_kept = true;
	ring->finished = kept.finished && is_silent(ring);
	ring->swept = is_silent(ring) ? (uint32_t)kept.swept : 0;
	return true;
}

/* Never released: all that was counted is still there, or known to be dropped. */
static bool
is_unread(const struct ring *ring)
{
	return !ring->rings[0].position && !ring->rings[1].position;
}

int
ring_open(struct source **out, struct probes *probes, const struct ring_options *options,
	  const struct carry *carry, struct error *why)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	int result;

	if (!ring)
		return -ENOMEM;
	ring->source.ops = &ring_ops;
	ring->probes = probes;
	ring->epoll_fd = -1;
	result = set_up(ring, options);
	if (result < 0) {
		close_ring(&ring->source);
		return error_set(why, result, "cannot map the rings: %s", strerror(-result));
	}
	ring->resumed = resume(ring, carry) || is_unread(ring);
	if (!ring->resumed)
		losses_skip(ring->losses, clock_boot_ns());
	*out = &ring->source;
	return 0;
}
