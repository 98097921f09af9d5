/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * source.h - something that yields records in the order they happened.
 *
 * The kernel's rings and a recording are both sources; nothing downstream can
 * tell which. drain() hands over at most budget records and returns how many;
 * 0 means none just now, -ENODATA that there will be none ever again. A record
 * is the source's memory and dies when fn returns.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "wire.h"

struct source;
typedef void (*record_fn)(const struct wire_head *record, void *arg);

struct source_ops {
	const char *name;
	int (*fd)(const struct source *source); /* to poll, or -1: always ready */
	int (*drain)(struct source *source, int budget, record_fn fn, void *arg);
	void (*close)(struct source *source);
};

/* Every source begins with its verbs. */
struct source {
	const struct source_ops *ops;
};

/* A recording: the header fixes the clock, the node and the boot they came from. */
struct recording_header {
	char magic[8]; /* "DEMARCR1" */
	uint32_t header_bytes;
	uint32_t wire_flow_bytes; /* sizeof(struct wire_flow) when it was written */
	int64_t offset_ms;        /* wall minus boot at the start */
	char boot_id[40];
	char node[64];
};

int replay_open(struct source **out, const char *path, struct error *why);
const struct recording_header *replay_header(const struct source *source);

struct recorder;
int recorder_open(struct recorder **out, const char *path, const struct recording_header *header,
		  struct error *why);
/* 0 or -errno; after an error everything is refused with it. */
int recorder_put(struct recorder *recorder, const struct wire_head *record);
int recorder_close(struct recorder *recorder); /* flushes; the first error, or 0 */

#endif /* SOURCE_H */
