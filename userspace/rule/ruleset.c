/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ruleset - memory of a rule set, and what others may ask of it. */
#include <stdlib.h>

#include "rule/ruleset.h"

struct chunk {
	struct chunk *next;
	_Alignas(16) unsigned char bytes[];
};

void *
ruleset_keep(struct ruleset *rules, size_t count, size_t size)
{
	struct chunk *chunk;

	if (count > SIZE_MAX / 2 / size)
		return NULL;
	chunk = calloc(1, sizeof(*chunk) + count * size);
	if (!chunk)
		return NULL;
	chunk->next = rules->chunks;
	rules->chunks = chunk;
	return chunk->bytes;
}

void
ruleset_free(struct ruleset *rules)
{
	struct chunk *chunk, *next;

	if (!rules)
		return;
	for (chunk = rules->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	jsonc_fini(&rules->doc);
	free(rules);
}

const struct ruleset_info *
ruleset_info(const struct ruleset *rules)
{
	return &rules->info;
}

const struct rule *
ruleset_rule(const struct ruleset *rules, size_t index)
{
	return index < rules->info.rules ? &rules->entries[index].rule : NULL;
}
