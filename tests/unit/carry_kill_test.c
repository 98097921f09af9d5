/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* carry_kill_test.c - a process that is killed at any moment leaves a whole turn behind. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "carry_helper.h"

#define VALUES 40

/* Writes turn after turn, each of which sets all values to its number, until it is killed. */
static void
work(const struct place *place, int report)
{
	struct carry *carry = NULL;
	struct error why = {0};
	uint64_t *value = calloc(1, 16384);
	uint64_t turn = 0;

	if (carry_open(&carry, place->path, BOOT, &why) < 0)
		_exit(1);
	carry_get(carry, CARRY_FOLD, 0, &turn, sizeof(turn));
	for (;;) {
		*value = ++turn;
		for (uint64_t id = 0; id < VALUES; id++)
			carry_put(carry, CARRY_FOLD, id, value, 8 + (turn * 97 + id * 131) % 12000);
		if (carry_commit(carry) < 0)
			_exit(2);
		if (write(report, &turn, sizeof(turn)) != sizeof(turn))
			_exit(3);
	}
}

static uint64_t
kill_at(const struct place *place, long delay_ns)
{
	uint64_t turn, last = 0;
	int ends[2], status;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (!child) {
		close(ends[0]);
		work(place, ends[1]);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &last, sizeof(last)), sizeof(last)); /* it runs */
	nanosleep(&(struct timespec){0, delay_ns}, NULL);
	kill(child, SIGKILL);
	while (read(ends[0], &turn, sizeof(turn)) == sizeof(turn))
		last = turn;
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	return last;
}

struct found {
	uint64_t count, turn;
	bool torn;
};

static void
look(uint64_t id, const void *bytes, size_t length, void *arg)
{
	struct found *found = arg;
	uint64_t turn;

	memcpy(&turn, bytes, sizeof(turn));
	if (!found->count++)
		found->turn = turn;
	found->torn |= turn != found->turn || length != 8 + (turn * 97 + id * 131) % 12000;
}

static void
killed_at_any_moment_it_is_whole(void **state)
{
	struct place *place = *state;
	uint64_t rewritten = 0, turn;
	struct carry *carry;

	srand(4711);
	for (int round = 0; round < 150; round++) {
		struct found found = {0};

		turn = kill_at(place, rand() % 3000000);
		carry = open_carry(place, BOOT);
		carry_each(carry, CARRY_FOLD, look, &found);
		assert_false(found.torn);
		assert_int_equal(found.count, VALUES);
		assert_in_range(found.turn, turn, turn + 1);
		rewritten += state_of(carry).bytes < MEBI;
		carry_close(carry);
	}
	assert_true(rewritten > 0); /* so that kills met rewriting too */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(killed_at_any_moment_it_is_whole, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
