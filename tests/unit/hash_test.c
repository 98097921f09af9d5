/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* hash - every byte and the length count, and keys that differ little spread over all buckets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/hash.h"

#define BUCKETS 1024
#define KEYS    (BUCKETS * 64)

static void
test_every_byte_counts(void **state)
{
	char key[40] = {0};

	(void)state;
	for (size_t length = 1; length <= sizeof(key); length++) {
		uint32_t before = hash_bytes(key, length);

		assert_int_not_equal(before, hash_bytes(key, length - 1));
		for (size_t at = 0; at < length; at++) {
			key[at] = 1;
			assert_int_not_equal(before, hash_bytes(key, length));
			key[at] = 0;
		}
	}
}

/* Numbers, addresses in a row, and the same in the bytes that matter least. */
static void
test_spreads(void **state)
{
	(void)state;
	for (unsigned int shift = 0; shift <= 40; shift += 8) {
		unsigned int filled[BUCKETS] = {0};

		for (uint64_t i = 0; i < KEYS; i++) {
			uint64_t key = i << shift;

			filled[hash_bytes(&key, sizeof(key)) % BUCKETS]++;
		}
		for (size_t i = 0; i < BUCKETS; i++)
			assert_in_range(filled[i], 16, 160);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_byte_counts),
		cmocka_unit_test(test_spreads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
