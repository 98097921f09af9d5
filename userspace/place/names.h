/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * names.h - strings kept once, so that equal ones are the same pointer.
 */
#ifndef PLACE_NAMES_H
#define PLACE_NAMES_H

#include <stddef.h>

struct name;

struct names {
	struct name *table;
};

/* The kept copy, valid until names_fini(); NULL: no memory. Stops at a NUL. */
const char *names_keep(struct names *names, const char *text, size_t length);
void names_fini(struct names *names);

#endif /* PLACE_NAMES_H */
