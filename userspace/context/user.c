/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* user - names of users, from a passwd file. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "context/user.h"

#define PASSWD_BYTES (16u << 20)

/* "name:password:uid:..." of one line, cut up in place. */
static bool
read_line(struct user *out, char *line)
{
	char *name = strsep(&line, ":");
	unsigned long uid;
	char *digits, *end;

	if (!line || !*name || *name == '#' || *name == '+' || *name == '-')
		return false;
	strsep(&line, ":");
	digits = strsep(&line, ":");
	if (!digits || *digits < '0' || *digits > '9')
		return false;
	errno = 0;
	uid = strtoul(digits, &end, 10);
	if (errno || *end || uid >= UINT32_MAX)
		return false;
	*out = (struct user){.uid = (uint32_t)uid, .name = name};
	return true;
}

static int
compare(const void *left, const void *right)
{
	const struct user *a = left, *b = right;

	if (a->uid != b->uid)
		return a->uid < b->uid ? -1 : 1;
	return a->rank < b->rank ? -1 : a->rank > b->rank;
}

static size_t
count_lines(const char *text, size_t length)
{
	size_t lines = 1;

	for (; length; length--)
		lines += *text++ == '\n';
	return lines;
}

int
users_parse(struct users *out, const char *text, size_t length)
{
	struct user *list cleanup(free_drop) = NULL;
	char *copy cleanup(free_drop) = strndup(text, length);
	char *line, *rest = copy;
	size_t count = 0;

	list = calloc(count_lines(text, length), sizeof(*list));
	if (!copy || !list)
		return -ENOMEM;
	while ((line = strsep(&rest, "\n"))) {
		if (read_line(&list[count], line)) {
			list[count].rank = (uint32_t)count;
			count++;
		}
	}
	qsort(list, count, sizeof(*list), compare);
	*out = (struct users){.list = take(list), .count = count, .text = take(copy)};
	return 0;
}

static bool
is_same(const struct users *users, const struct stat *now)
{
	return users->list && users->device == now->st_dev && users->inode == now->st_ino &&
	       users->size == (uint64_t)now->st_size &&
	       users->modified.tv_sec == now->st_mtim.tv_sec &&
	       users->modified.tv_nsec == now->st_mtim.tv_nsec;
}

int
users_refresh(struct users *users, const char *path)
{
	struct buf text cleanup(buf_fini) = {0};
	struct users fresh;
	struct stat now;
	int result;

	if (stat(path, &now) < 0)
		return -errno;
	if (is_same(users, &now))
		return 0;
	result = buf_read_file(&text, path, PASSWD_BYTES);
	if (result < 0)
		return result;
	result = users_parse(&fresh, buf_text(&text), text.length);
	if (result < 0)
		return result;
	/* Of the file before it was read: a change meanwhile is found the next time. */
	fresh.device = now.st_dev;
	fresh.inode = now.st_ino;
	fresh.size = (uint64_t)now.st_size;
	fresh.modified = now.st_mtim;
	users_fini(users);
	*users = fresh;
	return 0;
}

const char *
users_name(const struct users *users, uint32_t uid)
{
	size_t low = 0, high = users->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (users->list[middle].uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < users->count && users->list[low].uid == uid ? users->list[low].name : NULL;
}

void
users_fini(struct users *users)
{
	free(users->list);
	free(users->text);
	*users = (struct users){0};
}
