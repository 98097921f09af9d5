/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* tree - a binary tree over the bits of addresses. Pure. */
#include "place/tree.h"

#include <errno.h>
#include <stdlib.h>

/* A node both of whose records are value; its record, or 0: no memory. */
static uint32_t
add_node(struct tree *tree, uint32_t value)
{
	if (tree->count == tree->room) {
		uint32_t room = tree->room ? tree->room * 2 : 1024;
		uint32_t(*nodes)[2] = NULL;

		if (room < TREE_NODE)
			nodes = reallocarray(tree->nodes, room, sizeof(*nodes));
		if (!nodes)
			return 0;
		tree->nodes = nodes;
		tree->room = room;
	}
	tree->nodes[tree->count][0] = tree->nodes[tree->count][1] = value;
	return TREE_NODE | tree->count++;
}

uint32_t *
tree_record(struct tree *tree, const uint8_t key[16], unsigned int bits)
{
	uint32_t parent = 0, *record = &tree->root;
	unsigned int side = 0;

	for (unsigned int bit = 0; bit < bits; bit++) {
		if (!(*record & TREE_NODE)) {
			uint32_t made = add_node(tree, *record); /* may move the nodes */

			if (!made)
				return NULL;
			record = bit == 0 ? &tree->root : &tree->nodes[parent][side];
			*record = made;
		}
		parent = *record & ~TREE_NODE;
		side = key[bit / 8] >> (7 - bit % 8) & 1;
		record = &tree->nodes[parent][side];
	}
	return record;
}

/* At most 128 deep. */
static uint32_t
merge(struct tree *tree, uint32_t record)
{
	uint32_t *node;

	if (!(record & TREE_NODE))
		return record;
	node = tree->nodes[record & ~TREE_NODE];
	node[0] = merge(tree, node[0]);
	node[1] = merge(tree, node[1]);
	return node[0] == node[1] && !(node[0] & TREE_NODE) ? node[0] : record;
}

void
tree_merge(struct tree *tree)
{
	tree->root = merge(tree, tree->root);
}

void
tree_fini(struct tree *tree)
{
	free(tree->nodes);
	*tree = (struct tree){0};
}
