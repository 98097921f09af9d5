/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* seed - the processes that were there before the agent, as records. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

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
	exec->flags = WIRE_EXEC_SEEDED;
	exec->head.kind = WIRE_EXEC;
	exec->head.size = sizeof(*exec);
	exec->head.time_ns = clock_boot_ns();
	add_slice(seed, &exec->exe, exe);
	add_slice(seed, &exec->argv, "");
	add_slice(seed, &exec->cgroup_path, path);
	return true;
}

int
seed_scan(const struct proc *proc, const char *cgroup, context_emit_fn emit, void *arg)
{
	int fd = proc->root < 0 ? -1 : openat(proc->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *all cleanup(directory_drop) = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	uint64_t sequence = 0;
	int result;

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
		result = emit(&seed.exec.head, arg);
		if (result)
			return result;
	}
	return 0;
}
