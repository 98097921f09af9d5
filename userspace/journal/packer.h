/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* packer.h - compresses segments that are not written any more, a block at a time. */
#ifndef JOURNAL_PACKER_H
#define JOURNAL_PACKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "segment.h"
#include "shard.h"

/* One segment's copy. */
struct packing {
	struct scan source;
	struct buf raw;
	struct buf packed;
	uint64_t place; /* of raw's first frame */
	uint64_t size;  /* of the new file */
	uint64_t unsynced;
	uint64_t next_sequence;
	int fd; /* of the new file, or -1 */
	char path[4096];
	char temporary[4096];
};

/* 0; 1 when it is compressed already, or damaged and so stays as it is; -errno. */
int packing_begin(struct packing *packing, const char *path);
/* 0: there is more to do. 1: the new file is in the place of the old. -EBADMSG: the old one is
 * damaged, and stays; -errno. */
int packing_step(struct packing *packing);
/* Removes what is not finished. */
void packing_fini(struct packing *packing);

/* The segments that wait for it. */
struct packer;

/* All that are there wait. directory must outlive it. */
int packer_new(struct packer **out, const char *directory);
void packer_free(struct packer *packer);
int packer_add(struct packer *packer, const struct shard *shard, unsigned int segment);
/* The shard is removed. */
void packer_forget(struct packer *packer, const struct shard *shard);
bool packer_has_work(const struct packer *packer);
/* One block. 1: the shard's files are smaller now by so many bytes (or larger: below 0). 0: not
 * yet. */
int packer_step(struct packer *packer, struct shard *shard, int64_t *saved);

#endif /* JOURNAL_PACKER_H */
