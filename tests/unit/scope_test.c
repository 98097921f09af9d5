/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Tests of userspace/source/scope.c: how a scope may be written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "probes.h"

static void
strips_the_mount(void **state)
{
	static const char mount[] = "/sys/fs/cgroup";

	(void)state;
	assert_string_equal(scope_below("/sys/fs/cgroup/kubepods.slice/a", mount),
			    "/kubepods.slice/a");
	assert_string_equal(scope_below("/sys/fs/cgroup", mount), "");
	assert_string_equal(scope_below("/kubepods.slice", mount), "/kubepods.slice");
	assert_string_equal(scope_below("kubepods.slice", mount), "kubepods.slice");
	assert_string_equal(scope_below("", mount), "");
	assert_string_equal(scope_below("/sys/fs/cgroups", mount), "/sys/fs/cgroups");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strips_the_mount),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
