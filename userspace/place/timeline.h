/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * timeline.h - which strings hold at which moment, from periods.
 *
 * Built once, so that a look-up is a search and returns an array that stays.
 */
#ifndef PLACE_TIMELINE_H
#define PLACE_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

/* text holds from from_ms until before until_ms. */
struct period {
	int64_t from_ms;
	int64_t until_ms;
	const char *text;
};

struct moment {
	int64_t from_ms;
	const char **set; /* NULL-terminated; NULL when nothing holds */
};

struct timeline {
	struct moment *moments; /* sorted by time */
	size_t count;
};

/*
 * 0 or -ENOMEM; *timeline is untouched on failure. Sets keep the order of the
 * periods; texts are compared as pointers, and equal ones must stand together.
 */
int timeline_build(struct timeline *timeline, const struct period *periods, size_t count);

/* What holds at the moment; NULL when nothing does. */
const char *const *timeline_find(const struct timeline *timeline, int64_t wall_ms);

void timeline_fini(struct timeline *timeline);

#endif /* PLACE_TIMELINE_H */
