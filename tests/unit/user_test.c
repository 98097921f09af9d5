/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* user_test - names from a passwd file. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "context/user.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\n"
			     "# comment:x:7:7::/:\n"
			     "+nis:x:8:8::/:\n"
			     "broken\n"
			     "short:x\n"
			     ":x:9:9::/:\n"
			     "text:x:ten:10::/:\n"
			     "minus:x:-1:10::/:\n"
			     "big:x:4294967296:10::/:\n"
			     "unset:x:4294967295:10::/:\n"
			     "toor:x:0:0::/root:/bin/sh\n"
			     "alice:x:1000:1000:Alice,,,:/home/alice:/bin/bash\n"
			     "www-data:x:33:33::/var/www:/usr/sbin/nologin\n"
			     "bare:x:34\n"
			     "last:x:65534:65534::/:/bin/false";

static void
parse(void **state)
{
	static const struct {
		uint32_t uid;
		const char *name;
	} cases[] = {
		{0, "root"}, {33, "www-data"}, {34, "bare"},       {1000, "alice"}, {65534, "last"},
		{7, NULL},   {8, NULL},        {9, NULL},          {10, NULL},      {1, NULL},
		{999, NULL}, {1001, NULL},     {UINT32_MAX, NULL},
	};
	struct users users;
	size_t i;

	(void)state;
	assert_int_equal(users_parse(&users, passwd, strlen(passwd)), 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *name = users_name(&users, cases[i].uid);

		if (!name != !cases[i].name || (name && strcmp(name, cases[i].name)))
			fail_msg("%u: %s", cases[i].uid, name ? name : "(none)");
	}
	users_fini(&users);
	assert_int_equal(users_parse(&users, "", 0), 0);
	assert_null(users_name(&users, 0));
	users_fini(&users);
}

static void
write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void
refresh(void **state)
{
	char path[] = "/tmp/demarc-user-XXXXXX", other[64];
	struct users users = {0};
	const struct user *list;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	write_file(path, "a:x:5:5::/:\n");
	assert_int_equal(users_refresh(&users, path), 0);
	assert_string_equal(users_name(&users, 5), "a");

	list = users.list; /* unchanged: not read again */
	assert_int_equal(users_refresh(&users, path), 0);
	assert_ptr_equal(users.list, list);

	/* useradd writes another file and renames it */
	snprintf(other, sizeof(other), "%s.new", path);
	write_file(other, "b:x:5:5::/:\n");
	assert_int_equal(rename(other, path), 0);
	assert_int_equal(users_refresh(&users, path), 0);
	assert_string_equal(users_name(&users, 5), "b");

	assert_int_equal(unlink(path), 0);
	assert_int_equal(users_refresh(&users, path), -ENOENT);
	assert_string_equal(users_name(&users, 5), "b");
	users_fini(&users);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse),
		cmocka_unit_test(refresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
