/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* suggest.h - draft an allow-list from what a journal has seen. */
#ifndef SUGGEST_H
#define SUGGEST_H

#include <stdio.h>

#include "base/error.h"

/*
 * Print a draft: for each rule that raised alerts, an exception for each program
 * and destination seen, with its count, to be cut down by hand. Each expires in
 * days days and names no owner, so that nobody can use it unread. 0, or -errno.
 */
int suggest(FILE *out, const char *journal, unsigned int days, struct error *why);

#endif /* SUGGEST_H */
