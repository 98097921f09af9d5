/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* shard.c - shards and segments as folders and files: names, lists, removal. */
#include "shard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "segment.h"

#define DAY_MS   ((int64_t)86400 * 1000)
#define LAST_DAY ((int64_t)2932896) /* 9999-12-31 */
#define EXPIRED  ".expired-"

static void
dir_drop(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

struct shard
shard_of(int64_t wall_ms)
{
	int64_t day = wall_ms < 0 ? 0 : wall_ms / DAY_MS;

	return (struct shard){.day = day > LAST_DAY ? LAST_DAY : day, .incarnation = 1};
}

int
shard_compare(const struct shard *a, const struct shard *b)
{
	if (a->day != b->day)
		return a->day < b->day ? -1 : 1;
	if (a->incarnation != b->incarnation)
		return a->incarnation < b->incarnation ? -1 : 1;
	return 0;
}

const char *
shard_format(const struct shard *shard, char out[SHARD_TEXT])
{
	time_t seconds = (time_t)(shard->day * (DAY_MS / 1000));
	struct tm tm = {0};
	size_t length;

	gmtime_r(&seconds, &tm);
	length = strftime(out, SHARD_TEXT, "%Y-%m-%d", &tm);
	if (shard->incarnation > 1)
		snprintf(out + length, SHARD_TEXT - length, ".%u", shard->incarnation);
	return out;
}

/* Parsed loosely, then written back: only names that we would write ourselves are shards. */
bool
shard_parse(struct shard *out, const char *name)
{
	struct tm tm = {0};
	struct shard shard = {.incarnation = 1};
	char text[SHARD_TEXT];
	const char *rest = strptime(name, "%Y-%m-%d", &tm);
	int64_t seconds;

	if (!rest || tm.tm_year < 70)
		return false;
	seconds = (int64_t)timegm(&tm);
	shard.day = seconds / (DAY_MS / 1000);
	if (*rest == '.')
		shard.incarnation = (unsigned int)strtoul(rest + 1, NULL, 10);
	if (shard.day > LAST_DAY || strcmp(shard_format(&shard, text), name) != 0)
		return false;
	*out = shard;
	return true;
}

const char *
segment_format(unsigned int number, char out[SEGMENT_TEXT])
{
	snprintf(out, SEGMENT_TEXT, "%08u.seg", number % 100000000u);
	return out;
}

static bool
parse_segment(unsigned int *out, const char *name)
{
	char text[SEGMENT_TEXT];
	unsigned int number = (unsigned int)strtoul(name, NULL, 10);

	if (strcmp(segment_format(number, text), name) != 0)
		return false;
	*out = number;
	return true;
}

static int
compare_shards(const void *a, const void *b)
{
	return shard_compare(a, b);
}

static int
compare_numbers(const void *a, const void *b)
{
	unsigned int left = *(const unsigned int *)a, right = *(const unsigned int *)b;

	return (left > right) - (left < right);
}

static bool
read_shard(void *item, const char *name)
{
	return shard_parse(item, name);
}

static bool
read_segment(void *item, const char *name)
{
	return parse_segment(item, name);
}

/* The names of a directory that read() accepts, as an array of items. */
static int
list(const char *path, size_t item_bytes, bool (*read_name)(void *item, const char *name),
     char **out, size_t *count)
{
	DIR *dir cleanup(dir_drop) = opendir(path);
	char *items cleanup(free_drop) = NULL, *grown;
	struct dirent *entry;
	size_t n = 0, room = 0;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (n == room) {
			room = room ? room * 2 : 16;
			if (!(grown = realloc(items, room * item_bytes)))
				return -ENOMEM;
			items = grown;
		}
		if (read_name(items + n * item_bytes, entry->d_name))
			n++;
	}
	*out = take(items);
	*count = n;
	return 0;
}

int
shards_list(const char *directory, struct shard **out, size_t *count)
{
	char *items = NULL;
	int error = list(directory, sizeof(**out), read_shard, &items, count);

	if (error)
		return error;
	*out = (struct shard *)(void *)items;
	if (*count)
		qsort(*out, *count, sizeof(**out), compare_shards);
	return 0;
}

int
segments_list(const char *directory, unsigned int **out, size_t *count)
{
	char *items = NULL;
	int error = list(directory, sizeof(**out), read_segment, &items, count);

	if (error)
		return error;
	*out = (unsigned int *)(void *)items;
	if (*count)
		qsort(*out, *count, sizeof(**out), compare_numbers);
	return 0;
}

static DIR *
open_folder(const char *directory, const char *name)
{
	char path[4096];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", directory, name) >= sizeof(path))
		return NULL;
	return opendir(path);
}

uint64_t
shard_bytes(const char *directory, const struct shard *shard)
{
	char name[SHARD_TEXT];
	DIR *dir cleanup(dir_drop) = open_folder(directory, shard_format(shard, name));
	struct dirent *entry;
	struct stat status;
	uint64_t sum = 0;

	while (dir && (entry = readdir(dir)))
		if (fstatat(dirfd(dir), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(status.st_mode))
			sum += (uint64_t)status.st_size;
	return sum;
}

static int
remove_folder(const char *directory, const char *name)
{
	int parent cleanup(fd_drop) = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir cleanup(dir_drop) = open_folder(directory, name);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlinkat(dirfd(dir), entry->d_name, 0);
	if (parent < 0 || unlinkat(parent, name, AT_REMOVEDIR) < 0)
		return -errno;
	return 0;
}

int
shard_remove(const char *directory, const struct shard *shard)
{
	int parent cleanup(fd_drop) = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[SHARD_TEXT], hidden[sizeof(EXPIRED) + SHARD_TEXT];

	shard_format(shard, name);
	snprintf(hidden, sizeof(hidden), EXPIRED "%s", name);
	if (parent < 0 || renameat(parent, name, parent, hidden) < 0)
		return -errno;
	return remove_folder(directory, hidden);
}

/* Copies of segments that were not finished. */
static void
tidy_shard(const char *directory, const char *name)
{
	DIR *dir cleanup(dir_drop) = open_folder(directory, name);
	struct dirent *entry;
	const char *end;

	while (dir && (entry = readdir(dir)))
		if ((end = strrchr(entry->d_name, '.')) && strcmp(end, SEGMENT_TEMPORARY) == 0)
			unlinkat(dirfd(dir), entry->d_name, 0);
}

void
shards_tidy(const char *directory)
{
	DIR *dir cleanup(dir_drop) = opendir(directory);
	struct dirent *entry;
	struct shard shard;

	while (dir && (entry = readdir(dir)))
		if (strncmp(entry->d_name, EXPIRED, sizeof(EXPIRED) - 1) == 0)
			remove_folder(directory, entry->d_name);
		else if (shard_parse(&shard, entry->d_name))
			tidy_shard(directory, entry->d_name);
}

int
directory_sync(const char *path)
{
	int fd cleanup(fd_drop) = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}
