/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* loop_test.c - what is ready is called, what was taken back is not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "loop.h"

DEFINE_DROP(struct loop *, loop, loop_free)

struct end {
	struct loop *loop;
	int fds[2];
	int calls;
	struct end *victim; /* taken back when this one is called */
	bool is_reborn;     /* ... and watched again under the same number */
};

static void
nothing(void *arg)
{
	++*(int *)arg;
}

static void
on_readable(void *arg)
{
	struct end *end = arg;
	char byte;

	end->calls++;
	assert_int_equal(read(end->fds[0], &byte, 1), 1);
	if (!end->victim)
		return;
	loop_unwatch(end->loop, end->victim->fds[0]);
	if (end->victim->is_reborn) {
		assert_int_equal(read(end->victim->fds[0], &byte, 1), 1);
		assert_int_equal(
			loop_watch(end->loop, end->victim->fds[0], on_readable, end->victim), 0);
	}
}

static void
open_end(struct end *end, struct loop *loop)
{
	end->loop = loop;
	assert_int_equal(pipe2(end->fds, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(loop_watch(loop, end->fds[0], on_readable, end), 0);
}

static void
shut_end(struct end *end)
{
	loop_unwatch(end->loop, end->fds[0]);
	close(end->fds[0]);
	close(end->fds[1]);
}

static void
calls_what_is_readable(void **state)
{
	struct loop *loop cleanup(loop_drop) = NULL;
	struct end ends[40] = {0};

	(void)state;
	assert_int_equal(loop_new(&loop), 0);
	for (int i = 0; i < 40; i++)
		open_end(&ends[i], loop);
	assert_int_equal(loop_watch(loop, ends[3].fds[0], on_readable, &ends[3]), -EEXIST);
	assert_int_equal(loop_watch(loop, -1, on_readable, &ends[3]), -EBADF);

	assert_int_equal(loop_turn(loop, 0), 0);
	for (int i = 0; i < 40; i += 2)
		assert_int_equal(write(ends[i].fds[1], "x", 1), 1);
	assert_int_equal(loop_turn(loop, -1), 0);
	for (int i = 0; i < 40; i++)
		assert_int_equal(ends[i].calls, i % 2 == 0);
	for (int i = 0; i < 40; i++)
		shut_end(&ends[i]);
	loop_unwatch(loop, 12345);
}

/* Two are ready at once, and whichever is called first takes the other back. */
static void
take_back(bool is_reborn)
{
	struct loop *loop cleanup(loop_drop) = NULL;
	struct end a = {.is_reborn = is_reborn}, b = {.is_reborn = is_reborn};

	assert_int_equal(loop_new(&loop), 0);
	open_end(&a, loop);
	open_end(&b, loop);
	a.victim = &b;
	b.victim = &a;
	assert_int_equal(write(a.fds[1], "x", 1), 1);
	assert_int_equal(write(b.fds[1], "x", 1), 1);
	assert_int_equal(loop_turn(loop, 1000), 0);
	assert_int_equal(a.calls + b.calls, 1);
	assert_int_equal(loop_turn(loop, 0), 0);
	assert_int_equal(a.calls + b.calls, 1);
	shut_end(&a);
	shut_end(&b);
}

static void
taken_back_is_not_called(void **state)
{
	(void)state;
	take_back(false);
}

static void
old_readiness_is_not_the_new_ones(void **state)
{
	(void)state;
	take_back(true);
}

static void
timers_tick(void **state)
{
	struct loop *loop cleanup(loop_drop) = NULL;
	uint64_t start_ns = clock_boot_ns();
	int fast = 0, slow = 0;

	(void)state;
	assert_int_equal(loop_new(&loop), 0);
	assert_int_equal(loop_every(loop, 0, nothing, &fast), -EINVAL);
	assert_int_equal(loop_every(loop, 20, nothing, &fast), 0);
	assert_int_equal(loop_every(loop, 3600000, nothing, &slow), 0);
	assert_int_equal(loop_turn(loop, 1), 0);
	while (fast < 3)
		assert_int_equal(loop_turn(loop, -1), 0);
	assert_true(clock_boot_ns() - start_ns >= 60 * 1000000);
	assert_int_equal(slow, 0);

	/* A stall is one tick, not a burst. */
	usleep(100000);
	assert_int_equal(loop_turn(loop, 0), 0);
	assert_int_equal(fast, 4);
	assert_int_equal(loop_turn(loop, 0), 0);
	assert_int_equal(fast, 4);

	for (int i = 2; i < 8; i++)
		assert_int_equal(loop_every(loop, 1000, nothing, &slow), 0);
	assert_int_equal(loop_every(loop, 1000, nothing, &slow), -ENOSPC);
}

static void
signals_are_read(void **state)
{
	struct loop *loop cleanup(loop_drop) = NULL;
	int hups = 0, terms = 0;

	(void)state;
	assert_int_equal(loop_new(&loop), 0);
	assert_int_equal(loop_signal(loop, SIGHUP, nothing, &hups), 0);
	assert_int_equal(loop_signal(loop, SIGTERM, nothing, &terms), 0);
	assert_int_equal(loop_signal(loop, 999, nothing, &terms), -EINVAL);
	raise(SIGHUP);
	raise(SIGTERM);
	assert_int_equal(loop_turn(loop, 1000), 0);
	assert_int_equal(hups, 1);
	assert_int_equal(terms, 1);
	raise(SIGTERM);
	assert_int_equal(loop_turn(loop, 1000), 0);
	assert_int_equal(hups, 1);
	assert_int_equal(terms, 2);
	for (int i = 2; i < 8; i++)
		assert_int_equal(loop_signal(loop, SIGUSR1, nothing, &hups), 0);
	assert_int_equal(loop_signal(loop, SIGUSR1, nothing, &hups), -ENOSPC);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_what_is_readable),
		cmocka_unit_test(taken_back_is_not_called),
		cmocka_unit_test(old_readiness_is_not_the_new_ones),
		cmocka_unit_test(timers_tick),
		cmocka_unit_test(signals_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
