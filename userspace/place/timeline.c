/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* timeline - which strings hold at which moment. Pure. */
#include "place/timeline.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"

static void
timeline_drop(struct timeline *timeline)
{
	timeline_fini(timeline);
}

static int
compare(const void *a, const void *b)
{
	const struct moment *left = a, *right = b;

	return (left->from_ms > right->from_ms) - (left->from_ms < right->from_ms);
}

/* Every moment at which something begins or ends, once each. */
static size_t
note_moments(struct moment *moments, const struct period *periods, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		moments[2 * i].from_ms = periods[i].from_ms;
		moments[2 * i + 1].from_ms = periods[i].until_ms;
	}
	qsort(moments, 2 * count, sizeof(*moments), compare);
	for (size_t i = 0; i < 2 * count; i++) {
		if (kept == 0 || moments[kept - 1].from_ms != moments[i].from_ms)
			moments[kept++].from_ms = moments[i].from_ms;
	}
	return kept;
}

static int
fill(struct moment *moment, const struct period *periods, size_t count)
{
	size_t held = 0, put = 0;

	for (size_t i = 0; i < count; i++)
		held += periods[i].from_ms <= moment->from_ms &&
			moment->from_ms < periods[i].until_ms;
	if (held == 0)
		return 0;
	moment->set = calloc(held + 1, sizeof(*moment->set));
	if (!moment->set)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct period *period = &periods[i];

		if (period->from_ms > moment->from_ms || moment->from_ms >= period->until_ms)
			continue;
		if (put == 0 || moment->set[put - 1] != period->text)
			moment->set[put++] = period->text;
	}
	return 0;
}

int
timeline_build(struct timeline *timeline, const struct period *periods, size_t count)
{
	struct timeline made cleanup(timeline_drop) = {0};

	if (count > 0) {
		made.moments = calloc(2 * count, sizeof(*made.moments));
		if (!made.moments)
			return -ENOMEM;
		made.count = note_moments(made.moments, periods, count);
	}
	for (size_t i = 0; i < made.count; i++) {
		if (fill(&made.moments[i], periods, count) < 0)
			return -ENOMEM;
	}
	*timeline = made;
	made = (struct timeline){0};
	return 0;
}

const char *const *
timeline_find(const struct timeline *timeline, int64_t wall_ms)
{
	size_t low = 0, high = timeline->count;

	while (low < high) { /* the first moment after wall_ms */
		size_t middle = low + (high - low) / 2;

		if (timeline->moments[middle].from_ms <= wall_ms)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? NULL : (const char *const *)timeline->moments[low - 1].set;
}

void
timeline_fini(struct timeline *timeline)
{
	for (size_t i = 0; i < timeline->count; i++)
		free(timeline->moments[i].set);
	free(timeline->moments);
	*timeline = (struct timeline){0};
}
