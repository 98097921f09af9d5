/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* pins - folders of a BPF file system. */
#include "pins.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"

#define TRIES 8 /* somebody removes the folder that we are about to lock */

/* Cut path to the longest part of it that exists. */
static void
find_existing(char *path)
{
	char *slash;

	while (access(path, F_OK) < 0 && (slash = strrchr(path, '/')) && slash != path)
		*slash = 0;
	if (access(path, F_OK) < 0)
		strcpy(path, "/");
}

int
pins_check(const char *folder, char *why, size_t room)
{
	char path[PINS_PATH];
	struct statfs fs;

	if (!folder || !*folder) {
		snprintf(why, room, "pins is empty");
		return -ENOENT;
	}
	if (strlen(folder) >= sizeof(path) - 100) {
		snprintf(why, room, "pins is too long");
		return -ENAMETOOLONG;
	}
	strcpy(path, folder);
	find_existing(path);
	if (statfs(path, &fs) < 0) {
		snprintf(why, room, "%.80s: %s", path, strerror(errno));
		return -errno;
	}
	if (fs.f_type == BPF_FS_MAGIC)
		return 0;
	snprintf(why, room, "no BPF file system is mounted at %.80s", folder);
	return -ENOTSUP;
}

static int
make_folders(char *path)
{
	for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		if (mkdir(path, 0700) < 0 && errno != EEXIST && access(path, F_OK) < 0) {
			*slash = '/';
			return -errno;
		}
		*slash = '/';
	}
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* The folder that was locked may have been removed meanwhile by the last who had it. */
static bool
is_there(int fd, const char *path)
{
	struct stat here, there;

	return fstat(fd, &here) == 0 && stat(path, &there) == 0 && here.st_ino == there.st_ino &&
	       here.st_dev == there.st_dev;
}

static int
lock_folder(const char *path)
{
	int fd cleanup(fd_drop) = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int locked;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (!is_there(fd, path))
		return -EAGAIN;
	locked = fd;
	fd = -1;
	return locked;
}

void
pins_name(struct pins *pins, const char *folder, const char *instance)
{
	pins->lock = -1;
	pins->set[0] = 0;
	snprintf(pins->instance, sizeof(pins->instance), "%s/%s", folder, instance);
	for (char *dot = pins->instance + strlen(folder); (dot = strchr(dot, '.'));)
		*dot = '+';
}

void
pins_instance(char instance[PINS_NAME], const char *name)
{
	snprintf(instance, PINS_NAME, "%s", name);
	for (char *plus = instance; (plus = strchr(plus, '+'));)
		*plus = '.';
}

int
pins_open(struct pins *pins, const char *folder, const char *instance, bool make, struct error *why)
{
	char reason[160];
	int result = pins_check(folder, reason, sizeof(reason));

	pins->lock = -1;
	if (result < 0)
		return error_set(why, result, "%s", reason);
	pins_name(pins, folder, instance);
	result = -EAGAIN;
	for (int i = 0; i < TRIES && (result == -EAGAIN || (make && result == -ENOENT)); i++) {
		result = make ? make_folders(pins->instance) : 0;
		if (!result)
			result = lock_folder(pins->instance);
	}
	if (result == -EBUSY)
		return error_set(why, result, "an agent of instance '%s' is running: it has %s",
				 instance, pins->instance);
	if (result < 0)
		return error_set(why, result, "%s: %s", pins->instance, strerror(-result));
	pins->lock = result;
	return 0;
}

int
pins_reopen(struct pins *pins, const char *folder, const char *instance, struct error *why)
{
	struct pins fresh;
	int result;

	if (pins->lock >= 0 && is_there(pins->lock, pins->instance))
		return 0;
	result = pins_open(&fresh, folder, instance, true, why);
	if (result < 0)
		return result;
	pins_forget(pins);
	pins->lock = fresh.lock;
	return 0;
}

int
pins_make(const struct pins *pins)
{
	return mkdir(pins->set, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

void
pins_forget(struct pins *pins)
{
	if (pins->lock >= 0)
		close(pins->lock);
	pins->lock = -1;
}

void
pins_close(struct pins *pins)
{
	char *slash;

	if (pins->lock < 0)
		return;
	if (!rmdir(pins->instance) && (slash = strrchr(pins->instance, '/'))) {
		*slash = 0;
		rmdir(pins->instance);
	}
	close(pins->lock);
	pins->lock = -1;
}

const char *
pin_path(char out[PIN_PATH], const char *set, const char *prefix, const char *name)
{
	snprintf(out, PIN_PATH, "%s/%s%s", set, prefix, name);
	return out;
}

void
pins_each(const char *folder, const char *prefix, pin_fn fn, void *arg)
{
	char path[PIN_PATH];
	DIR *directory = opendir(folder);
	struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		if (entry->d_name[0] != '.' && !strncmp(entry->d_name, prefix, strlen(prefix)) &&
		    snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) <
			    (int)sizeof(path))
			fn(path, entry->d_name + strlen(prefix), arg);
	if (directory)
		closedir(directory);
}

struct walk {
	pin_fn fn;
	void *arg;
};

static bool
is_number(const char *text)
{
	return strspn(text, "0123456789abcdef") >= LAYOUT_TEXT - 1;
}

/* A layout's name, perhaps with the number of a set that was put aside. */
static void
pass_set(const char *path, const char *name, void *arg)
{
	const struct walk *walk = arg;
	const char *end = name + LAYOUT_TEXT - 1;

	if (is_number(name) && (!*end || (*end == '_' && is_number(end + 1) && !end[LAYOUT_TEXT])))
		walk->fn(path, name, walk->arg);
}

void
pins_each_set(const struct pins *pins, pin_fn fn, void *arg)
{
	struct walk walk = {fn, arg};

	pins_each(pins->instance, "", pass_set, &walk);
}

static void
unpin(const char *path, const char *name, void *arg)
{
	(void)name;
	*(size_t *)arg += unlink(path) == 0;
}

size_t
pins_remove(const char *set, const char *prefix)
{
	size_t removed = 0;

	pins_each(set, prefix, unpin, &removed);
	return removed;
}

void
pins_remove_set(const char *set)
{
	pins_remove(set, "link_");
	pins_remove(set, "");
	rmdir(set);
}
