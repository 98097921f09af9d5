/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * group.h - cgroups: a path, what it says, and which v2 id has it.
 *
 * One struct group per path, shared by all programs that ran there. The index by
 * v2 id remembers answers, also that there is none, so that the next event of
 * that cgroup costs one look-up. An id that was seen with two paths says nothing
 * (v1 and hybrid nodes, where everything may sit in the v2 root) and is ignored
 * from then on, and so is the root's.
 */
#ifndef CONTEXT_GROUP_H
#define CONTEXT_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "context.h"
#include "base/hash.h"

struct group {
	unsigned int users;
	UT_hash_handle hh;
	struct cgroup_owner owner;
	char path[];
};

struct group_id {
	uint64_t id;
	struct group *group; /* NULL: nobody knows, or several paths */
	bool ambiguous;
	UT_hash_handle hh;
};

struct groups {
	struct group *by_path;
	struct group_id *by_id;
	size_t room; /* of by_id */
};

#define GROUP_ROOT_ID 1 /* of the v2 hierarchy, in every kernel */

/* The group of a path, the caller's to put. NULL for "", NULL, and without memory. */
struct group *group_get(struct groups *groups, const char *path);
struct group *group_share(struct group *group);
void group_put(struct groups *groups, struct group *group);

/* What is known of an id: *out may come out NULL. False: never asked before. The group is lent. */
bool group_find(const struct groups *groups, uint64_t id, struct group **out);

/* Remember that id has this group (NULL: that it cannot be told). */
void group_remember(struct groups *groups, uint64_t id, struct group *group);

void groups_fini(struct groups *groups);

#endif /* CONTEXT_GROUP_H */
