/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* hash.h - uthash, told not to exit when memory is short: an element that did not fit has hh.tbl
 * NULL. */
#ifndef CONTEXT_HASH_H
#define CONTEXT_HASH_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#endif /* CONTEXT_HASH_H */
