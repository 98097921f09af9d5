/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* names - strings kept once. */
#include "place/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

struct name {
	UT_hash_handle hh;
	char text[];
};

const char *
names_keep(struct names *names, const char *text, size_t length)
{
	struct name *name = NULL;

	length = strnlen(text, length);
	HASH_FIND(hh, names->table, text, length, name);
	if (name)
		return name->text;
	name = calloc(1, sizeof(*name) + length + 1);
	if (!name)
		return NULL;
	memcpy(name->text, text, length);
	HASH_ADD(hh, names->table, text[0], length, name);
	if (!name->hh.tbl) { /* uthash found no memory */
		free(name);
		return NULL;
	}
	return name->text;
}

void
names_fini(struct names *names)
{
	struct name *name, *next;

	HASH_ITER (hh, names->table, name, next) {
		HASH_DEL(names->table, name);
		free(name);
	}
}
