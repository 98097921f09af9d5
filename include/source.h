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

/*
 * Recordings
 * ----------
 *
 * A file of records as they came: header, blocks, end mark.
 *
 *	block	u32 bytes, u32 crc, records (each padded with zeros to 8 bytes)
 *	end	u32 0, u32 crc, u64 how many records there are
 *
 * crc is zlib's crc32 continued from the block before, and from the header for
 * the first one, so a block that is damaged, missing or out of order is noticed,
 * and so is a file that was cut short between two blocks. In the byte order of
 * the machine that wrote it.
 */
struct recording_header {
	char magic[8]; /* "DEMARCR1" */
	uint32_t header_bytes;
	uint32_t wire_flow_bytes; /* sizeof(struct wire_flow) when it was written */
	int64_t offset_ms;        /* wall minus boot at the start */
	char boot_id[40];
	char node[64];
};

/*
 * Open a recording, or records as text that people write (see
 * userspace/source/text.c for the format); which of them is told by the content.
 * Text is read whole and a mistake in it is found here, with line and column.
 * -EINVAL: neither of them.
 */
int replay_open(struct source **out, const char *path, struct error *why);
const struct recording_header *replay_header(const struct source *source);

/*
 * drain() yields the records before a damaged place, then fails with -EBADMSG
 * (or the errno of reading) for ever: why and at which byte, or NULL while all is well.
 */
const struct error *replay_error(const struct source *source);

/* Records of kinds that this build does not know; they were left out. */
uint64_t replay_skipped(const struct source *source);

/*
 * Write a new recording over what is at path, readable by its owner only. The
 * header's magic and sizes are filled in. With privacy, exec records are
 * rewritten before they are stored: users' names in paths, and argv. NULL: as they
 * are, and always without the bytes that no field names. privacy must outlive it.
 */
struct recorder;
struct privacy;
int recorder_open(struct recorder **out, const char *path, const struct recording_header *header,
		  const struct privacy *privacy, struct error *why);

/*
 * 0 or -errno; after an error everything is refused with it. A record that
 * contradicts itself is left out and counted, and is no error.
 */
int recorder_put(struct recorder *recorder, const struct wire_head *record);

/*
 * The same, with what the context found out since: the user's name, to be
 * looked for in paths, and the cgroup path of an exec record that came without.
 * Either may be NULL.
 */
int recorder_put_known(struct recorder *recorder, const struct wire_head *record, const char *user,
		       const char *cgroup_path);

/* Write out what waits, at most 64 KiB; for a timer, so that a crash loses little. */
int recorder_flush(struct recorder *recorder);

uint64_t recorder_refused(const struct recorder *recorder);

int recorder_close(struct recorder *recorder); /* flushes; the first error, or 0 */

#endif /* SOURCE_H */
