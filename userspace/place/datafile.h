/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * datafile.h - read a data file once, whole, and take its digest over the same bytes.
 */
#ifndef PLACE_DATAFILE_H
#define PLACE_DATAFILE_H

#include "base/buf.h"
#include "base/error.h"

#define DIGEST_TEXT        65
#define DATAFILE_BYTES_MAX ((size_t)1 << 30)

/* text gets the file and room for a NUL behind it. Fills why->file. */
int datafile_read(struct buf *text, const char *path, char digest[DIGEST_TEXT], struct error *why);

/*
 * A descriptor of a sealed copy in memory, or -errno. For what is mapped instead of read: a
 * file that is written over in place must neither change answers nor end the process.
 */
int datafile_copy(const char *path, char digest[DIGEST_TEXT], struct error *why);

/* Say in why which file is meant; forgets line and column. */
void datafile_name(struct error *why, const char *path);

#endif /* PLACE_DATAFILE_H */
