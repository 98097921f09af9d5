/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sparse.h - an array of which only what is used takes room. */
#ifndef AUDIT_SPARSE_H
#define AUDIT_SPARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sparse_chunk;

struct sparse {
	size_t element_bytes;
	struct sparse_chunk *chunks;
	struct sparse_chunk *recent;
};

/* The element, zeroes at first. NULL: memory is short. */
void *sparse_make(struct sparse *sparse, uint64_t index);
/* NULL: never made. */
void *sparse_find(struct sparse *sparse, uint64_t index);
/* Is it there, and not all zeroes? */
bool sparse_is_used(struct sparse *sparse, uint64_t index);
/* The first index from this one on that may have been made; UINT64_MAX: there is none. */
uint64_t sparse_skip(struct sparse *sparse, uint64_t index);
void sparse_fini(struct sparse *sparse);

#endif /* AUDIT_SPARSE_H */
