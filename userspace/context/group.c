/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* group - cgroups: a path, what it says, and which v2 id has it. */
#include <stdlib.h>
#include <string.h>

#include "context/group.h"

struct group *
group_get(struct groups *groups, const char *path)
{
	size_t length = path ? strlen(path) : 0;
	struct group *group;

	if (!length)
		return NULL;
	HASH_FIND(hh, groups->by_path, path, length, group);
	if (group)
		return group_share(group);
	group = calloc(1, sizeof(*group) + length + 1);
	if (!group)
		return NULL;
	group->users = 1;
	memcpy(group->path, path, length);
	cgroup_parse(&group->owner, path);
	HASH_ADD_KEYPTR(hh, groups->by_path, group->path, length, group);
	if (!group->hh.tbl) {
		free(group);
		return NULL;
	}
	return group;
}

struct group *
group_share(struct group *group)
{
	if (group)
		group->users++;
	return group;
}

void
group_put(struct groups *groups, struct group *group)
{
	if (!group || --group->users)
		return;
	HASH_DELETE(hh, groups->by_path, group);
	free(group);
}

bool
group_find(const struct groups *groups, uint64_t id, struct group **out)
{
	struct group_id *known;

	*out = NULL;
	HASH_FIND(hh, groups->by_id, &id, sizeof(id), known);
	if (known)
		*out = known->group;
	return known;
}

static void
forget(struct groups *groups, struct group_id *known)
{
	HASH_DELETE(hh, groups->by_id, known);
	group_put(groups, known->group);
	free(known);
}

static struct group_id *
add(struct groups *groups, uint64_t id)
{
	struct group_id *known = calloc(1, sizeof(*known));

	if (!known)
		return NULL;
	while (HASH_COUNT(groups->by_id) >= groups->room)
		forget(groups, groups->by_id); /* uthash keeps the order of arrival */
	known->id = id;
	HASH_ADD(hh, groups->by_id, id, sizeof(known->id), known);
	if (known->hh.tbl)
		return known;
	free(known);
	return NULL;
}

void
group_remember(struct groups *groups, uint64_t id, struct group *group)
{
	struct group_id *known;

	if (id <= GROUP_ROOT_ID)
		return;
	HASH_FIND(hh, groups->by_id, &id, sizeof(id), known);
	if (!known)
		known = add(groups, id);
	if (!known || known->ambiguous || known->group == group)
		return;
	if (known->group && group) {
		known->ambiguous = true;
		group = NULL;
	}
	group_put(groups, known->group);
	known->group = group_share(group);
}

void
groups_fini(struct groups *groups)
{
	while (groups->by_id)
		forget(groups, groups->by_id);
}
