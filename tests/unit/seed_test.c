/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* seed_test - what the context learns from /proc: a made-up one, and this machine's. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "context.h"
#include "context/proc.h"
#include "event.h"

#define ID   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TICK 10000000ll

/*
 * A /proc of our own
 * ------------------
 */

static char root[] = "/tmp/demarc-seed-XXXXXX";

static void
put(const char *pid, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", root, pid);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%s/%s", root, pid, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* Starts are in ticks of 1/100 s. */
static void
put_process(const char *pid, const char *comm, const char *ppid, const char *start, const char *exe,
	    const char *cgroup)
{
	char text[512], path[256];

	snprintf(text, sizeof(text),
		 "%s (%s) S %s 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 %s 1 2 3\n", pid, comm,
		 ppid, start);
	put(pid, "stat", text);
	put(pid, "status", "Name:\tx\nUid:\t33\t34\t35\t36\nGid:\t43\t44\t45\t46\n");
	put(pid, "loginuid", "1000");
	put(pid, "sessionid", "4294967295");
	put(pid, "cgroup", cgroup);
	snprintf(path, sizeof(path), "%s/%s/exe", root, pid);
	unlink(path);
	if (*exe)
		assert_int_equal(symlink(exe, path), 0);
}

static int
make_proc(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(root));
	put("self", "cgroup", "1:cpu:/\n0::/\n"); /* hybrid: ids are not telling */
	put_process("1", "init", "0", "1", "/sbin/init", "1:cpu:/init.scope\n0::/\n");
	put_process("2", "kthreadd", "0", "1", "", "1:cpu:/\n0::/\n");
	put_process("40", "od) d (x", "1", "500", "/opt/a (deleted)",
		    "1:cpu:/docker/" ID "\n0::/demo/box\n");
	put_process("41", "gone", "1", "500", "/bin/x", "0::/demo2\n");
	put("41", "stat", "41 (gone) Z 1 1 0 -1 1 1 2 3 4 5 6 7 8 20 0 1 0 500 1\n");
	put("42", "stat", "42 nonsense\n");
	return 0;
}

static int
remove_one(const char *path, const struct stat *about, int flag, struct FTW *walk)
{
	(void)about, (void)flag, (void)walk;
	return remove(path);
}

static int
remove_proc(void **state)
{
	(void)state;
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct context *
open_context(const char *proc)
{
	const struct context_options options = {.proc = proc};
	struct context *context;
	struct error why = {0};

	if (context_new(&context, &options, &why) < 0)
		fail_msg("%s", why.text);
	return context;
}

/*
 * Seeds
 * -----
 */

static int
keep(const struct wire_head *record, void *arg)
{
	static const char zeros[8];

	buf_add(arg, record, record->size);
	buf_add(arg, zeros, -(size_t)record->size & 7);
	return 0;
}

static bool
find_seed(const struct buf *seeds, uint32_t pid, struct event *out)
{
	size_t at = 0;

	while (at < seeds->length) {
		const struct wire_head *head = (const void *)(seeds->data + at);

		at += (head->size + 7u) & ~7u;
		assert_int_equal(event_decode(out, head), 0);
		assert_true(out->seeded);
		if (out->process.pid == pid)
			return true;
	}
	return false;
}

static void
seeds(void **state)
{
	struct context *context = open_context(root);
	struct buf all cleanup(buf_fini) = {0};
	struct event event;

	(void)state;
	assert_int_equal(context_seed(context, NULL, keep, &all), 0);
	assert_true(find_seed(&all, 40, &event));
	assert_string_equal(event.process.name, "od) d (x");
	assert_string_equal(event.process.exe, "/opt/a");
	assert_string_equal(event.process.cgroup_path, "/docker/" ID);
	assert_null(event.process.argv);
	assert_int_equal(event.process.ppid, 1);
	assert_int_equal(event.process.uid, 33);
	assert_int_equal(event.process.gid, 43);
	assert_int_equal(event.process.loginuid, 1000);
	assert_int_equal(event.process.session, ABSENT);
	assert_int_equal(event.process.started_ns, 500 * TICK);
	assert_true(find_seed(&all, 2, &event)); /* a kernel thread */
	assert_null(event.process.exe);
	assert_true(find_seed(&all, 1, &event));
	assert_false(find_seed(&all, 41, &event)); /* a zombie */
	assert_false(find_seed(&all, 42, &event));
	context_free(context);
}

static void
seeds_below(void **state)
{
	static const struct {
		const char *cgroup;
		bool is_in;
	} cases[] = {{"/demo", true},  {"/demo/", true},   {"/demo/box", true},    {"", true},
		     {"demo", true},   {"demo/box", true}, {"/demo/boxes", false}, {"/dem", false},
		     {"/other", false}};
	struct context *context = open_context(root);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf all cleanup(buf_fini) = {0};
		struct event event;

		assert_int_equal(context_seed(context, cases[i].cgroup, keep, &all), 0);
		if (find_seed(&all, 40, &event) != cases[i].is_in)
			fail_msg("%s", cases[i].cgroup);
	}
	context_free(context);
}

static int
stop(const struct wire_head *record, void *arg)
{
	(void)record;
	++*(int *)arg;
	return -EINTR;
}

static void
stops(void **state)
{
	struct context *context = open_context(root);
	int calls = 0;

	(void)state;
	assert_int_equal(context_seed(context, NULL, stop, &calls), -EINTR);
	assert_int_equal(calls, 1);
	context_free(context);

	context = open_context(NULL);
	assert_int_equal(context_seed(context, NULL, stop, &calls), -ENOENT);
	context_free(context);
}

/*
 * Looks at /proc
 * --------------
 */

/* What the kernel says runs: one process, or nobody can be asked. */
static int
tell_running(struct wire_running **out, size_t *count, void *arg)
{
	*out = malloc(sizeof(**out));
	assert_non_null(*out);
	**out = *(const struct wire_running *)arg;
	*count = 1;
	return 0;
}

static void
apply(struct context *context, struct event *event, const struct wire_flow *flow)
{
	assert_int_equal(event_decode(event, &flow->head), 0);
	context_apply(context, event);
}

static void
apply_flow(struct context *context, struct event *event, uint32_t pid, const char *comm,
	   uint64_t noted_ns)
{
	struct wire_flow flow = {
		.head = {.kind = WIRE_FLOW, .size = sizeof(flow), .time_ns = noted_ns},
		.owner = {.pid = pid, .basis = WIRE_BASIS_CONNECT, .noted_ns = noted_ns},
	};

	strcpy(flow.owner.comm, comm);
	apply(context, event, &flow);
}

/* A process that no record told of: as far as /proc is certain, never further. */
static void
looks(void **state)
{
	struct context *context = open_context(root);
	struct event event;

	(void)state;
	apply_flow(context, &event, 40, "od) d (x", 499 * TICK); /* began later: another one */
	assert_null(event.process.exe);
	assert_null(event.process.container);
	assert_int_equal(event.process.ppid, ABSENT);

	apply_flow(context, &event, 40, "od) d (x", 501 * TICK); /* may be another program since */
	assert_null(event.process.exe);
	assert_int_equal(event.process.ppid, ABSENT);
	assert_int_equal(event.process.loginuid, ABSENT);
	assert_string_equal(event.process.container, ID);
	assert_int_equal(context_count(context), 1);

	apply_flow(context, &event, 40, "od) d (x", clock_boot_ns() + TICK);
	assert_string_equal(event.process.exe, "/opt/a");
	assert_int_equal(event.process.ppid, 1);
	assert_int_equal(event.process.loginuid, 1000);

	apply_flow(context, &event, 1, "other", 501 * TICK);
	assert_null(event.process.exe);
	assert_string_equal(event.process.unit, "init.scope");

	apply_flow(context, &event, 41, "gone", 501 * TICK);
	apply_flow(context, &event, 42, "none", 501 * TICK);
	apply_flow(context, &event, 43, "none", 501 * TICK);
	assert_int_equal(context_count(context), 2);
	context_free(context);
}

/* The kernel vouches for what /proc shows, or it does not. */
static void
looks_and_asks(void **state)
{
	static const struct {
		uint64_t started_ns;
		uint32_t execs;
		bool is_same;
	} cases[] = {
		{500 * TICK + 5, 7, true},
		{500 * TICK + 5, 6, false}, /* it became another since */
		{500 * TICK + 5, 8, false},
		{500 * TICK + 6, 7, false}, /* not that process */
		{400 * TICK, 7, false},
	};
	struct wire_running running = {
		.pid = 40, .started_ns = 500 * TICK + 5, .program = {.execs = 7}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wire_flow flow = {
			.head = {.kind = WIRE_FLOW, .size = sizeof(flow), .time_ns = 501 * TICK},
			.owner = {.pid = 40, .basis = WIRE_BASIS_CONNECT, .noted_ns = 501 * TICK},
			.started_ns = cases[i].started_ns,
			.program = {.execs = cases[i].execs},
		};
		struct context *context = open_context(root);
		struct event event;

		context_ask(context, tell_running, &running);
		strcpy(flow.owner.comm, "od) d (x");
		apply(context, &event, &flow);
		if (!event.process.exe != !cases[i].is_same)
			fail_msg("case %zu: %s", i, event.process.exe);
		assert_int_equal(event.process.started_ns, cases[i].started_ns);
		context_free(context);
	}
}

/* A seed is of one program if the kernel says the same before and after. */
static void
seeds_and_asks(void **state)
{
	struct wire_running running = {
		.pid = 40, .started_ns = 500 * TICK + 5, .program = {500, 7, 3}};
	struct context *context = open_context(root);
	struct buf all cleanup(buf_fini) = {0};
	struct event event;

	(void)state;
	context_ask(context, tell_running, &running);
	assert_int_equal(context_seed(context, NULL, keep, &all), 0);
	assert_true(find_seed(&all, 40, &event));
	assert_string_equal(event.process.exe, "/opt/a");
	assert_int_equal(event.process.execs, 7);
	assert_int_equal(event.process.started_ns, 500 * TICK + 5);
	assert_int_equal(event.process.parent_execs, 3);
	assert_int_equal(event.process.parent_started_ns, 500);
	assert_true(find_seed(&all, 1, &event)); /* nothing is said of it */
	assert_null(event.process.exe);
	assert_int_equal(event.process.execs, ABSENT);
	context_free(context);
}

/* On a hybrid node each exec is looked up, as the cgroup id does not tell. */
static void
looks_at_exec(void **state)
{
	struct context *context = open_context(root);
	struct wire_running running = {
		.pid = 40, .started_ns = 500 * TICK + 5, .program = {.execs = 7}};
	struct {
		struct wire_exec exec;
		char exe[8];
	} record = {
		.exec = {.head = {.kind = WIRE_EXEC, .size = sizeof(record), .time_ns = 510 * TICK},
			 .task = {.pid = 40,
				  .ppid = 1,
				  .cgroup = 1,
				  .started_ns = 500 * TICK + 5,
				  .comm = "od) d (x"},
			 .exe = {sizeof(struct wire_exec), 3},
			 .flags = WIRE_EXEC_PROGRAM,
			 .program = {.execs = 7}},
		.exe = "./a",
	};
	struct event event;

	(void)state;
	context_ask(context, tell_running, &running);
	assert_int_equal(event_decode(&event, &record.exec.head), 0);
	context_apply(context, &event);
	assert_string_equal(event.process.exe, "/opt/a"); /* a relative path tells nobody */
	assert_string_equal(event.process.container, ID);
	assert_string_equal(event.process.runtime, "docker");

	record.exec.task.started_ns = 600 * TICK; /* not the one that /proc shows */
	record.exec.head.time_ns = 610 * TICK;
	assert_int_equal(event_decode(&event, &record.exec.head), 0);
	context_apply(context, &event);
	assert_string_equal(event.process.exe, "./a");
	assert_null(event.process.container);
	context_free(context);
}

/*
 * This machine
 * ------------
 */

#define TICK_NS 10000000 /* of /proc's starts */

static void
finds_itself(void **state)
{
	const struct context_options options = {.proc = "/proc", .passwd = "/etc/passwd"};
	struct context *context;
	struct buf all cleanup(buf_fini) = {0};
	struct error why = {0};
	struct event event;
	char exe[4096] = "", link[64];
	pid_t child;

	(void)state;
	if (context_new(&context, &options, &why) == -EXDEV)
		skip(); /* not in the first pid namespace: refused, as it should be */
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	snprintf(link, sizeof(link), "/proc/%d/exe", child); /* valgrind has another "self" */
	assert_true(readlink(link, exe, sizeof(exe) - 1) > 0);
	assert_int_equal(context_seed(context, "", keep, &all), 0);
	assert_true(find_seed(&all, (uint32_t)child, &event));
	assert_int_equal(event.process.ppid, getpid());
	assert_int_equal(event.process.uid, getuid());
	assert_true(event.process.started_ns <= (int64_t)clock_boot_ns());
	assert_true(event.process.net_ns > 0);

	/* Within a tick of its start it could be another's pid. */
	apply_flow(context, &event, (uint32_t)child, event.process.name, clock_boot_ns() + TICK_NS);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_string_equal(event.process.exe, exe);
	assert_non_null(event.process.cgroup_path);
	context_free(context);
}

/* Between a v2 cgroup's id and its path, both ways, also when nobody runs in it. */
static void
resolves_ids(void **state)
{
	char directory[PROC_PATH_BYTES + 64], name[64], path[PROC_PATH_BYTES];
	struct error why = {0};
	struct proc proc;
	uint64_t id;
	int result;

	(void)state;
	if (proc_open(&proc, "/proc", &why) < 0)
		skip();
	snprintf(name, sizeof(name), "/demarc-seed-test-%d", getpid());
	snprintf(directory, sizeof(directory), "%s%s", proc.cgroups_path, name);
	if (proc.cgroups < 0 || mkdir(directory, 0755) < 0) {
		proc_close(&proc);
		skip(); /* no cgroup v2 tree, or not ours to change */
	}
	id = proc_cgroup_id(&proc, name);
	result = proc_cgroup_path(&proc, id, path, sizeof(path));
	rmdir(directory);
	assert_true(id > 1);
	assert_int_equal(proc_cgroup_id(&proc, "/"), 1);
	assert_int_equal(proc_cgroup_id(&proc, "/../x"), 0);
	if (result != -EPERM) {
		assert_int_equal(result, 0);
		assert_string_equal(path, name);
		assert_true(proc_cgroup_path(&proc, id, path, sizeof(path)) < 0);
	}
	proc_close(&proc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seeds),          cmocka_unit_test(seeds_below),
		cmocka_unit_test(stops),          cmocka_unit_test(looks),
		cmocka_unit_test(looks_at_exec),  cmocka_unit_test(finds_itself),
		cmocka_unit_test(resolves_ids),   cmocka_unit_test(looks_and_asks),
		cmocka_unit_test(seeds_and_asks),
	};

	return cmocka_run_group_tests(tests, make_proc, remove_proc);
}
