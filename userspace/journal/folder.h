/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* folder.h - the journal's directory: made, locked, and whose it is. */
#ifndef JOURNAL_FOLDER_H
#define JOURNAL_FOLDER_H

#include <stddef.h>

#include "base/error.h"

/* With its parents; it alone has mode 0700. */
int folder_make(const char *directory, struct error *why);
/* *out holds the lock until it is closed. -EBUSY: another process has it. */
int folder_lock(int *out, const char *directory, struct error *why);
/* A name that may stand in a log_name; what: whose it is, for the error. */
int name_take(char *out, size_t room, const char *name, const char *what, struct error *why);

#endif /* JOURNAL_FOLDER_H */
