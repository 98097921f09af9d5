/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cursor.h - up to where the broker has each topic, kept in a file that no crash spoils.
 *
 * The file has two slots. One is written in place whenever a cursor moves: that outlives
 * a kill, costs no sync, and needs no room on a disk that is full. A sync makes it outlive
 * a power cut as well, and the other slot is the one written from then on.
 */
#ifndef STREAM_CURSOR_H
#define STREAM_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "stream.h"

#define CURSOR_LOG_NAME 424

struct cursor {
	char log_name[CURSOR_LOG_NAME]; /* "": the oldest shard */
	uint64_t sequence;              /* of the first entry that may be missing in the topic */
	uint64_t ordinal;               /* what the topic's next message of this shard gets */
};

struct cursor_file {
	const char *path; /* the caller's */
	int fd;           /* -1: the next write tries again */
	uint64_t number;  /* of the last write */
	unsigned int slot;
	bool is_unsynced;
};

/*
 * Fills the cursors with what was written last; else leaves them alone: -ENOENT: nothing
 * was; -EBADMSG: it is damaged; -errno. The file can be written to whatever it says.
 */
int cursors_open(struct cursor_file *file, const char *path,
		 struct cursor cursors[STREAM_ENTRY_TOPICS]);
void cursors_close(struct cursor_file *file);

int cursors_write(struct cursor_file *file, const struct cursor cursors[STREAM_ENTRY_TOPICS]);
/* What was written outlives a power cut. */
int cursors_sync(struct cursor_file *file);

#endif /* STREAM_CURSOR_H */
