/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* carry_test.c - a turn is whole or absent, whatever happens to the process or the file. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "carry_helper.h"

#define TURNS 12

static void
describe(uint64_t id, const void *bytes, size_t length, void *arg)
{
	buf_addf(arg, " %llu=%.*s", (unsigned long long)id, (int)length, (const char *)bytes);
}

/* All that is committed, as text. */
static char *
text_of(const struct carry *carry)
{
	struct buf text = {0};

	for (int kind = CARRY_RINGS; kind <= CARRY_SHED; kind++) {
		buf_addf(&text, "|");
		carry_each(carry, (enum carry_kind)kind, describe, &text);
	}
	buf_addc(&text, '\0');
	return text.data;
}

static void
put_text(struct carry *carry, enum carry_kind kind, uint64_t id, const char *text)
{
	carry_put(carry, kind, id, text, strlen(text));
}

/* Each turn changes, adds and drops. */
static void
make_turn(struct carry *carry, unsigned int turn)
{
	char text[64];

	snprintf(text, sizeof(text), "turn%.*s%u", (int)turn % 7, "-------", turn);
	put_text(carry, CARRY_RINGS, 0, text);
	put_text(carry, CARRY_FOLD, turn % 3, text);
	put_text(carry, CARRY_FIRST, turn, text);
	if (turn > 2)
		carry_drop(carry, CARRY_FIRST, turn - 2);
	put_text(carry, CARRY_SHED, 0, "x");
	put_text(carry, CARRY_SHED, 0, text);
	put_text(carry, CARRY_BATCH, turn, "never");
	carry_drop(carry, CARRY_BATCH, turn);
	carry_drop(carry, CARRY_BATCH, 1000);
}

/* What it says after each turn; the caller frees. */
static void
fill(const struct place *place, char *said[TURNS + 1])
{
	struct carry *carry = open_carry(place, BOOT);

	said[0] = text_of(carry);
	for (unsigned int turn = 1; turn <= TURNS; turn++) {
		make_turn(carry, turn);
		assert_int_equal(carry_commit(carry), 0);
		said[turn] = text_of(carry);
		assert_string_not_equal(said[turn], said[turn - 1]);
	}
	carry_close(carry);
}

static void
drop_said(char *said[TURNS + 1])
{
	for (int turn = 0; turn <= TURNS; turn++)
		free(said[turn]);
}

static int
find_turn(char *const said[TURNS + 1], const char *text)
{
	for (int turn = 0; turn <= TURNS; turn++)
		if (!strcmp(said[turn], text))
			return turn;
	return -1;
}

static void
read_bytes(const struct place *place, struct buf *out)
{
	assert_int_equal(buf_read_file(out, place->path, 64 * MEBI), 0);
}

static void
write_bytes(const struct place *place, const char *bytes, size_t length)
{
	int fd = open(place->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, bytes, length), (ssize_t)length);
	close(fd);
}

static void
what_is_committed_survives(void **state)
{
	struct carry *carry = open_carry(*state, BOOT);
	char *text, bytes[8] = "";
	struct stat status;

	assert_false(carry_same_boot(carry));
	put_text(carry, CARRY_FOLD, 300, "c");
	put_text(carry, CARRY_FOLD, 5, "a");
	put_text(carry, CARRY_FOLD, 7, "long");
	put_text(carry, CARRY_FIRST, 5, "f");
	assert_int_equal(carry_get(carry, CARRY_FOLD, 5, bytes, 8), -ENOENT);
	assert_int_equal(carry_commit(carry), 0);
	carry_drop(carry, CARRY_FOLD, 7);
	put_text(carry, CARRY_FOLD, 5, "other");
	assert_int_equal(carry_commit(carry), 0);
	put_text(carry, CARRY_FOLD, 8, "lost");
	carry_drop(carry, CARRY_FIRST, 5);
	carry_close(carry);

	assert_int_equal(stat(((struct place *)*state)->path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	carry = open_carry(*state, BOOT);
	assert_true(carry_same_boot(carry));
	assert_string_equal(carry_boot_id(carry), BOOT);
	text = text_of(carry);
	assert_string_equal(text, "||| 5=other 300=c| 5=f||");
	free(text);
	assert_int_equal(carry_get(carry, CARRY_FOLD, 5, bytes, 3), 5);
	assert_memory_equal(bytes, "oth", 4);
	assert_int_equal(carry_get(carry, CARRY_FOLD, 7, bytes, 8), -ENOENT);
	carry_close(carry);
}

static void
a_turn_without_changes_writes_nothing(void **state)
{
	struct carry *carry = open_carry(*state, BOOT);
	uint64_t bytes = state_of(carry).bytes;

	assert_int_equal(carry_commit(carry), 0);
	put_text(carry, CARRY_BATCH, 1, "gone before");
	carry_drop(carry, CARRY_BATCH, 1);
	assert_int_equal(carry_commit(carry), 0);
	assert_int_equal(state_of(carry).bytes, bytes);
	assert_int_equal(state_of(carry).turns, 0);
	carry_close(carry);
}

static void
only_one_may_have_it(void **state)
{
	struct place *place = *state;
	struct carry *carry = open_carry(place, BOOT), *other = NULL;
	struct error why = {0};

	assert_int_equal(carry_open(&other, place->path, BOOT, &why), -EBUSY);
	assert_null(other);
	carry_close(carry);
	carry_close(open_carry(place, BOOT));
}

static void
cut_at_any_byte_it_is_a_turn_earlier(void **state)
{
	char *said[TURNS + 1], *text;
	struct buf bytes cleanup(buf_fini) = {0};
	int turn, last = 0;

	fill(*state, said);
	read_bytes(*state, &bytes);
	for (size_t cut = 0; cut <= bytes.length; cut++) {
		struct carry *carry;

		write_bytes(*state, bytes.data, cut);
		carry = open_carry(*state, BOOT);
		text = text_of(carry);
		turn = find_turn(said, text);
		assert_true(turn == last || turn == last + 1);
		last = turn;
		free(text);
		/* and it goes on */
		put_text(carry, CARRY_FOLD, 99, "more");
		assert_int_equal(carry_commit(carry), 0);
		carry_close(carry);
		carry = open_carry(*state, BOOT);
		assert_int_equal(carry_get(carry, CARRY_FOLD, 99, NULL, 0), 4);
		assert_int_equal(state_of(carry).dropped_bytes, 0);
		carry_close(carry);
	}
	assert_int_equal(last, TURNS);
	drop_said(said);
}

static void
a_flipped_bit_is_noticed(void **state)
{
	char *said[TURNS + 1], *text;
	struct buf bytes cleanup(buf_fini) = {0};
	struct place *place = *state;
	unsigned int refused = 0;

	fill(place, said);
	read_bytes(place, &bytes);
	for (size_t bit = 0; bit < bytes.length * 8; bit++) {
		struct carry *carry = NULL;
		struct error why = {0};

		bytes.data[bit / 8] ^= (char)(1 << bit % 8);
		write_bytes(place, bytes.data, bytes.length);
		bytes.data[bit / 8] ^= (char)(1 << bit % 8);
		if (carry_open(&carry, place->path, BOOT, &why) < 0) {
			refused++;
			continue;
		}
		assert_true(state_of(carry).dropped_bytes > 0);
		text = text_of(carry);
		assert_in_range(find_turn(said, text), 0, TURNS - 1);
		free(text);
		carry_close(carry);
	}
	assert_int_equal(refused, 64 * 8);
	drop_said(said);
}

static void
what_is_no_carry_file_stays_as_it_is(void **state)
{
	static const char foreign[] = "somebody else's notes, which are longer than a header would "
				      "be, and a little more";
	struct buf bytes cleanup(buf_fini) = {0};
	struct place *place = *state;
	struct carry *carry = NULL;
	struct error why = {0};

	for (size_t length = 1; length < sizeof(foreign); length++) {
		write_bytes(place, foreign, length);
		assert_int_equal(carry_open(&carry, place->path, BOOT, &why), -EBADMSG);
	}
	read_bytes(place, &bytes);
	assert_memory_equal(bytes.data, foreign, sizeof(foreign) - 1);
}

static void
after_a_reboot_positions_mean_nothing(void **state)
{
	struct carry *carry = open_carry(*state, BOOT);
	char *text;

	put_text(carry, CARRY_RINGS, 0, "r");
	put_text(carry, CARRY_SLOT, 3, "s");
	put_text(carry, CARRY_FOLD, 4, "f");
	assert_int_equal(carry_commit(carry), 0);
	carry_close(carry);
	for (int i = 0; i < 2; i++) { /* as long as nothing is committed */
		carry = open_carry(*state, REBOOT);
		assert_false(carry_same_boot(carry));
		assert_string_equal(carry_boot_id(carry), BOOT);
		text = text_of(carry);
		assert_string_equal(text, "||| 4=f|||");
		free(text);
		if (i)
			break;
		carry_close(carry);
	}
	put_text(carry, CARRY_RINGS, 0, "new");
	assert_int_equal(carry_commit(carry), 0);
	carry_close(carry);
	carry = open_carry(*state, REBOOT);
	assert_true(carry_same_boot(carry));
	text = text_of(carry);
	assert_string_equal(text, "| 0=new|| 4=f|||");
	free(text);
	carry_close(carry);
}

static void
the_file_does_not_grow_for_ever(void **state)
{
	struct place *place = *state;
	struct carry *carry = open_carry(place, BOOT), *other = NULL;
	char *big = malloc(MEBI / 4), *text, *again;
	struct error why = {0};

	put_text(carry, CARRY_FIRST, 1, "stays");
	for (int turn = 0; turn < 200; turn++) {
		memset(big, 'a' + turn % 26, MEBI / 4);
		carry_put(carry, CARRY_BATCH, (uint64_t)turn % 5, big, MEBI / 4);
		carry_put(carry, CARRY_FOLD, 7, &turn, sizeof(turn));
		assert_int_equal(carry_commit(carry), 0);
		assert_true(state_of(carry).bytes < 6 * MEBI);
	}
	assert_true(state_of(carry).rewrites > 5);
	assert_int_equal(carry_open(&other, place->path, BOOT, &why), -EBUSY);
	text = text_of(carry);
	carry_close(carry);
	carry = open_carry(place, BOOT);
	again = text_of(carry);
	assert_string_equal(text, again);
	assert_int_equal(carry_get(carry, CARRY_BATCH, 199 % 5, big, MEBI / 4), MEBI / 4);
	assert_int_equal(big[MEBI / 4 - 1], 'a' + 199 % 26);
	carry_close(carry);
	free(text);
	free(again);
	free(big);
}

/* A full file system, by the limit on the size of files. */
static void
what_cannot_be_written_waits(void **state)
{
	struct rlimit before, tight;
	struct carry *carry = open_carry(*state, BOOT);
	char *said, *text;
	uint64_t bytes;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	for (unsigned int turn = 1; turn <= 5; turn++)
		make_turn(carry, turn);
	assert_int_equal(carry_commit(carry), 0);
	said = text_of(carry);
	bytes = state_of(carry).bytes;
	tight = (struct rlimit){bytes + 100, before.rlim_max};
	setrlimit(RLIMIT_FSIZE, &tight);
	for (unsigned int turn = 6; turn <= 9; turn++) {
		make_turn(carry, turn);
		assert_int_equal(carry_commit(carry), -EFBIG);
		text = text_of(carry);
		assert_string_equal(text, said);
		free(text);
	}
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(state_of(carry).errors, 4);
	assert_int_equal(state_of(carry).failing, EFBIG);
	assert_int_equal(state_of(carry).bytes, bytes);
	assert_int_equal(carry_commit(carry), 0);
	assert_int_equal(state_of(carry).failing, 0);
	free(said);
	said = text_of(carry);
	carry_close(carry);
	carry = open_carry(*state, BOOT);
	text = text_of(carry);
	assert_string_equal(text, said);
	assert_non_null(strstr(text, "turn--9"));
	assert_int_equal(state_of(carry).dropped_bytes, 0);
	carry_close(carry);
	free(text);
	free(said);
}

/* Changes that cannot be written take the room of what is current, not of what ever was. */
static void
waiting_changes_do_not_pile_up(void **state)
{
	struct rlimit before, tight;
	struct carry *carry = open_carry(*state, BOOT);
	char *big = calloc(1, MEBI / 2);
	uint64_t bytes;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	tight = (struct rlimit){64, before.rlim_max};
	setrlimit(RLIMIT_FSIZE, &tight);
	for (uint64_t turn = 1; turn <= 100; turn++) {
		carry_put(carry, CARRY_BATCH, turn, big, MEBI / 2);
		carry_put(carry, CARRY_FOLD, 1, big, turn);
		if (turn > 2)
			carry_drop(carry, CARRY_BATCH, turn - 2);
		assert_int_equal(carry_commit(carry), -EFBIG);
	}
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(carry_commit(carry), 0);
	bytes = state_of(carry).bytes;
	assert_in_range(bytes, MEBI, 5 * MEBI);
	carry_close(carry);
	carry = open_carry(*state, BOOT);
	assert_int_equal(carry_get(carry, CARRY_FOLD, 1, NULL, 0), 100);
	assert_int_equal(carry_get(carry, CARRY_BATCH, 98, NULL, 0), -ENOENT);
	assert_int_equal(carry_get(carry, CARRY_BATCH, 99, NULL, 0), MEBI / 2);
	assert_int_equal(carry_get(carry, CARRY_BATCH, 100, NULL, 0), MEBI / 2);
	carry_close(carry);
	free(big);
}

static int64_t
left_ms_of(const struct place *place)
{
	struct carry *carry = open_carry(place, BOOT);
	struct carry_state state;

	carry_state(carry, &state);
	carry_touch(carry);
	carry_close(carry);
	return state.left_ms;
}

/* However often a start is killed before it has kept a turn: nobody was there all the time. */
static void
who_keeps_nothing_was_not_there(void **state)
{
	const struct timespec then[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	const struct place *place = *state;
	struct carry *carry = open_carry(place, BOOT);

	make_turn(carry, 1);
	assert_int_equal(carry_commit(carry), 0);
	carry_close(carry);
	assert_int_equal(utimensat(AT_FDCWD, place->path, then, 0), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(left_ms_of(place), 1000000);
	carry = open_carry(place, BOOT);
	make_turn(carry, 2);
	assert_int_equal(carry_commit(carry), 0);
	carry_close(carry);
	assert_true(left_ms_of(place) > 1000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_committed_survives, setup, teardown),
		cmocka_unit_test_setup_teardown(a_turn_without_changes_writes_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(only_one_may_have_it, setup, teardown),
		cmocka_unit_test_setup_teardown(who_keeps_nothing_was_not_there, setup, teardown),
		cmocka_unit_test_setup_teardown(cut_at_any_byte_it_is_a_turn_earlier, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_flipped_bit_is_noticed, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_carry_file_stays_as_it_is, setup,
						teardown),
		cmocka_unit_test_setup_teardown(after_a_reboot_positions_mean_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_file_does_not_grow_for_ever, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_written_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(waiting_changes_do_not_pile_up, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
