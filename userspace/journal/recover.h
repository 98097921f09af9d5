/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* recover.h - where a journal goes on after its last process ended, however it ended. */
#ifndef JOURNAL_RECOVER_H
#define JOURNAL_RECOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "shard.h"

struct recovery {
	bool found;         /* there is a shard to go on with */
	struct shard shard; /* the newest, or its next incarnation */
	uint64_t next_sequence;
	unsigned int next_segment;
	uint64_t entries; /* in the newest segment that has any */
	uint64_t cut_bytes;
	uint64_t damaged;       /* places */
	int64_t last_logged_ms; /* of the newest entry; 0: there is none */
	struct shard left;      /* the newest, whose name it may be no more */
	uint64_t left_sequence; /* behind its last entry */
};

/* Repairs the newest shard of directory. The caller holds its lock. */
int journal_recover(struct recovery *out, const char *directory, const char *cluster,
		    const char *node, struct error *why);

#endif /* JOURNAL_RECOVER_H */
