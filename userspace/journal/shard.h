/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* shard.h - shards and segments as folders and files: names, lists, removal. */
#ifndef JOURNAL_SHARD_H
#define JOURNAL_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A UTC day, and how often the node's identity changed within it. */
struct shard {
	int64_t day;              /* since 1970 */
	unsigned int incarnation; /* from 1 */
};

#define SHARD_TEXT   24 /* longest name, NUL included */
#define SEGMENT_TEXT 16

struct shard shard_of(int64_t wall_ms);
int shard_compare(const struct shard *a, const struct shard *b);
/* "2026-11-23", "2026-11-23.2" */
const char *shard_format(const struct shard *shard, char out[SHARD_TEXT]);
bool shard_parse(struct shard *out, const char *name);

const char *segment_format(unsigned int number, char out[SEGMENT_TEXT]);

/* All shards of a directory, oldest first; all segments of a shard. The caller frees *out. */
int shards_list(const char *directory, struct shard **out, size_t *count);
int segments_list(const char *directory, unsigned int **out, size_t *count);

/* Bytes of the files of one shard. */
uint64_t shard_bytes(const char *directory, const struct shard *shard);

/* Remove a shard, so that a crash halfway leaves none that looks whole. */
int shard_remove(const char *directory, const struct shard *shard);
/* Finish what a crash in shard_remove() left. */
void shards_tidy(const char *directory);

/* fsync a directory by its path. */
int directory_sync(const char *path);

#endif /* JOURNAL_SHARD_H */
