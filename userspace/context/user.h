/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * user.h - names of users, from a passwd file that is read here.
 *
 * Never through NSS: a directory server that hangs must not hang the monitor,
 * and no look-up may leave the machine.
 */
#ifndef CONTEXT_USER_H
#define CONTEXT_USER_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct user {
	uint32_t uid;
	uint32_t rank; /* position in the file: the first name of a uid counts */
	const char *name;
};

struct users {
	struct user *list; /* by uid */
	size_t count;
	char *text; /* the names are parts of it */

	/* what was read, so that a change is noticed */
	uint64_t device, inode, size;
	struct timespec modified;
};

/* Read passwd text. Lines that are not name:password:uid:... are passed over. 0 or -ENOMEM. */
int users_parse(struct users *out, const char *text, size_t length);

/*
 * Read the file again when it is another one or has changed. 0, or -errno with
 * the old names kept; a file that is gone keeps them too.
 */
int users_refresh(struct users *users, const char *path);

/* NULL when the uid has no name. Valid until the next refresh. */
const char *users_name(const struct users *users, uint32_t uid);

void users_fini(struct users *users);

#endif /* CONTEXT_USER_H */
