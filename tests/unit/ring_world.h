/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ring_world.h - a kernel and an agent, played: the seams of source/ring.c.
 *
 * The kernel outlives agents: its maps are files in memory, and the functions that
 * would reach the real one are here. An agent is born, drains, commits, dies.
 */
#ifndef RING_WORLD_H
#define RING_WORLD_H

#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "source/probes_private.h"
#include "source/sweep.h"

#define CPUS       2
#define PAGE       4096
#define RING_BYTES 8192
#define SET        0x123456789abcdef0ull
#define BOOT       "5d0a4a8e-0000-4000-8000-000000000000"

enum { CRITICAL, BULK, COUNTERS, TOTALS, MAPS };

/* What a kernel keeps while agents come and go, and the agent that lives now. */
struct world {
	struct probes probes;
	struct wire_settings settings;
	struct wire_counters counters[CPUS * (WIRE_KIND_MAX + 4)];
	struct wire_sum totals[CPUS * WIRE_TOTALS];
	struct {
		int fd;
		uint32_t entries;
		char *memory; /* of a ring: consumer's page, producer's page, data */
	} maps[MAPS];
	unsigned int kinds;
	char path[64];
	struct carry *carry;
	struct source *source;
	char said[4096]; /* the records of this life, as text */
	uint32_t flows;  /* that sweep_end() finds */
};

static struct world world;

/*
 * The kernel, played
 * ------------------
 */

int
probes_map_fd(const struct probes *probes, const char *name)
{
	static const char *const names[MAPS] = {"ring_critical", "ring_bulk", "counters", "totals"};

	(void)probes;
	for (size_t i = 0; i < MAPS; i++)
		if (!strcmp(names[i], name))
			return world.maps[i].fd;
	return -1;
}

int
bpf_obj_get_info_by_fd(int fd, void *info, __u32 *info_bytes)
{
	(void)info_bytes;
	for (size_t i = 0; i < MAPS; i++) {
		if (world.maps[i].fd != fd)
			continue;
		((struct bpf_map_info *)info)->max_entries = world.maps[i].entries;
		return 0;
	}
	return -1;
}

int
epoll_ctl(int epoll, int how, int fd, struct epoll_event *event)
{
	(void)epoll, (void)how, (void)fd, (void)event;
	return 0;
}

void
probes_stop(struct probes *probes)
{
	probes->settings->silent = 1;
}

void
probes_tend(struct probes *probes, uint64_t now_ns, record_fn fn, void *arg)
{
	(void)probes, (void)now_ns, (void)fn, (void)arg;
}

int
sweep_new(struct sweep **out, struct probes *probes, const struct ring_options *options)
{
	(void)probes, (void)options;
	*out = NULL;
	return 0;
}

void
sweep_free(struct sweep *sweep)
{
	(void)sweep;
}

bool
sweep_step(struct sweep *sweep)
{
	(void)sweep;
	return false;
}

bool
sweep_end(struct sweep *sweep, uint32_t *at, uint32_t budget, uint64_t now_ns, record_fn fn,
	  void *arg)
{
	struct wire_head head = {
		.kind = WIRE_FLOW, .size = sizeof(head), .cpu = UINT32_MAX, .time_ns = now_ns};

	(void)sweep;
	for (; budget && *at < world.flows; budget--) {
		head.sequence = (*at)++;
		fn(&head, arg);
	}
	return *at < world.flows;
}

static uint64_t *
producer_of(int ring)
{
	return (uint64_t *)(void *)(world.maps[ring].memory + PAGE);
}

static uint32_t *
put_busy(int ring, struct wire_head head)
{
	uint64_t position = *producer_of(ring);
	char *place = world.maps[ring].memory + 2 * PAGE + position % RING_BYTES;

	head.size = sizeof(head);
	*(uint32_t *)(void *)place = sizeof(head) | BPF_RINGBUF_BUSY_BIT;
	memcpy(place + 8, &head, sizeof(head)); /* 32 bytes in all: never wraps */
	*producer_of(ring) = position + 8 + sizeof(head);
	return (uint32_t *)(void *)place;
}

/* The next number of CPU 0 and the kind goes into a ring; "lost": nowhere. */
static struct wire_head
number(unsigned int kind, uint64_t time_ns)
{
	return (struct wire_head){.kind = (uint16_t)kind,
				  .sequence = world.counters[kind].issued++,
				  .time_ns = time_ns};
}

static void
put(int ring, unsigned int kind, uint64_t time_ns)
{
	*put_busy(ring, number(kind, time_ns)) &= ~BPF_RINGBUF_BUSY_BIT;
}

static void
lose(unsigned int kind, unsigned int count)
{
	world.counters[kind].issued += count;
	world.counters[kind].dropped += count;
}

/*
 * The agent, played
 * -----------------
 */

/* "exec0 flow3": kinds and numbers; "gap2@5": how many from which number. */
static void
hear(const struct wire_head *record, void *arg)
{
	const struct wire_gap *gap = (const struct wire_gap *)(const void *)record;
	size_t length = strlen(world.said);
	char *end = world.said + length;
	size_t room = sizeof(world.said) - length;

	(void)arg;
	if (length)
		room -= (size_t)snprintf(end++, room, " ");
	if (record->kind == WIRE_GAP)
		snprintf(end, room, "gap%u@%u", (unsigned int)gap->count,
			 (unsigned int)gap->first_sequence);
	else if (record->cpu == UINT32_MAX)
		snprintf(end, room, "swept%u", (unsigned int)record->sequence);
	else
		snprintf(end, room, "%s%u", record->kind == WIRE_EXEC ? "exec" : "flow",
			 (unsigned int)record->sequence);
}

static int
drain(int budget)
{
	return world.source->ops->drain(world.source, budget, hear, NULL);
}

static void
is_born(void)
{
	const struct ring_options options = {1, 1};
	struct error why = {0};

	*world.said = 0;
	assert_int_equal(carry_open(&world.carry, world.path, BOOT, &why), 0);
	assert_int_equal(ring_open(&world.source, &world.probes, &options, world.carry, &why), 0);
}

static void
commits(void)
{
	ring_keep(world.source, world.carry);
	assert_int_equal(carry_commit(world.carry), 0);
}

static void
finishes(void)
{
	while (ring_finish(world.source, 100, hear, NULL))
		;
}

/* kill -9 */
static void
dies(void)
{
	world.source->ops->close(world.source);
	carry_close(world.carry);
	world.source = NULL;
	world.carry = NULL;
}

static void
make_map(int which, uint32_t entries, size_t bytes)
{
	world.maps[which].entries = entries;
	world.maps[which].fd = memfd_create("map", MFD_CLOEXEC);
	assert_int_equal(ftruncate(world.maps[which].fd, (off_t)bytes), 0);
	world.maps[which].memory =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, world.maps[which].fd, 0);
	assert_true(world.maps[which].memory != MAP_FAILED);
}

static int
begin(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	snprintf(world.path, sizeof(world.path), "/tmp/ring_source_test.%d", getpid());
	unlink(world.path);
	make_map(CRITICAL, RING_BYTES, 2 * PAGE + RING_BYTES);
	make_map(BULK, RING_BYTES, 2 * PAGE + RING_BYTES);
	make_map(COUNTERS, CPUS * WIRE_KIND_MAX, PAGE);
	make_map(TOTALS, CPUS * WIRE_TOTALS, PAGE);
	world.probes.cpus = CPUS;
	world.probes.settings = &world.settings;
	world.probes.counters = world.counters;
	world.probes.totals = world.totals;
	world.probes.options.pins = "/pins";
	world.settings.set = SET;
	is_born();
	return 0;
}

static int
finish(void **state)
{
	(void)state;
	dies();
	for (int i = 0; i < MAPS; i++) {
		munmap(world.maps[i].memory, i <= BULK ? 2 * PAGE + RING_BYTES : PAGE);
		close(world.maps[i].fd);
	}
	unlink(world.path);
	return 0;
}

#endif /* RING_WORLD_H */
