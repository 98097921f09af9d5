/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* layout_test - what makes two sets of maps the same, and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "source/probes_private.h"

static void
name_of(char out[LAYOUT_TEXT], const struct probes *probes)
{
	assert_int_equal(layout_name(probes, out), 0);
	assert_int_equal(strlen(out), LAYOUT_TEXT - 1);
	assert_int_equal(strspn(out, "0123456789abcdef"), LAYOUT_TEXT - 1);
}

static struct probes
plain(void)
{
	return (struct probes){.options = {.table_entries = 65536,
					   .ring_critical_bytes = 1 << 20,
					   .ring_bulk_bytes = 1 << 22},
			       .scope_id = 77,
			       .cpus = 4};
}

static void
assert_other(const struct probes *changed)
{
	struct probes probes = plain();
	char before[LAYOUT_TEXT], after[LAYOUT_TEXT];

	name_of(before, &probes);
	name_of(after, changed);
	assert_string_not_equal(before, after);
}

static void
sizes_and_scope_are_layout(void **state)
{
	struct probes probes;

	(void)state;
	probes = plain();
	probes.options.ring_bulk_bytes *= 2;
	assert_other(&probes);
	probes = plain();
	probes.options.table_entries++;
	assert_other(&probes);
	probes = plain();
	probes.cpus++;
	assert_other(&probes);
	probes = plain();
	probes.scope_id++;
	assert_other(&probes);
	probes = plain();
	probes.options.loopback = true;
	assert_other(&probes);
	probes = plain();
	probes.options.netns = "/run/netns/x";
	assert_other(&probes);
}

static void
the_rest_is_told_in_place(void **state)
{
	static const char *const uplinks[] = {"eth0", NULL};
	struct probes probes = plain();
	char before[LAYOUT_TEXT], after[LAYOUT_TEXT];

	(void)state;
	name_of(before, &probes);
	probes.options.argv_bytes = WIRE_TEXT_BYTES;
	probes.options.uplinks = uplinks;
	probes.options.netns = "";
	probes.options.instance = "other";
	name_of(after, &probes);
	assert_string_equal(before, after);
	assert_true(layout_build() != 0);
	assert_int_equal(layout_build(), layout_build());
}

static void
pins_need_their_file_system(void **state)
{
	char why[160], path[PIN_PATH];
	struct pins pins;
	struct error detail = {0};

	(void)state;
	assert_int_equal(pins_check("", why, sizeof(why)), -ENOENT);
	assert_int_equal(pins_check("/proc/nowhere/demarc", why, sizeof(why)), -ENOTSUP);
	assert_non_null(strstr(why, "no BPF file system"));
	assert_int_equal(pins_open(&pins, "/proc/nowhere", "x", true, &detail), -ENOTSUP);
	assert_int_equal(pins.lock, -1);
	pins_close(&pins);
	pins_name(&pins, "/mnt/a.b", "x.y");
	assert_string_equal(pins.instance, "/mnt/a.b/x+y");
	assert_string_equal(pin_path(path, "/s", "map_", "flows"), "/s/map_flows");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_and_scope_are_layout),
		cmocka_unit_test(the_rest_is_told_in_place),
		cmocka_unit_test(pins_need_their_file_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
