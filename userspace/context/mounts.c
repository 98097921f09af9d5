/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* mounts - finds /proc and the cgroup v2 tree, and walks between cgroup ids and paths. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "context/group.h"
#include "context/proc.h"

#define FIRST_PID_NAMESPACE 0xEFFFFFFCu /* its inode number, in every kernel */
#define HANDLE_KERNFS       0xfe        /* type of a file handle that is a cgroup's id */

/* Records name processes by their pid in the first namespace; another /proc would name others. */
static int
check_namespace(const struct proc *proc, const char *path, struct error *why)
{
	struct stat about;

	if (fstatat(proc->root, "1/ns/pid", &about, 0) < 0 &&
	    fstatat(proc->root, "self/ns/pid", &about, 0) < 0)
		return 0;
	if (about.st_ino == FIRST_PID_NAMESPACE)
		return 0;
	return error_set(why, -EXDEV,
			 "%s shows another pid namespace than the kernel's records: mount the "
			 "host's /proc and name it, or share the host's pid namespace",
			 path);
}

/* Is any of the controllers that containers live by still in a v1 hierarchy? */
static bool
is_mixed(const struct proc *proc)
{
	int fd = openat(proc->root, "self/cgroup", O_RDONLY | O_CLOEXEC);
	FILE *file cleanup(file_drop) = fd < 0 ? NULL : fdopen(fd, "r");
	char *line cleanup(free_drop) = NULL;
	size_t room = 0;

	while (file && getline(&line, &room, file) > 0) {
		const char *names = strchr(line, ':');

		if (names && (!strncmp(names, ":cpu", 4) || !strncmp(names, ":memory:", 8) ||
			      !strncmp(names, ":pids:", 6)))
			return true;
	}
	return false;
}

/* mountinfo writes blanks and backslashes as \ooo. */
static void
unescape(char *text)
{
	char *out = text;

	while (*text) {
		unsigned int byte;

		if (*text == '\\' && sscanf(text + 1, "%3o", &byte) == 1 && strlen(text) >= 4) {
			*out++ = (char)byte;
			text += 4;
		} else {
			*out++ = *text++;
		}
	}
	*out = '\0';
}

/* Take the mount of this mountinfo line if it is the root of the v2 hierarchy. */
static bool
take_mount(struct proc *proc, char *line)
{
	char *point = line, *end;
	struct stat about;
	int i, fd;

	if (!strstr(line, " - cgroup2 "))
		return false;
	for (i = 0; i < 4 && point; i++)
		point = strchr(point + 1, ' ');
	end = point ? strchr(point + 1, ' ') : NULL;
	if (!end || (size_t)(end - point) > sizeof(proc->cgroups_path))
		return false;
	*end = '\0';
	unescape(++point);
	fd = open(point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &about) < 0 || about.st_ino != GROUP_ROOT_ID) {
		fd_drop(&fd);
		return false;
	}
	snprintf(proc->cgroups_path, sizeof(proc->cgroups_path), "%s", point);
	proc->cgroups = fd;
	return true;
}

static void
find_cgroups(struct proc *proc)
{
	int fd = openat(proc->root, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	FILE *file cleanup(file_drop) = fd < 0 ? NULL : fdopen(fd, "r");
	char *line cleanup(free_drop) = NULL;
	size_t room = 0;

	while (file && getline(&line, &room, file) > 0) {
		if (take_mount(proc, line))
			return;
	}
}

int
proc_open(struct proc *out, const char *path, struct error *why)
{
	struct proc proc = {.root = -1, .cgroups = -1};
	int result;

	proc.tick_ns = 1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK);
	if (path) {
		proc.root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (proc.root < 0)
			return error_set(why, -errno, "%s: %s", path, strerror(errno));
		result = check_namespace(&proc, path, why);
		if (result < 0) {
			proc_close(&proc);
			return result;
		}
		proc.mixed = is_mixed(&proc);
		find_cgroups(&proc);
	}
	*out = proc;
	return 0;
}

void
proc_close(struct proc *proc)
{
	fd_drop(&proc->root);
	fd_drop(&proc->cgroups);
	proc->root = proc->cgroups = -1;
}

uint64_t
proc_cgroup_id(const struct proc *proc, const char *v2_path)
{
	struct stat about;

	/* ".." stands for what lies outside of our own cgroup namespace */
	if (proc->cgroups < 0 || v2_path[0] != '/' || !strncmp(v2_path, "/..", 3))
		return 0;
	if (fstatat(proc->cgroups, v2_path[1] ? v2_path + 1 : ".", &about, 0) < 0)
		return 0;
	return about.st_ino;
}

int
proc_cgroup_path(const struct proc *proc, uint64_t id, char *out, size_t room)
{
	union {
		struct file_handle handle;
		char bytes[sizeof(struct file_handle) + sizeof(id)];
	} wanted = {.handle = {.handle_bytes = sizeof(id), .handle_type = HANDLE_KERNFS}};
	size_t prefix = strlen(proc->cgroups_path);
	char link[PROC_PATH_BYTES], name[32];
	int fd cleanup(fd_drop) = -1;
	ssize_t length;

	if (proc->cgroups < 0)
		return -ENOENT;
	memcpy(wanted.handle.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(proc->cgroups, &wanted.handle, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	snprintf(name, sizeof(name), "self/fd/%d", fd);
	length = readlinkat(proc->root, name, link, sizeof(link) - 1);
	if (length < 0)
		return -errno;
	link[length] = '\0';
	if (strncmp(link, proc->cgroups_path, prefix) || (link[prefix] && link[prefix] != '/') ||
	    (size_t)length - prefix >= room)
		return -ENOENT;
	snprintf(out, room, "%s", link[prefix] ? link + prefix : "/");
	return 0;
}
