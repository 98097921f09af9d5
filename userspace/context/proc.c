/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* proc - what /proc says of one process. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "context.h"
#include "context/proc.h"

#define UNSET_ID UINT32_MAX /* as audit writes it */

/* A small file as a C string; -errno. */
static int
read_text(int directory, const char *name, char *out, size_t room)
{
	int file cleanup(fd_drop) = openat(directory, name, O_RDONLY | O_CLOEXEC);
	size_t length = 0;

	out[0] = '\0';
	if (file < 0)
		return -errno;
	while (length < room - 1) {
		ssize_t got = read(file, out + length, room - 1 - length);

		if (got < 0)
			return -errno;
		if (!got)
			break;
		length += (size_t)got;
	}
	out[length] = '\0';
	return 0;
}

static uint32_t
read_number(int directory, const char *name)
{
	char text[32];

	if (read_text(directory, name, text, sizeof(text)) < 0 || !isdigit((unsigned char)*text))
		return UNSET_ID;
	return (uint32_t)strtoul(text, NULL, 10);
}

int
proc_task(const struct proc *proc, uint32_t pid)
{
	char name[16];
	int task;

	if (proc->root < 0)
		return -ENOENT;
	snprintf(name, sizeof(name), "%u", pid);
	task = openat(proc->root, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return task < 0 ? -errno : task;
}

int
proc_read_stat(const struct proc *proc, int task, struct wire_task *out)
{
	char text[1024];
	char *open, *close;
	unsigned long long ticks;
	int result = read_text(task, "stat", text, sizeof(text));
	char state;

	if (result < 0)
		return result;
	open = strchr(text, '(');
	close = strrchr(text, ')'); /* a name may hold brackets and spaces */
	if (!open || !close || close < open)
		return -EBADMSG;
	if (sscanf(close + 1,
		   " %c %u %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
		   "%llu",
		   &state, &out->ppid, &ticks) != 3)
		return -EBADMSG;
	*close = '\0';
	out->pid = (uint32_t)strtoul(text, NULL, 10);
	out->started_ns = ticks * proc->tick_ns;
	memset(out->comm, 0, sizeof(out->comm));
	memcpy(out->comm, open + 1, strnlen(open + 1, sizeof(out->comm) - 1));
	return (unsigned char)state;
}

static uint32_t
namespace_id(int task, const char *name)
{
	struct stat about;

	return fstatat(task, name, &about, 0) < 0 ? 0 : (uint32_t)about.st_ino;
}

/* The first number, which is the real id, of a line like "Uid:\t0\t0\t0\t0". */
static uint32_t
status_id(const char *text, const char *label)
{
	const char *at = strstr(text, label);

	return at ? (uint32_t)strtoul(at + strlen(label), NULL, 10) : UNSET_ID;
}

void
proc_read_ids(int task, struct wire_task *out)
{
	char text[4096];

	read_text(task, "status", text, sizeof(text));
	out->uid = status_id(text, "\nUid:\t");
	out->gid = status_id(text, "\nGid:\t");
	out->loginuid = read_number(task, "loginuid");
	out->session = read_number(task, "sessionid");
	out->net_ns = namespace_id(task, "ns/net");
	out->pid_ns = namespace_id(task, "ns/pid");
	out->mnt_ns = namespace_id(task, "ns/mnt");
}

void
proc_read_exe(int task, char *out, size_t room)
{
	static const char gone[] = " (deleted)"; /* replaced on disk; it still is that program */
	ssize_t length = readlinkat(task, "exe", out, room - 1);

	out[length < 0 ? 0 : length] = '\0';
	if (length > (ssize_t)sizeof(gone) - 1 && !strcmp(out + length - (sizeof(gone) - 1), gone))
		out[length - (ssize_t)(sizeof(gone) - 1)] = '\0';
}

void
proc_read_cgroup(int task, char *path, char *v2_path, size_t room)
{
	char text[2 * PROC_PATH_BYTES];
	const char *line;

	path[0] = v2_path[0] = '\0';
	if (read_text(task, "cgroup", text, sizeof(text)) < 0)
		return;
	cgroup_choose(text, path, room);
	line = strstr(text, "0::/");
	if (line && (line == text || line[-1] == '\n'))
		cgroup_choose(line, v2_path, room); /* it is the last line */
}
