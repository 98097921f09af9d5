/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * jsonc.h - JSON with comments, parsed strictly, with places for errors.
 *
 * Wraps cJSON and closes its traps: comments (// and block) are blanked first so
 * that positions stay true, duplicate keys are errors, trailing bytes are errors.
 * Look members up with cJSON_GetObjectItemCaseSensitive() only.
 *
 *	struct jsonc doc cleanup(jsonc_fini) = {0};
 *
 *	if (jsonc_parse(&doc, text, length, why) < 0) ...
 *	if (!cJSON_IsString(item))
 *		return jsonc_error(&doc, item, why, "must be a string");
 */
#ifndef BASE_JSONC_H
#define BASE_JSONC_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "base/error.h"

struct jsonc {
	cJSON *root;
	char *text; /* without comments, same length as what was given */
	size_t length;
};

/* 0, -EINVAL with the place in why, or -ENOMEM. doc is filled only on success. */
int jsonc_parse(struct jsonc *doc, const char *text, size_t length, struct error *why);
/* Puts path into why->file even on success, for the jsonc_error() calls that follow. */
int jsonc_parse_file(struct jsonc *doc, const char *path, struct error *why);
void jsonc_fini(struct jsonc *doc);

/*
 * Say what is wrong with item: finds its line and column in the text (of the
 * key, for a member of an object) and fills why. Returns -EINVAL.
 */
int jsonc_error(const struct jsonc *doc, const cJSON *item, struct error *why, const char *format,
		...) __attribute__((format(printf, 4, 5)));

/* Line and column of item, from 1. 0 when item is not of this document. */
void jsonc_locate(const struct jsonc *doc, const cJSON *item, unsigned int *line,
		  unsigned int *column);

#endif /* BASE_JSONC_H */
