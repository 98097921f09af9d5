/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * jsonc_walk.h - go over JSON text byte by byte, to check its grammar or to find
 * where an item of its tree stands. cJSON does the parsing; it is laxer than the
 * standard and forgets places, and this makes up for both.
 */
#ifndef BASE_JSONC_WALK_H
#define BASE_JSONC_WALK_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#define JSONC_DEPTH_MAX 64

struct jsonc_walk {
	const char *text;    /* without comments, NUL-terminated */
	size_t length;       /* NUL not counted */
	size_t at;           /* how far it got; after an error: where that is */
	const char *problem; /* a sentence, NULL while all is well */
	char sentence[96];   /* what problem may point to */
	unsigned int depth;
	const cJSON *wanted; /* stop at this item of the tree, or NULL */
	size_t found;        /* its offset, once is_found */
	bool is_found;
};

/* Go over the whole text. tree is what cJSON made of it; NULL only checks. */
void jsonc_walk(struct jsonc_walk *walk, const cJSON *tree);

#endif /* BASE_JSONC_WALK_H */
