/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* programs.h - the table of programs, and the objects that hold them. */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>

/* How a program comes to run. */
enum attach {
	BY_CGROUP,  /* a link to the scope's cgroup: a newer program takes its place */
	BY_LINK,    /* a link to a tracepoint: a newer one stands beside it for a moment */
	BY_UPLINK,  /* a filter on each uplink */
	BY_RUNNING, /* an iterator, run once when a set of maps is new */
	BY_READING, /* an iterator, run by whoever reads a file of its link */
	BY_ASKING,  /* an iterator over what runs, never pinned: as BY_READING */
};

typedef const void *(*elf_fn)(size_t *size);

struct program {
	const char *subject;
	const char *name;
	const char *hook;
	elf_fn elf;
	elf_fn plain; /* the same for kernels before 5.12 */
	enum attach attach;
	bool required;
	bool instead; /* only when the row above was refused */
	const char *unseen;
};

extern const struct program programs[];
extern const size_t program_count;

/* Every object, and behind each the same for old kernels. The first declares nearly all maps. */
extern const elf_fn object_files[];
extern const size_t object_count;

/* All programs and maps of the others in one. */
extern const elf_fn object_together;

#endif /* PROGRAMS_H */
