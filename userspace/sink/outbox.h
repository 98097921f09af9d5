/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * outbox.h - lines that wait: first for the disk to have their entry, then for
 * a reader. Unless told to wait, never blocks for long on a pipe, a terminal or a file.
 */
#ifndef SINK_OUTBOX_H
#define SINK_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct outbox {
	int fd;
	size_t limit;      /* bytes that wait for the reader, at most */
	bool waits;        /* for the reader, however long; there is no limit then */
	struct buf staged; /* lines of entries that are not on disk yet */
	struct buf marks;  /* struct mark of each of them */
	size_t staged_at;  /* first byte and mark that are still staged */
	size_t mark_at;
	struct buf ready; /* to be written */
	size_t sent;      /* of ready */
	uint64_t lines;   /* put in ready */
	uint64_t dropped; /* lines for which there was no room */
	int error;        /* the reader is gone: -EPIPE or another */
};

/* limit 0: 16 MiB. Ignores SIGPIPE for the process, if nobody handles it. */
void outbox_init(struct outbox *outbox, int fd, size_t limit);
void outbox_fini(struct outbox *outbox);

/* One line, which ends with its newline. 0 or -ENOMEM. */
int outbox_put(struct outbox *outbox, uint64_t ticket, const char *line, size_t length);
/* Lines up to ticket may be shown: write what the reader takes. 0, or the reader's error. */
int outbox_commit(struct outbox *outbox, uint64_t ticket);
/* Write what is left, for at most wait_ms. Returns how many bytes were not taken. */
size_t outbox_flush(struct outbox *outbox, int wait_ms);

#endif /* SINK_OUTBOX_H */
