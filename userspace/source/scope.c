/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* scope - find the cgroup v2 tree, and the part of it that is watched. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "probes_private.h"

int
cgroup_mount_find(char *path, size_t room)
{
	FILE *mounts cleanup(file_drop) = fopen("/proc/self/mountinfo", "re");
	char line[1024];

	if (!mounts)
		return -errno;
	while (fgets(line, sizeof(line), mounts)) {
		char where[512];

		if (!strstr(line, " - cgroup2 ") ||
		    sscanf(line, "%*s %*s %*s %*s %511s", where) != 1)
			continue;
		if (strlen(where) >= room)
			return -ENAMETOOLONG;
		strcpy(path, where);
		return 0;
	}
	return -ENOENT;
}

static uint32_t
depth(const char *below_mount)
{
	uint32_t level = 0;
	bool in_name = false;

	for (; *below_mount; below_mount++) {
		if (*below_mount != '/' && !in_name)
			level++;
		in_name = *below_mount != '/';
	}
	return level;
}

const char *
scope_below(const char *scope, const char *mount)
{
	size_t length = strlen(mount);

	if (!strncmp(scope, mount, length) && (!scope[length] || scope[length] == '/'))
		scope += length;
	return scope;
}

static int
resolve(const char *scope, const char *mount, char *path, size_t room)
{
	scope = scope_below(scope, mount);
	while (*scope == '/')
		scope++;
	return snprintf(path, room, "%s/%s", mount, scope) < (int)room ? 0 : -ENAMETOOLONG;
}

/* The root of the whole tree has this inode; that of a cgroup namespace has another. */
#define ROOT_INODE 1

static int
check_root(const char *mount, struct error *why)
{
	struct stat st;

	if (stat(mount, &st) < 0)
		return error_set(why, -errno, "%s: %s", mount, strerror(errno));
	if (st.st_ino != ROOT_INODE)
		return error_set(
			why, -ENOTSUP,
			"a cgroup namespace hides the node's tree at %s: run in the host's", mount);
	return 0;
}

int
scope_open(struct probes *probes, struct error *why)
{
	const char *scope = probes->options.scope ? probes->options.scope : "";
	char mount[512], path[1024];
	struct stat st;
	int result = cgroup_mount_find(mount, sizeof(mount));

	if (result < 0)
		return error_set(
			why, -ENOTSUP,
			"no cgroup v2 tree is mounted: mount -t cgroup2 none /sys/fs/cgroup");
	result = check_root(mount, why);
	if (result < 0)
		return result;
	result = resolve(scope, mount, path, sizeof(path));
	if (result < 0)
		return error_set(why, result, "scope: '%s' is too long", scope);
	probes->cgroup_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (probes->cgroup_fd < 0 || fstat(probes->cgroup_fd, &st) < 0)
		return error_set(why, -errno, "scope: %s: %s", path, strerror(errno));
	probes->scope_level = depth(path + strlen(mount));
	probes->scope_id = probes->scope_level ? st.st_ino : 0;
	return 0;
}
