/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tree.h - a binary tree over the bits of addresses, as an MMDB file stores it.
 *
 * A record is a node, or a value; value 0 is nothing.
 */
#ifndef PLACE_TREE_H
#define PLACE_TREE_H

#include <stddef.h>
#include <stdint.h>

#define TREE_NODE 0x80000000u /* set: the rest is the index of a node */

struct tree {
	uint32_t (*nodes)[2];
	uint32_t count, room;
	uint32_t root;
};

/*
 * The record that stands for the first `bits` bits of key, made by splitting
 * what is above it; valid until the next call. NULL: no memory.
 */
uint32_t *tree_record(struct tree *tree, const uint8_t key[16], unsigned int bits);

/* Turn nodes whose two records are the same value into that value. */
void tree_merge(struct tree *tree);

void tree_fini(struct tree *tree);

#endif /* PLACE_TREE_H */
