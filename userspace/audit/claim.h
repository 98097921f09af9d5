/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* claim.h - what one message says it is, and whether its parts agree. */
#ifndef AUDIT_CLAIM_H
#define AUDIT_CLAIM_H

#include "consumer.h"

enum claim_kind {
	CLAIM_ENTRY,
	CLAIM_STUB,    /* stands for an entry that was refused */
	CLAIM_BEAT,    /* health */
	CLAIM_FOREIGN, /* nothing that can be judged; fault says why */
};

/* A heartbeat's word on one topic: the broker acknowledged all before these numbers. */
struct claim_head {
	char topic[256];
	char log_name[424];
	uint64_t sequence;
	uint64_t ordinal;
};

#define CLAIM_HEADS 4

struct claim {
	enum claim_kind kind;
	const char *log_name; /* the message's */
	uint64_t sequence;
	uint64_t ordinal;
	unsigned char digest[16]; /* of the value */
	bool is_gap;
	uint64_t lost;  /* by the gap's own word */
	bool is_unread; /* the gap is of entries that have their numbers but were never sent */
	struct claim_head heads[CLAIM_HEADS];
	size_t head_count;
	char fault[192]; /* "": all parts agree */
};

void claim_read(struct claim *out, const struct consumer_message *message);

#endif /* AUDIT_CLAIM_H */
