/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cursor.h - up to where the broker has each topic, kept in a file that no crash spoils. */
#ifndef STREAM_CURSOR_H
#define STREAM_CURSOR_H

#include <stdint.h>

#include "stream.h"

#define CURSOR_LOG_NAME 424

struct cursor {
	char log_name[CURSOR_LOG_NAME]; /* "": the oldest shard */
	uint64_t sequence;              /* of the first entry that may be missing in the topic */
	uint64_t ordinal;               /* what the topic's next message of this shard gets */
};

/* 0; -ENOENT: there is none; -EBADMSG: it is damaged; -errno. The cursors are filled only with 0.
 */
int cursors_load(struct cursor cursors[STREAM_ENTRY_TOPICS], const char *path);

/* Written beside, synced, renamed. */
int cursors_store(const struct cursor cursors[STREAM_ENTRY_TOPICS], const char *path);

#endif /* STREAM_CURSOR_H */
