/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ringbuf - every record once, whole and in order; none that is not finished. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <linux/bpf.h>

#include "source/ringbuf.h"

#define BYTES   256
#define HEADER  8
#define BIG     (1u << 16)
#define RECORDS 200000

/* The kernel's side, as bpf_ringbuf_reserve() and _submit() do it. */
struct kernel {
	uint64_t consumer;
	uint64_t producer;
	uint64_t bytes;
	_Alignas(8) unsigned char data[BIG];
	struct ringbuf ring;
};

static uint32_t *
header(struct kernel *kernel, uint64_t position)
{
	return (uint32_t *)(void *)&kernel->data[position & (kernel->bytes - 1)];
}

static uint64_t
whole(uint32_t length)
{
	return HEADER + ((length + 7u) & ~7u);
}

/* The record's position, or UINT64_MAX when there is no room. */
static uint64_t
reserve(struct kernel *kernel, uint32_t length)
{
	uint64_t position = kernel->producer;
	uint64_t end = position + whole(length);

	if (end - __atomic_load_n(&kernel->consumer, __ATOMIC_ACQUIRE) > kernel->bytes - 1)
		return UINT64_MAX;
	__atomic_store_n(header(kernel, position), length | BPF_RINGBUF_BUSY_BIT, __ATOMIC_RELAXED);
	__atomic_store_n(&kernel->producer, end, __ATOMIC_RELEASE);
	return position;
}

/* Record n is n in all its bytes. */
static void
fill(struct kernel *kernel, uint64_t position, uint32_t length, unsigned char n)
{
	for (uint32_t i = 0; i < length; i++)
		kernel->data[(position + HEADER + i) & (kernel->bytes - 1)] = n;
}

static void
submit(struct kernel *kernel, uint64_t position, uint32_t length, uint32_t flags)
{
	__atomic_store_n(header(kernel, position), length | flags, __ATOMIC_RELEASE);
}

static void
put(struct kernel *kernel, uint32_t length, unsigned char n, uint32_t flags)
{
	uint64_t position = reserve(kernel, length);

	assert_true(position != UINT64_MAX);
	fill(kernel, position, length, n);
	submit(kernel, position, length, flags);
}

static void
begin_at(struct kernel *kernel, uint64_t position, uint64_t bytes)
{
	memset(kernel, 0, sizeof(*kernel));
	kernel->bytes = bytes;
	kernel->consumer = kernel->producer = position;
	ringbuf_init(&kernel->ring, &kernel->consumer, &kernel->producer, kernel->data, bytes);
}

static enum ringbuf_state
state_of(struct kernel *kernel)
{
	const void *record;
	size_t length;

	ringbuf_look(&kernel->ring);
	return ringbuf_peek(&kernel->ring, &record, &length);
}

static void
expect_next(struct kernel *kernel, size_t wanted, unsigned char n)
{
	const unsigned char *bytes;
	const void *record;
	size_t length;

	ringbuf_look(&kernel->ring);
	assert_int_equal(ringbuf_peek(&kernel->ring, &record, &length), RINGBUF_RECORD);
	assert_int_equal(length, wanted);
	bytes = record;
	for (size_t i = 0; i < length; i++)
		assert_int_equal(bytes[i], n);
	ringbuf_advance(&kernel->ring);
}

static void
records_of_odd_sizes_wrap(void **state)
{
	static struct kernel kernel;
	uint32_t wrapped = 0;

	(void)state;
	begin_at(&kernel, 0, BYTES);
	for (unsigned int n = 0; n < 1000; n++) {
		uint32_t length = 1 + n * 7 % 97;

		wrapped += (kernel.producer & (BYTES - 1)) + HEADER + length > BYTES;
		put(&kernel, length, (unsigned char)n, 0);
		expect_next(&kernel, length, (unsigned char)n);
		assert_int_equal(state_of(&kernel), RINGBUF_EMPTY);
		ringbuf_release(&kernel.ring);
		assert_true(kernel.consumer == kernel.producer);
	}
	assert_true(wrapped > 50);
}

static void
nothing_is_given_back_before_it_is_released(void **state)
{
	static struct kernel kernel;

	(void)state;
	begin_at(&kernel, 0, BYTES);
	for (unsigned int n = 0; n < 3; n++)
		put(&kernel, 64, (unsigned char)n, 0);
	for (unsigned int n = 0; n < 3; n++)
		expect_next(&kernel, 64, (unsigned char)n);
	assert_int_equal(kernel.consumer, 0);
	assert_false(ringbuf_is_released(&kernel.ring));
	assert_true(reserve(&kernel, 64) == UINT64_MAX);
	ringbuf_release(&kernel.ring);
	assert_true(ringbuf_is_released(&kernel.ring));
	put(&kernel, 64, 3, 0);
	expect_next(&kernel, 64, 3);
}

static void
a_busy_record_holds_up_those_behind_it(void **state)
{
	static struct kernel kernel;
	uint64_t first;

	(void)state;
	begin_at(&kernel, 0, BYTES);
	first = reserve(&kernel, 20);
	put(&kernel, 30, 2, 0);
	assert_int_equal(state_of(&kernel), RINGBUF_BUSY);
	ringbuf_release(&kernel.ring);
	assert_int_equal(kernel.consumer, 0);
	fill(&kernel, first, 20, 1);
	submit(&kernel, first, 20, 0);
	expect_next(&kernel, 20, 1);
	expect_next(&kernel, 30, 2);
}

static void
discarded_records_are_skipped_and_given_back(void **state)
{
	static struct kernel kernel;

	(void)state;
	begin_at(&kernel, 0, BYTES);
	put(&kernel, 13, 1, BPF_RINGBUF_DISCARD_BIT);
	put(&kernel, 40, 2, BPF_RINGBUF_DISCARD_BIT);
	put(&kernel, 5, 3, 0);
	put(&kernel, 9, 4, BPF_RINGBUF_DISCARD_BIT);
	expect_next(&kernel, 5, 3);
	assert_int_equal(state_of(&kernel), RINGBUF_EMPTY);
	ringbuf_release(&kernel.ring);
	assert_true(kernel.consumer == kernel.producer);
}

static void
positions_grow_past_32_bits(void **state)
{
	static struct kernel kernel;

	(void)state;
	begin_at(&kernel, (1ull << 32) - 64, BYTES);
	for (unsigned int n = 0; n < 100; n++) {
		put(&kernel, 50, (unsigned char)n, 0);
		expect_next(&kernel, 50, (unsigned char)n);
		ringbuf_release(&kernel.ring);
	}
	assert_true(kernel.consumer > 1ull << 32);
	assert_true(kernel.consumer == kernel.producer);
}

static void
what_comes_after_the_look_waits(void **state)
{
	static struct kernel kernel;
	const void *record;
	size_t length;

	(void)state;
	begin_at(&kernel, 0, BYTES);
	ringbuf_look(&kernel.ring);
	put(&kernel, 16, 1, 0);
	assert_int_equal(ringbuf_peek(&kernel.ring, &record, &length), RINGBUF_EMPTY);
	assert_true(ringbuf_has_grown(&kernel.ring));
	expect_next(&kernel, 16, 1);
	assert_false(ringbuf_has_grown(&kernel.ring));
}

/* A successor goes on where its predecessor had committed, also when that was not released. */
static void
a_successor_goes_on_at_a_boundary(void **state)
{
	static struct kernel kernel;

	(void)state;
	begin_at(&kernel, 1ull << 40, BYTES);
	for (unsigned int n = 0; n < 3; n++)
		put(&kernel, 24, (unsigned char)n, 0);
	assert_true(ringbuf_reaches(&kernel.ring, kernel.consumer));
	assert_true(ringbuf_reaches(&kernel.ring, kernel.consumer + 64));
	assert_true(ringbuf_reaches(&kernel.ring, kernel.producer));
	assert_false(ringbuf_reaches(&kernel.ring, kernel.consumer + 40));
	assert_false(ringbuf_reaches(&kernel.ring, kernel.consumer - 32));
	assert_false(ringbuf_reaches(&kernel.ring, kernel.producer + 32));
	ringbuf_seek(&kernel.ring, kernel.consumer + 64);
	expect_next(&kernel, 24, 2);
}

static void
what_is_busy_is_reached_but_not_passed(void **state)
{
	static struct kernel kernel;

	(void)state;
	begin_at(&kernel, 0, BYTES);
	put(&kernel, 24, 0, 0);
	assert_true(reserve(&kernel, 24) != UINT64_MAX);
	assert_true(ringbuf_reaches(&kernel.ring, 32));
	assert_false(ringbuf_reaches(&kernel.ring, 64));
}

static uint32_t
length_of(unsigned int n)
{
	return 8 + n * 13 % 301;
}

static void *
write_all(void *arg)
{
	struct kernel *kernel = arg;

	for (unsigned int n = 0; n < RECORDS;) {
		uint64_t position = reserve(kernel, length_of(n));

		if (position == UINT64_MAX) {
			sched_yield();
			continue;
		}
		fill(kernel, position, length_of(n), (unsigned char)n);
		submit(kernel, position, length_of(n), n % 5 ? 0 : BPF_RINGBUF_DISCARD_BIT);
		n++;
	}
	return NULL;
}

static void
check_record(const unsigned char *bytes, size_t length, unsigned int n)
{
	assert_int_equal(length, length_of(n));
	assert_int_equal(bytes[0], (unsigned char)n);
	assert_memory_equal(bytes, bytes + 1, length - 1);
}

static void
a_writer_beside_the_reader(void **state)
{
	static struct kernel kernel;
	pthread_t writer;

	(void)state;
	begin_at(&kernel, (1ull << 32) - 1024, 4096);
	assert_int_equal(pthread_create(&writer, NULL, write_all, &kernel), 0);
	for (unsigned int n = 1; n < RECORDS;) {
		const void *record;
		size_t length;

		ringbuf_look(&kernel.ring);
		while (ringbuf_peek(&kernel.ring, &record, &length) == RINGBUF_RECORD) {
			check_record(record, length, n);
			n += n % 5 == 4 ? 2 : 1;
			ringbuf_advance(&kernel.ring);
		}
		ringbuf_release(&kernel.ring);
		sched_yield();
	}
	pthread_join(writer, NULL);
	assert_int_equal(state_of(&kernel), RINGBUF_EMPTY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_of_odd_sizes_wrap),
		cmocka_unit_test(nothing_is_given_back_before_it_is_released),
		cmocka_unit_test(a_busy_record_holds_up_those_behind_it),
		cmocka_unit_test(discarded_records_are_skipped_and_given_back),
		cmocka_unit_test(positions_grow_past_32_bits),
		cmocka_unit_test(what_comes_after_the_look_waits),
		cmocka_unit_test(a_successor_goes_on_at_a_boundary),
		cmocka_unit_test(what_is_busy_is_reached_but_not_passed),
		cmocka_unit_test(a_writer_beside_the_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
