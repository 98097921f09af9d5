/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sparse.c - an array of which only what is used takes room. */
#include <stdbool.h>
#include <stdlib.h>

#include "audit/sparse.h"
#include "base/hash.h"

#define CHUNK 256 /* elements */

struct sparse_chunk {
	uint64_t number;
	UT_hash_handle hh;
	unsigned char bytes[];
};

static struct sparse_chunk *
find(struct sparse *sparse, uint64_t number)
{
	struct sparse_chunk *chunk = sparse->recent;

	if (chunk && chunk->number == number)
		return chunk;
	HASH_FIND(hh, sparse->chunks, &number, sizeof(number), chunk);
	if (chunk)
		sparse->recent = chunk;
	return chunk;
}

static struct sparse_chunk *
make(struct sparse *sparse, uint64_t number)
{
	struct sparse_chunk *chunk = find(sparse, number);

	if (chunk)
		return chunk;
	chunk = calloc(1, sizeof(*chunk) + CHUNK * sparse->element_bytes);
	if (!chunk)
		return NULL;
	chunk->number = number;
	HASH_ADD(hh, sparse->chunks, number, sizeof(chunk->number), chunk);
	if (!chunk->hh.tbl) {
		free(chunk);
		return NULL;
	}
	sparse->recent = chunk;
	return chunk;
}

static void *
element(const struct sparse *sparse, struct sparse_chunk *chunk, uint64_t index)
{
	return chunk ? chunk->bytes + index % CHUNK * sparse->element_bytes : NULL;
}

void *
sparse_make(struct sparse *sparse, uint64_t index)
{
	return element(sparse, make(sparse, index / CHUNK), index);
}

void *
sparse_find(struct sparse *sparse, uint64_t index)
{
	return element(sparse, find(sparse, index / CHUNK), index);
}

bool
sparse_is_used(struct sparse *sparse, uint64_t index)
{
	const unsigned char *bytes = sparse_find(sparse, index);
	size_t i;

	for (i = 0; bytes && i < sparse->element_bytes; i++)
		if (bytes[i])
			return true;
	return false;
}

uint64_t
sparse_skip(struct sparse *sparse, uint64_t index)
{
	const struct sparse_chunk *chunk;
	uint64_t number = index / CHUNK, best = UINT64_MAX;

	if (find(sparse, number))
		return index;
	for (chunk = sparse->chunks; chunk; chunk = chunk->hh.next)
		if (chunk->number > number && chunk->number < best)
			best = chunk->number;
	return best == UINT64_MAX ? UINT64_MAX : best * CHUNK;
}

void
sparse_fini(struct sparse *sparse)
{
	struct sparse_chunk *chunk, *after;

	HASH_ITER (hh, sparse->chunks, chunk, after) {
		HASH_DELETE(hh, sparse->chunks, chunk);
		free(chunk);
	}
	sparse->recent = NULL;
}
