/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* process_test - the process table, and what the context makes of a story told in records. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "context.h"
#include "context/process.h"
#include "event.h"
#include "source/text.h"

#define ID     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define POD    "c5f3a1b2-0d4e-4f6a-8b7c-9d0e1f2a3b4c"
#define SECOND 1000000000ull

/* What one flow or connect of a story must come out with; NULL: absent. */
struct owner {
	const char *name, *exe, *parent, *container, *unit, *user;
	int64_t ppid;
};

static void
same(const char *story, size_t number, const char *what, const char *is, const char *should)
{
	if (!is != !should || (is && strcmp(is, should)))
		fail_msg("%s\nowner %zu: %s is %s, should be %s", story, number, what,
			 is ? is : "absent", should ? should : "absent");
}

static void
check_owner(const char *story, size_t number, const struct event *event, const struct owner *should)
{
	same(story, number, "name", event->process.name, should->name);
	same(story, number, "exe", event->process.exe, should->exe);
	same(story, number, "parent", event->process.parent_name, should->parent);
	same(story, number, "container", event->process.container, should->container);
	same(story, number, "unit", event->process.unit, should->unit);
	same(story, number, "user", event->process.user, should->user);
	if (event->process.ppid != should->ppid)
		fail_msg("%s\nowner %zu: ppid %lld", story, number, (long long)event->process.ppid);
}

/* Tell a story in records, and compare each flow and connect with what is said of it. */
static void
tell(const struct context_options *options, const char *story, const struct owner *owners,
     size_t count)
{
	struct buf records cleanup(buf_fini) = {0};
	struct recording_header header;
	struct context *context;
	struct error why = {0};
	size_t at, number = 0;
	struct event event;

	if (text_parse(&records, &header, story, strlen(story), &why) < 0)
		fail_msg("%u:%u: %s", why.line, why.column, why.text);
	assert_int_equal(context_new(&context, options, &why), 0);
	for (at = 0; at < records.length;) {
		const struct wire_head *head = (const void *)(records.data + at);

		at += (head->size + 7u) & ~7u;
		assert_int_equal(event_decode(&event, head), 0);
		context_apply(context, &event);
		if (head->kind == WIRE_FLOW || head->kind == WIRE_CONNECT) {
			assert_true(number < count);
			check_owner(story, number, &event, &owners[number]);
			number++;
		}
	}
	assert_int_equal(number, count);
	context_free(context);
}

#define TELL(options, story, ...)                                                 \
	do {                                                                      \
		static const struct owner owners[] = {__VA_ARGS__};               \
		tell(options, story, owners, sizeof(owners) / sizeof(owners[0])); \
	} while (0)

static const struct context_options quiet = {0};

#define TO " dst=203.0.113.9:443 proto=tcp"

static void
inherits(void **state)
{
	(void)state;
	TELL(&quiet,
	     "1 exec seeded pid=1 exe=/sbin/init comm=init cgroup=2 cgroup_path=/init.scope\n"
	     "1 exec seeded pid=40 ppid=1 exe=/bin/sh comm=sh cgroup=7"
	     " cgroup_path=/docker/" ID "\n"
	     "2 fork pid=41 ppid=40\n"
	     "2.1 flow open pid=41" TO "\n"
	     "2.2 exec pid=41 exe=/usr/bin/curl comm=curl\n"
	     "2.3 flow open pid=41" TO "\n"
	     "2.4 flow open pid=1" TO "\n"
	     "2.5 connect pid=40 error=ECONNREFUSED" TO "\n",
	     {"sh", "/bin/sh", "sh", ID, NULL, NULL, 40},
	     {"curl", "/usr/bin/curl", "sh", ID, NULL, NULL, 40},
	     {"init", "/sbin/init", NULL, NULL, "init.scope", NULL, 0},
	     {"sh", "/bin/sh", "init", ID, NULL, NULL, 1});
}

/* As they were when the owner was noted, however late the record comes. */
static void
remembers(void **state)
{
	(void)state;
	TELL(&quiet,
	     "1 fork pid=41 ppid=1 comm=sh\n"
	     "2 exec pid=41 exe=/bin/sh comm=sh\n"
	     "3 flow open pid=41 cookie=5" TO "\n"
	     "4 exec pid=41 exe=/usr/bin/nc comm=nc\n"
	     "5 flow update cookie=5 bytes=7\n"
	     "5 flow open pid=41 cookie=6" TO "\n"
	     "6 exit pid=41\n"
	     "7 flow close cookie=5\n"
	     "7 flow close cookie=6\n"
	     "7 flow close pid=41 comm=nc noted=6.5" TO "\n",
	     {"sh", "/bin/sh", NULL, NULL, NULL, NULL, 1},
	     {"sh", "/bin/sh", NULL, NULL, NULL, NULL, 1},
	     {"nc", "/usr/bin/nc", NULL, NULL, NULL, NULL, 1},
	     {"sh", "/bin/sh", NULL, NULL, NULL, NULL, 1},
	     {"nc", "/usr/bin/nc", NULL, NULL, NULL, NULL, 1},
	     {"nc", NULL, NULL, NULL, NULL, NULL, ABSENT});
}

/* The number of execs names the program, in whatever order, and however little, is told. */
static void
counts(void **state)
{
	(void)state;
	/* What /proc shows was begun while nobody read; the records of it come afterwards. */
	TELL(&quiet,
	     "9 exec seeded pid=40 ppid=1 exe=/bin/login comm=login started=0.5 execs=3\n"
	     "9 exec seeded pid=41 ppid=40 exe=/new/sh comm=sh started=1 execs=7 parent_execs=3"
	     " parent_started=0.5\n"
	     "2 flow open pid=41 started=1 execs=5 comm=sh cookie=5" TO "\n"
	     "3 exec pid=41 exe=/mid/sh comm=sh execs=6 started=1\n"
	     "4 flow open pid=41 started=1 execs=6 comm=sh cookie=6" TO "\n"
	     "5 exec pid=41 exe=/new/sh comm=sh execs=7 started=1\n"
	     "6 flow open pid=41 started=1 execs=7 comm=sh cookie=7" TO "\n"
	     "10 flow close cookie=5\n"
	     "10 flow close cookie=6\n"
	     "10 flow close cookie=7\n",
	     {"sh", NULL, NULL, NULL, NULL, NULL, ABSENT},
	     {"sh", "/mid/sh", NULL, NULL, NULL, NULL, 40},
	     {"sh", "/new/sh", NULL, NULL, NULL, NULL, 40},
	     {"sh", NULL, NULL, NULL, NULL, NULL, ABSENT},
	     {"sh", "/mid/sh", NULL, NULL, NULL, NULL, 40},
	     {"sh", "/new/sh", NULL, NULL, NULL, NULL, 40});
	/* Nothing was begun: what /proc shows is what it was. */
	TELL(&quiet,
	     "9 exec seeded pid=40 ppid=1 exe=/bin/login comm=login started=0.5 execs=3\n"
	     "9 exec seeded pid=41 ppid=40 exe=/bin/sh comm=sh started=1 execs=7 parent_execs=3"
	     " parent_started=0.5\n"
	     "2 flow open pid=41 started=1 execs=7 parent_execs=3 parent_started=0.5 comm=sh" TO
	     "\n"
	     "2 flow open pid=41 started=1 execs=7 parent_execs=2 parent_started=0.5 comm=sh" TO
	     "\n"
	     "2 flow open pid=41 started=1 execs=7 parent_execs=3 parent_started=0.6 comm=sh" TO
	     "\n"
	     "9.1 flow open pid=41 started=1 execs=7 parent_execs=2 parent_started=0.5 comm=sh" TO
	     "\n",
	     {"sh", "/bin/sh", "login", NULL, NULL, NULL, 40},
	     {"sh", "/bin/sh", NULL, NULL, NULL, NULL, ABSENT},
	     {"sh", "/bin/sh", NULL, NULL, NULL, NULL, ABSENT},
	     {"sh", "/bin/sh", "login", NULL, NULL, NULL, 40});
}

/* Records that were lost are not made up for by those that were not. */
static void
counts_the_lost(void **state)
{
	(void)state;
	TELL(&quiet,
	     "1 exec pid=41 ppid=3 exe=/bin/a comm=a started=1 execs=2\n" /* 3 is lost */
	     "3 flow open pid=41 started=1 execs=3 comm=x" TO "\n"
	     "4 exec pid=41 exe=/bin/c comm=c execs=4 started=1\n"
	     "5 flow close pid=41 started=1 execs=2 comm=a" TO "\n"
	     "5 flow close pid=41 started=1 execs=3 comm=x" TO "\n"
	     "5 flow close pid=41 started=1 execs=4 comm=c" TO "\n"
	     /* its end is lost, and all of the next one's life */
	     "6 flow close pid=41 started=5.5 execs=4 comm=c" TO "\n",
	     {"x", NULL, NULL, NULL, NULL, NULL, ABSENT},
	     {"a", "/bin/a", NULL, NULL, NULL, NULL, 3},
	     {"x", NULL, NULL, NULL, NULL, NULL, ABSENT},
	     {"c", "/bin/c", NULL, NULL, NULL, NULL, 3},
	     {"c", NULL, NULL, NULL, NULL, NULL, ABSENT});
	/* A copy runs what it was copied from, and with CLONE_PARENT that is not its parent. */
	TELL(&quiet,
	     "1 exec pid=40 ppid=3 exe=/bin/a comm=a started=1 execs=2\n"
	     "2 fork pid=41 ppid=40 comm=a started=2 execs=2 parent_execs=2 parent_started=1\n"
	     "2 fork pid=42 ppid=40 comm=b started=2 execs=3 parent_execs=2 parent_started=1\n"
	     "3 flow open pid=41 started=2 execs=2 comm=a" TO "\n"
	     "3 flow open pid=42 started=2 execs=3 comm=b" TO "\n",
	     {"a", "/bin/a", "a", NULL, NULL, NULL, 40}, {"b", NULL, "a", NULL, NULL, NULL, 40});
}

/* A pid that recurs is never taken for its predecessor, with and without an exit between. */
static void
recurs(void **state)
{
	(void)state;
	TELL(&quiet,
	     "1 exec pid=41 ppid=3 exe=/bin/a comm=a started=1\n"
	     "2 exit pid=41\n"
	     "3 exec pid=41 ppid=4 exe=/bin/b comm=b started=3\n"
	     "4 exec pid=41 ppid=5 exe=/bin/c comm=c started=4\n"
	     "5 flow close pid=41 comm=a noted=1.5" TO "\n"
	     "5 flow close pid=41 comm=x noted=2.5" TO "\n"
	     "5 flow close pid=41 comm=b noted=3.5" TO "\n"
	     "5 flow close pid=41 comm=c noted=4.5" TO "\n"
	     "5 flow close pid=41 comm=x noted=0.5" TO "\n"
	     "5 flow close pid=42 comm=x noted=4.5" TO "\n",
	     {"a", "/bin/a", NULL, NULL, NULL, NULL, 3},
	     {"x", NULL, NULL, NULL, NULL, NULL, ABSENT},
	     {"b", "/bin/b", NULL, NULL, NULL, NULL, 4}, {"c", "/bin/c", NULL, NULL, NULL, NULL, 5},
	     {"x", NULL, NULL, NULL, NULL, NULL, ABSENT},
	     {"x", NULL, NULL, NULL, NULL, NULL, ABSENT});
}

static void
groups(void **state)
{
	(void)state;
	/* An id names its path, also for processes that no record connects with it. */
	TELL(&quiet,
	     "1 exec seeded pid=5 exe=/a comm=a cgroup=7 cgroup_path=/docker/" ID "\n"
	     "2 exec pid=9 ppid=8 exe=/b comm=b cgroup=7\n"
	     "3 flow open pid=9" TO "\n"
	     "3 flow open pid=99 comm=z cgroup=7" TO "\n"
	     "3 flow open pid=9 cgroup=8" TO "\n",
	     {"b", "/b", NULL, ID, NULL, NULL, 8}, {"z", NULL, NULL, ID, NULL, NULL, ABSENT},
	     {"b", "/b", NULL, NULL, NULL, NULL, 8});
	/* One id with two paths says nothing any more (v1 nodes); nor does the root's. */
	TELL(&quiet,
	     "1 exec seeded pid=5 exe=/a comm=a cgroup=7 cgroup_path=/docker/" ID "\n"
	     "1 exec seeded pid=6 exe=/b comm=b cgroup=7 cgroup_path=/system.slice/b.service\n"
	     "1 exec seeded pid=7 exe=/c comm=c cgroup=1 cgroup_path=/system.slice/c.service\n"
	     "2 exec pid=9 ppid=8 exe=/d comm=d cgroup=7\n"
	     "2 exec pid=10 ppid=8 exe=/e comm=e cgroup=1\n"
	     "2 fork pid=11 ppid=6\n"
	     "3 flow open pid=5" TO "\n"
	     "3 flow open pid=6" TO "\n"
	     "3 flow open pid=9" TO "\n"
	     "3 flow open pid=10" TO "\n"
	     "3 flow open pid=11" TO "\n",
	     {"a", "/a", NULL, ID, NULL, NULL, 0}, {"b", "/b", NULL, NULL, "b.service", NULL, 0},
	     {"d", "/d", NULL, NULL, NULL, NULL, 8}, {"e", "/e", NULL, NULL, NULL, NULL, 8},
	     {"b", "/b", "b", NULL, "b.service", NULL, 6});
}

/* Only a process that is known to be outside of containers has a user of this host. */
static void
names_users(void **state)
{
	static const struct context_options options = {.passwd = "/tmp/demarc-process-test.passwd"};
	FILE *file = fopen(options.passwd, "w");

	(void)state;
	assert_non_null(file);
	fputs("root:x:0:0::/:\nalice:x:1000:1000::/:\n", file);
	fclose(file);
	TELL(&options,
	     "1 exec seeded pid=5 uid=1000 comm=a cgroup=7 cgroup_path=/docker/" ID "\n"
	     "1 exec seeded pid=6 uid=1000 comm=b cgroup=8 cgroup_path=/system.slice/b.service\n"
	     "1 exec seeded pid=7 uid=0 comm=c cgroup=7 cgroup_path=/docker/" ID "\n"
	     "1 exec seeded pid=8 uid=1000 comm=d\n"
	     "3 flow open pid=5" TO "\n"
	     "3 flow open pid=6" TO "\n"
	     "3 flow open pid=7" TO "\n"
	     "3 flow open pid=8" TO "\n",
	     {"a", NULL, NULL, ID, NULL, NULL, 0}, {"b", NULL, NULL, NULL, "b.service", "alice", 0},
	     {"c", NULL, NULL, ID, NULL, "root", 0}, {"d", NULL, NULL, NULL, NULL, NULL, 0});
	remove(options.passwd);
}

/*
 * The table alone
 * ---------------
 */

static struct process *
add(struct processes *table, uint32_t pid, uint64_t started_ns)
{
	struct process *process = process_add(table, pid, started_ns, false);
	struct program program = {.since_ns = started_ns};

	assert_non_null(process);
	program.exe = text_get(&table->texts, "/bin/same");
	process_run(table, process, &program);
	text_put(&table->texts, program.exe);
	return process;
}

static void
makes_room(void **state)
{
	struct processes table;
	uint32_t pid;

	(void)state;
	processes_init(&table, 10);
	for (pid = 1; pid <= 10; pid++)
		add(&table, pid, pid);
	process_end(&table, process_at(&table, 3, 100), 100);
	process_end(&table, process_at(&table, 7, 100), 101);

	/* those that ended lately may stay beyond the limit */
	table.now_ns = 5 * SECOND;
	add(&table, 11, 200);
	assert_int_equal(table.count, 11);
	assert_non_null(process_at(&table, 3, 50));

	/* until their time is over */
	table.now_ns = 10 * SECOND + 101;
	add(&table, 12, 300);
	assert_int_equal(table.count, 10);
	assert_null(process_at(&table, 3, 50));
	assert_null(process_at(&table, 7, 50));

	/* none has ended: the one not asked for */
	for (pid = 1; pid <= 12; pid++) {
		struct process *process = process_at(&table, pid, 1000);

		if (process)
			process->used = pid != 5;
	}
	add(&table, 13, 400);
	assert_int_equal(table.count, 10);
	assert_null(process_at(&table, 5, 1000));
	assert_non_null(process_at(&table, 1, 1000));
	processes_fini(&table);
	assert_null(table.texts.all);
}

static void
is_bounded(void **state)
{
	struct processes table;
	uint32_t i;

	(void)state;
	processes_init(&table, 100);
	for (i = 0; i < 5000; i++) {
		struct process *process = add(&table, 1 + i % 997, i);

		if (i % 3)
			process_end(&table, process, i);
		assert_true(table.count <= 200);
	}
	processes_fini(&table);
	assert_int_equal(table.count, 0);
	assert_null(table.texts.all);
}

static void
orders_incarnations(void **state)
{
	struct processes table;
	struct process *late;

	(void)state;
	processes_init(&table, 10);
	add(&table, 1, 100);
	add(&table, 1, 300);
	late = add(&table, 1, 200); /* told of last: it must have ended before 300 */
	assert_int_equal(late->ended_ns, 300);
	assert_int_equal(process_at(&table, 1, 250)->started_ns, 200);
	assert_int_equal(process_at(&table, 1, 350)->started_ns, 300);
	assert_int_equal(process_at(&table, 1, 150)->started_ns, 100);
	assert_null(process_at(&table, 1, 99));
	assert_int_equal(process_find(&table, 1, 200, false)->started_ns, 200);
	assert_null(process_find(&table, 1, 201, false));
	assert_int_equal(process_find(&table, 1, 0, false)->started_ns, 300);
	/* /proc tells starts in ticks */
	assert_non_null(process_find(&table, 1, 301, true));
	assert_null(process_find(&table, 1, 301 + PROCESS_TICK_NS, true));
	processes_fini(&table);
}

static void
forgets_programs(void **state)
{
	struct processes table;
	struct process *process;
	uint64_t i;

	(void)state;
	processes_init(&table, 10);
	process = add(&table, 1, 1);
	for (i = 1; i < 30; i++) {
		struct program program = {.since_ns = 10 * i};
		char name[16];

		snprintf(name, sizeof(name), "p%llu", (unsigned long long)i);
		program.name = text_get(&table.texts, name);
		process_run(&table, process, &program);
		text_put(&table.texts, program.name);
	}
	assert_string_equal(process_program(process, 1000)->name->bytes, "p29");
	assert_string_equal(process_program(process, 289)->name->bytes, "p28");
	assert_string_equal(process_program(process, 300 - 10 * PROCESS_PROGRAMS)->name->bytes,
			    "p22");
	assert_null(process_program(process, 219)); /* too long ago: not guessed */
	processes_fini(&table);
	assert_null(table.texts.all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inherits),         cmocka_unit_test(remembers),
		cmocka_unit_test(recurs),           cmocka_unit_test(groups),
		cmocka_unit_test(names_users),      cmocka_unit_test(makes_room),
		cmocka_unit_test(is_bounded),       cmocka_unit_test(orders_incarnations),
		cmocka_unit_test(forgets_programs), cmocka_unit_test(counts),
		cmocka_unit_test(counts_the_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
