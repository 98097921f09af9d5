/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* deadletter.h - what a broker never takes is kept beside the cursors, with the reason. */
#ifndef STREAM_DEADLETTER_H
#define STREAM_DEADLETTER_H

#include <stddef.h>
#include <stdint.h>

struct dead_letter {
	const char *reason;
	const char *topic;
	const char *log_name;
	uint64_t sequence;
	uint64_t ordinal;
	const char *entry; /* JSON */
	size_t length;
};

/*
 * Appends a line to the file, and syncs it. A file that would grow beyond limit bytes
 * becomes path.1 first, in place of what that held. 0 or -errno.
 */
int deadletter_add(const char *path, uint64_t limit, const struct dead_letter *letter);

#endif /* STREAM_DEADLETTER_H */
