/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cleanup.h - the one idiom for releasing things.
 *
 *	struct buf text cleanup(buf_fini) = {0};
 *	struct ruleset *rules cleanup(ruleset_drop) = NULL;
 *	...
 *	*out = take(rules);	the caller's now; the cleanup sees NULL
 *
 * A destructor for cleanup() takes a pointer to the variable.
 */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define cleanup(function) __attribute__((cleanup(function)))

#define take(pointer)                                  \
	__extension__({                                \
		__typeof__(pointer) taken = (pointer); \
		(pointer) = NULL;                      \
		taken;                                 \
	})

/* Defines name_drop(), for cleanup(), from a destructor that takes the pointer itself. */
#define DEFINE_DROP(type, name, destructor)           \
	static inline void name##_drop(type *pointer) \
	{                                             \
		destructor(*pointer);                 \
	}

static inline void
free_drop(void *pointer)
{
	free(*(void **)pointer);
}

static inline void
file_drop(FILE **file)
{
	if (*file)
		fclose(*file);
}

static inline void
fd_drop(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#endif /* BASE_CLEANUP_H */
