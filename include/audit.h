/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * audit.h - what messages prove, by themselves, about what is missing among them.
 *
 * Each topic counts its messages of a shard from 0 (demarc_topic_sequence), so a
 * number that never came is a message that is missing; a number that came twice is
 * harmless when it is the same entry. Where all topics of entries are given, the
 * shard's own numbers (metadata.sequence) must be without a hole, too.
 *
 * Opens nothing, reads no clock. What cannot be decided is said to be so.
 */
#ifndef AUDIT_H
#define AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "consumer.h"

struct audit;

int audit_new(struct audit **out);
void audit_free(struct audit *audit);

/* 0 or -ENOMEM. What is wrong with the message is kept for the report. */
int audit_message(struct audit *audit, const struct consumer_message *message);
/* Something came that is no message. */
void audit_unreadable(struct audit *audit, const char *why);

/* What one topic has of one shard. */
struct audit_stream {
	const char *topic;
	const char *log_name;
	uint64_t messages;   /* repeats included */
	uint64_t duplicates; /* harmless: the same entry again */
	uint64_t stubs;      /* stand for entries that the broker never took */
	uint64_t first, last;
	uint64_t missing; /* up to the last, or up to where a heartbeat says that the broker has all
			   */
	uint64_t late;    /* came behind a higher number; before that they were missing */
	uint64_t altered; /* bytes, headers and key do not agree, or not with an earlier copy */
	uint64_t gaps;    /* entries that say what the node itself lost */
	uint64_t lost;    /* by these, as far as they know a number */
	uint64_t parts;   /* partitions; in more than one there is no order */
};

/* What all topics together have of one shard. */
struct audit_shard {
	const char *log_name;
	uint64_t entries;
	uint64_t first, last;
	uint64_t missing; /* between first and known */
	uint64_t known;   /* numbers below it are decided */
	uint64_t unread;  /* by the node's own word never streamed */
	bool is_whole;    /* all topics of entries were given */
};

struct audit_missing {
	const char *topic;
	const char *log_name;
	uint64_t from, to; /* inclusive */
};

enum audit_verdict { AUDIT_PROVEN, AUDIT_BROKEN, AUDIT_UNDECIDED };

#define AUDIT_WORDS 20 /* findings that are kept */

struct audit_report {
	enum audit_verdict verdict;
	uint64_t messages;
	uint64_t beats;      /* of health: no entries */
	uint64_t foreign;    /* not demarc's, or without what judging takes */
	uint64_t unreadable; /* no messages at all */
	uint64_t vanished; /* shards of a topic that a heartbeat knows, and of which nothing came */
	const struct audit_stream *streams;
	size_t stream_count;
	const struct audit_shard *shards;
	size_t shard_count;
	const struct audit_missing *holes; /* the first few */
	size_t hole_count;
	const char *words[AUDIT_WORDS]; /* what was wrong with the first few messages */
	size_t word_count;
};

/* Valid until the next call with this audit. 0 or -ENOMEM. */
int audit_report(struct audit *audit, struct audit_report *out);

#endif /* AUDIT_H */
