/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* seed - the processes that were there before the agent, as records. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "context/seed.h"

struct seed {
	struct wire_exec exec;
	char bytes[2 * WIRE_TEXT_BYTES]; /* the program's path, then the cgroup's */
};

static void
directory_drop(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

/* Is path the cgroup, or below it? */
static bool
is_within(const char *path, const char *cgroup)
{
	size_t length;

	path += *path == '/';
	cgroup += strspn(cgroup, "/");
	length = strlen(cgroup);
	while (length && cgroup[length - 1] == '/')
		length--;
	return !strncmp(path, cgroup, length) && (!length || !path[length] || path[length] == '/');
}

/* Append a string to the record; one that is too long is left out, not cut to something else. */
static void
add_slice(struct seed *seed, struct wire_slice *slice, const char *text)
{
	size_t length = strlen(text);

	if (length > WIRE_TEXT_BYTES)
		length = 0;
	slice->offset = seed->exec.head.size;
	slice->length = (__u16)length;
	memcpy((char *)seed + seed->exec.head.size, text, length);
	seed->exec.head.size = (__u16)(seed->exec.head.size + length);
}

/* False: not there any more, or outside of the cgroup. */
static bool
describe(struct seed *seed, const struct proc *proc, int task, const char *cgroup)
{
	char exe[WIRE_TEXT_BYTES + 1], path[PROC_PATH_BYTES], v2_path[PROC_PATH_BYTES];
	struct wire_exec *exec = &seed->exec;
	int state = proc_read_stat(proc, task, &exec->task);

	if (state < 0 || state == 'Z' || state == 'X')
		return false;
	proc_read_cgroup(task, path, v2_path, sizeof(path));
	if (!is_within(v2_path, cgroup))
		return false;
	proc_read_ids(task, &exec->task);
	proc_read_exe(task, exe, sizeof(exe));
	exec->task.cgroup = proc_cgroup_id(proc, v2_path);
	exec->flags = WIRE_EXEC_SEEDED | WIRE_EXEC_PROGRAM;
	exec->head.kind = WIRE_EXEC;
	exec->head.size = sizeof(*exec);
	exec->head.time_ns = clock_boot_ns();
	add_slice(seed, &exec->exe, exe);
	add_slice(seed, &exec->argv, "");
	add_slice(seed, &exec->cgroup_path, path);
	return true;
}

/* Records one behind the other, each from a multiple of 8. */
static int
read_all(struct buf *out, const struct proc *proc, const char *cgroup)
{
	static const char zeros[8];
	int fd = proc->root < 0 ? -1 : openat(proc->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *all cleanup(directory_drop) = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	uint64_t sequence = 0;

	if (!all)
		return fd < 0 ? -ENOENT : -ENOMEM;
	while ((entry = readdir(all))) {
		struct seed seed = {0};
		int task cleanup(fd_drop) = -1;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		task = proc_task(proc, (uint32_t)strtoul(entry->d_name, NULL, 10));
		if (task < 0 || !describe(&seed, proc, task, cgroup))
			continue;
		seed.exec.head.sequence = sequence++;
		buf_add(out, &seed, seed.exec.head.size);
		buf_add(out, zeros, -(size_t)seed.exec.head.size & 7);
	}
	return out->failed ? -ENOMEM : 0;
}

/*
 * One program before and after the look is the one that was looked at. Of one that
 * came in between its own record tells.
 */
static void
confirm(struct wire_exec *exec, const struct answer *before, const struct answer *after)
{
	const struct wire_running *was = answer_find(before, exec->task.pid);
	const struct wire_running *is = answer_find(after, exec->task.pid);

	if (is && !is->program.execs) /* a thread of the kernel */
		return;
	if (!running_same(was, is)) {
		exec->exe.length = 0;
		memset(exec->task.comm, 0, sizeof(exec->task.comm));
		return;
	}
	exec->task.started_ns = is->started_ns;
	exec->program.execs = is->program.execs;
	if (is->program.parent_started_ns != was->program.parent_started_ns ||
	    is->program.parent_execs != was->program.parent_execs)
		return;
	exec->program.parent_started_ns = is->program.parent_started_ns;
	exec->program.parent_execs = is->program.parent_execs;
}

int
seed_scan(const struct proc *proc, struct asking *asking, const char *cgroup, context_emit_fn emit,
	  void *arg)
{
	struct answer before cleanup(answer_fini) = {0}, after cleanup(answer_fini) = {0};
	struct buf all cleanup(buf_fini) = {0};
	bool is_told = ask_all(asking, &before) == 0;
	int result = read_all(&all, proc, cgroup);

	is_told = is_told && ask_all(asking, &after) == 0;
	for (size_t at = 0; !result && at < all.length;) {
		struct wire_exec *exec = (void *)(all.data + at);

		if (is_told)
			confirm(exec, &before, &after);
		result = emit(&exec->head, arg);
		at += (exec->head.size + 7u) & ~(size_t)7;
	}
	return result;
}
