/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pins.h - folders of a BPF file system: what lies in them outlives us.
 *
 *	<pins>/<instance>/<layout>/map_NAME
 *	                           link_PROGRAM		or link_PROGRAM_GENERATION
 *	                           prog_PROGRAM		for the filters on uplinks
 *
 * The folder of the instance is locked while an agent runs. A BPF file system
 * takes no dot in a name, so an instance's dots are written as plus signs.
 */
#ifndef PINS_H
#define PINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define LAYOUT_TEXT 17 /* 16 hexadecimal digits */
#define PINS_PATH   512
#define PINS_NAME   64 /* of an instance */

struct pins {
	int lock; /* of the instance's folder; -1: nothing is pinned */
	char instance[PINS_PATH];
	char set[PINS_PATH + LAYOUT_TEXT + 1];
};

/* 0, or -errno and why nothing can be pinned there. Looks only. */
int pins_check(const char *folder, char *why, size_t room);

/* Fill in the instance's folder, without a look at it. */
void pins_name(struct pins *pins, const char *folder, const char *instance);
/* The other way round: whose folder of that name it is. */
void pins_instance(char instance[PINS_NAME], const char *name);

/*
 * Find, or with make create, the instance's folder and lock it. -EBUSY: an agent
 * has it; -ENOENT: it is not there; others as pins_check().
 */
int pins_open(struct pins *pins, const char *folder, const char *instance, bool make,
	      struct error *why);
/* The folder may have been removed meanwhile: make and lock it anew. As pins_open(). */
int pins_reopen(struct pins *pins, const char *folder, const char *instance, struct error *why);
int pins_make(const struct pins *pins); /* the folder of the set */
void pins_close(struct pins *pins);     /* removes folders that are empty */
void pins_forget(struct pins *pins);    /* removes none: nothing is pinned there any more */

/* Path of what is pinned under that name in a set. */
#define PIN_PATH (PINS_PATH + LAYOUT_TEXT + 64)
const char *pin_path(char out[PIN_PATH], const char *set, const char *prefix, const char *name);

/* Call fn for each name in the folder that begins so; it may remove it. */
typedef void (*pin_fn)(const char *path, const char *name, void *arg);
void pins_each(const char *folder, const char *prefix, pin_fn fn, void *arg);
/* The sets of the instance, and nothing else that lies in its folder. */
void pins_each_set(const struct pins *pins, pin_fn fn, void *arg);

/* Unpin what begins so. Returns how many. */
size_t pins_remove(const char *set, const char *prefix);
/* A whole set: what runs first, then what it fills, then the folder. */
void pins_remove_set(const char *set);

#endif /* PINS_H */
