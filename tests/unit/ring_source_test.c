/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ring - merged by time; across lives each record is told once; what is unknown is said to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

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
	size_t flows;    /* that sweep_all() finds */
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

bool
uplinks_tend(struct probes *probes, char *said, size_t room)
{
	(void)probes, (void)said, (void)room;
	return false;
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

void
sweep_all(struct sweep *sweep, uint64_t now_ns, record_fn fn, void *arg)
{
	struct wire_head head = {
		.kind = WIRE_FLOW, .size = sizeof(head), .cpu = UINT32_MAX, .time_ns = now_ns};

	(void)sweep;
	for (size_t i = 0; i < world.flows; i++)
		fn(&head, arg);
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
		snprintf(end, room, "swept");
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

static void
the_older_head_comes_first(void **state)
{
	(void)state;
	put(BULK, WIRE_FLOW, 10);
	put(BULK, WIRE_FLOW, 20);
	put(BULK, WIRE_FLOW, 40);
	put(CRITICAL, WIRE_EXEC, 20); /* of the same time: critical first */
	put(CRITICAL, WIRE_EXEC, 30);
	assert_int_equal(drain(100), 5);
	assert_string_equal(world.said, "flow0 exec0 flow1 exec1 flow2");
}

/* The exec was reserved behind a record of an interrupt that took its time later. */
static void
an_exec_behind_a_later_time_still_precedes_its_flow(void **state)
{
	(void)state;
	put(CRITICAL, WIRE_FLOW, 25);
	put(CRITICAL, WIRE_EXEC, 22);
	put(BULK, WIRE_FLOW, 30);
	assert_int_equal(drain(100), 3);
	assert_string_equal(world.said, "flow0 exec0 flow1");
}

static void
nothing_passes_a_busy_head(void **state)
{
	uint32_t *header;

	(void)state;
	put(BULK, WIRE_FLOW, 10);
	header = put_busy(CRITICAL, number(WIRE_EXEC, 5));
	assert_int_equal(drain(100), 0);
	assert_false(ring_sleep(world.source));
	*header &= ~BPF_RINGBUF_BUSY_BIT;
	assert_int_equal(drain(100), 2);
	assert_string_equal(world.said, "exec0 flow0");
}

static void
what_is_younger_than_the_look_waits(void **state)
{
	uint64_t soon_ns = clock_boot_ns() + 20000000;

	(void)state;
	put(BULK, WIRE_FLOW, 10);
	put(BULK, WIRE_FLOW, soon_ns);
	assert_int_equal(drain(100), 1);
	while (clock_boot_ns() < soon_ns)
		;
	assert_int_equal(drain(100), 1);
	assert_string_equal(world.said, "flow0 flow1");
}

static void
the_budget_is_for_both(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 10; i++)
		put(i % 2 ? BULK : CRITICAL, WIRE_FLOW, i);
	assert_int_equal(drain(4), 4);
	assert_string_equal(world.said, "flow0 flow1 flow2 flow3");
	assert_int_equal(drain(100), 6);
}

/* While rings hold what was read but not released, they must not wake us for ever. */
static void
sleep_comes_after_release(void **state)
{
	(void)state;
	put(BULK, WIRE_FLOW, 10);
	drain(100);
	assert_false(ring_sleep(world.source));
	ring_release(world.source);
	put(CRITICAL, WIRE_FLOW, 20); /* came meanwhile */
	assert_false(ring_sleep(world.source));
	assert_int_equal(world.settings.waiting, 0);
	drain(100);
	ring_release(world.source);
	assert_true(ring_sleep(world.source));
	assert_int_equal(world.settings.waiting, 1);
}

static void
what_was_not_committed_is_read_again(void **state)
{
	(void)state;
	put(CRITICAL, WIRE_EXEC, 10);
	put(BULK, WIRE_FLOW, 20);
	assert_int_equal(drain(100), 2);
	commits();
	ring_release(world.source);
	put(BULK, WIRE_FLOW, 30);
	assert_int_equal(drain(100), 1);
	dies();
	is_born();
	assert_true(ring_resumed(world.source));
	assert_int_equal(drain(100), 1);
	assert_string_equal(world.said, "flow1");
}

/* Killed between commit and release: the successor releases what was committed. */
static void
what_was_committed_is_not_read_again(void **state)
{
	(void)state;
	put(CRITICAL, WIRE_EXEC, 10);
	put(BULK, WIRE_FLOW, 20);
	assert_int_equal(drain(100), 2);
	commits();
	dies();
	assert_int_equal(*(uint64_t *)(void *)world.maps[BULK].memory, 0);
	is_born();
	assert_true(ring_resumed(world.source));
	assert_true(*(uint64_t *)(void *)world.maps[BULK].memory == *producer_of(BULK));
	assert_int_equal(drain(100), 0);
	assert_string_equal(world.said, "");
}

/* The first agent died before its first turn: all is still there, and all is known. */
static void
a_set_that_nobody_read_begins_at_its_beginning(void **state)
{
	(void)state;
	put(BULK, WIRE_FLOW, 10);
	lose(WIRE_FLOW, 2);
	put(BULK, WIRE_FLOW, 20);
	drain(100);
	dies();
	is_born();
	assert_true(ring_resumed(world.source));
	drain(100);
	drain(100);
	assert_string_equal(world.said, "flow0 flow3 gap2@1");
}

static void
losses_of_the_time_without_an_agent_are_told_once(void **state)
{
	(void)state;
	put(BULK, WIRE_FLOW, 10);
	drain(100);
	commits();
	ring_release(world.source);
	dies();
	lose(WIRE_FLOW, 7);
	put(BULK, WIRE_FLOW, 50);
	is_born();
	drain(100);
	drain(100);
	assert_string_equal(world.said, "flow8 gap7@1");
	commits();
	dies();
	is_born();
	drain(100);
	ring_finish(world.source, hear, NULL);
	assert_string_equal(world.said, "");
}

static void
without_a_word_of_the_last_reader_nothing_is_invented(void **state)
{
	(void)state;
	lose(WIRE_FLOW, 5);
	put(BULK, WIRE_FLOW, 10);
	drain(100);
	ring_release(world.source);
	dies();
	unlink(world.path);
	put(BULK, WIRE_FLOW, 20);
	lose(WIRE_FLOW, 3);
	is_born();
	assert_false(ring_resumed(world.source));
	lose(WIRE_FLOW, 4);
	put(BULK, WIRE_FLOW, 30);
	drain(100);
	ring_finish(world.source, hear, NULL);
	assert_string_equal(world.said, "flow6 flow14 gap4@10");
}

/* Carry says more than there is, or is of a ring that somebody else has read. */
static void
a_position_that_is_none_is_not_trusted(void **state)
{
	(void)state;
	put(BULK, WIRE_FLOW, 10);
	drain(100);
	commits();
	put(BULK, WIRE_FLOW, 20);
	drain(100);
	ring_release(world.source);
	dies();
	is_born();
	assert_false(ring_resumed(world.source));
	put(BULK, WIRE_FLOW, 30);
	drain(100);
	assert_string_equal(world.said, "flow2");
}

static void
another_set_is_another_story(void **state)
{
	(void)state;
	put(BULK, WIRE_FLOW, 10);
	drain(100);
	commits();
	ring_release(world.source);
	dies();
	world.settings.set++;
	is_born();
	assert_false(ring_resumed(world.source));
}

/* Told but not committed: told again. Committed: nothing is left, whoever asks. */
static void
the_end_is_told_again_until_it_is_committed(void **state)
{
	static const char end[] = "flow0 swept swept gap2@1";

	(void)state;
	world.flows = 2;
	put(BULK, WIRE_FLOW, 10);
	lose(WIRE_FLOW, 2);
	ring_finish(world.source, hear, NULL);
	assert_string_equal(world.said, end);
	dies();
	is_born();
	ring_finish(world.source, hear, NULL);
	assert_string_equal(world.said, end);
	commits();
	ring_release(world.source);
	dies();
	is_born();
	assert_true(ring_resumed(world.source));
	ring_finish(world.source, hear, NULL);
	assert_string_equal(world.said, "");
}

/* Counters of a build that knows more kinds have other places. */
static void
another_build_s_counters_are_read_where_they_are(void **state)
{
	const unsigned int kinds = WIRE_KIND_MAX + 4;

	(void)state;
	dies();
	world.maps[COUNTERS].entries = CPUS * kinds;
	world.settings.silent = 1;
	world.counters[kinds + WIRE_EXEC] = (struct wire_counters){.issued = 3, .dropped = 3};
	is_born();
	ring_finish(world.source, hear, NULL);
	assert_string_equal(world.said, "gap3@0");
}

static void
a_full_table_is_told_once(void **state)
{
	(void)state;
	world.totals[WIRE_TOTALS + WIRE_TOTAL_TABLE_FULL_FOREIGN] =
		(struct wire_sum){.flows = 9, .packets = 9, .bytes = 900};
	drain(100); /* a second has passed since never */
	assert_string_equal(world.said, "gap9@0");
	commits();
	dies();
	is_born();
	drain(100);
	assert_string_equal(world.said, "");
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, begin, finish)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(the_older_head_comes_first),
		FRESH(an_exec_behind_a_later_time_still_precedes_its_flow),
		FRESH(nothing_passes_a_busy_head),
		FRESH(what_is_younger_than_the_look_waits),
		FRESH(the_budget_is_for_both),
		FRESH(sleep_comes_after_release),
		FRESH(what_was_not_committed_is_read_again),
		FRESH(what_was_committed_is_not_read_again),
		FRESH(a_set_that_nobody_read_begins_at_its_beginning),
		FRESH(losses_of_the_time_without_an_agent_are_told_once),
		FRESH(without_a_word_of_the_last_reader_nothing_is_invented),
		FRESH(a_position_that_is_none_is_not_trusted),
		FRESH(another_set_is_another_story),
		FRESH(the_end_is_told_again_until_it_is_committed),
		FRESH(another_build_s_counters_are_read_where_they_are),
		FRESH(a_full_table_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
