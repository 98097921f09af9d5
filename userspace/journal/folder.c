/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* folder.c - the journal's directory: made, locked, and whose it is. */
#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

#define PATH_BYTES 4096

int
folder_make(const char *directory, struct error *why)
{
	char path[PATH_BYTES];
	char *slash;
	int error;

	if ((size_t)snprintf(path, sizeof(path), "%s", directory) >= sizeof(path) - 64)
		return error_set(why, -ENAMETOOLONG, "the journal's path is too long");
	for (slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	error = -errno;
	return error_set(why, error, "cannot make the journal's directory %s: %s", directory,
			 strerror(-error));
}

/* Whose lock it is: as its holder wrote it. */
static int
complain_busy(int fd, const char *directory, struct error *why)
{
	char pid[24] = "";
	ssize_t got = pread(fd, pid, sizeof(pid) - 1, 0);

	pid[got > 0 ? got : 0] = '\0';
	pid[strcspn(pid, "\n")] = '\0';
	return error_set(why, -EBUSY, "the journal %s is in use by another process%s%s", directory,
			 pid[0] ? ", pid " : "", pid);
}

int
folder_lock(int *out, const char *directory, struct error *why)
{
	char path[PATH_BYTES];
	int fd cleanup(fd_drop) = -1;
	int error;

	snprintf(path, sizeof(path), "%s/lock", directory);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		error = -errno;
		return error_set(why, error, "cannot open %s: %s", path, strerror(-error));
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return complain_busy(fd, directory, why);
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
		log_debug("journal", "cannot write the pid to %s", path);
	*out = fd;
	fd = -1;
	return 0;
}

/* Names stand in paths of log_name and in fixed fields of the segments. */
int
name_take(char *out, size_t room, const char *name, const char *what, struct error *why)
{
	const unsigned char *byte;

	if (!name[0])
		return error_set(why, -EINVAL, "the %s has no name", what);
	if (strlen(name) >= room)
		return error_set(why, -EINVAL, "the name of the %s is longer than %zu bytes", what,
				 room - 1);
	for (byte = (const unsigned char *)name; *byte; byte++)
		if (*byte < 0x20 || *byte == 0x7f || *byte == '/')
			return error_set(why, -EINVAL,
					 "the name of the %s has a slash or a control character",
					 what);
	memcpy(out, name, strlen(name) + 1);
	return 0;
}
