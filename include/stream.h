/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stream.h - the journal is read on to Kafka: in order, at least once, countable.
 *
 * A reader of the journal, as the evidence is: it resumes from cursors (one a topic)
 * of what the broker has acknowledged, so an outage is a cursor that waits. All of it
 * is on a thread of its own, because disks, name servers and librdkafka's ends may
 * stall; the loop only leaves word and takes word, under a short lock.
 *
 *	stream_allow(stream, log_name, next_sequence);	what is on disk, each turn
 *	stream_beat(stream, json, length);		what the agent knows of itself
 *	while (stream_news(stream, &news)) ...		what the journal must hear
 *
 * See docs/kafka.md for topics, keys, headers and what a consumer can prove.
 */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct stream;

/* In order of their precedence. Entries of the journal go to the first three. */
enum stream_topic {
	STREAM_VIOLATIONS,
	STREAM_EVIDENCE,
	STREAM_ACTIVITY,
	STREAM_ENTRY_TOPICS,
	STREAM_HEALTH = STREAM_ENTRY_TOPICS,
	STREAM_TOPICS,
};

struct stream_options {
	const char *journal;   /* its directory */
	const char *directory; /* for cursors and dead letters; created with mode 0700 */
	const char *cluster;
	const char *node;
	const char *version;
	const char *boot_id;
	const char *brokers;
	const char *topic_prefix;      /* NULL: "demarc" */
	const char *const *properties; /* librdkafka's "name=value", NULL-terminated, or NULL */
	const char *properties_file;   /* lines of them; NULL or "": none */
	unsigned int window;           /* messages of one topic on their way; 0: 4096 */
	unsigned int stall_ms;         /* without a word on a message; 0: 60000 */
	unsigned int retry_ms;         /* after a refusal, doubled up to 32 times; 0: 1000 */
	unsigned int close_ms;         /* stream_close() delivers at most this long; 0: 3000 */
	unsigned int watch_ms;         /* between looks at certificate files; 0: 5000 */
	uint64_t dead_bytes;           /* of one dead-letter file; two are kept; 0: 16 MiB */
};

/* Are the properties sound, in librdkafka's own words? Connects to nobody. 0 or -EINVAL. */
int stream_check(const struct stream_options *options, struct error *why);

/* Calls say for each property that is ours or given: its value, secrets masked. */
int stream_explain(const struct stream_options *options,
		   void (*say)(const char *name, const char *value, void *arg), void *arg,
		   struct error *why);

/* Brokers need not be there. -EINVAL: a property is wrong. */
int stream_open(struct stream **out, const struct stream_options *options, struct error *why);
/* Delivers what it can in close_ms, stores the cursors. */
void stream_close(struct stream *stream);

/* Entries of log_name before next_sequence, and all older shards, are on disk. */
void stream_allow(struct stream *stream, const char *log_name, uint64_t next_sequence);

/* A heartbeat: members for it, a JSON object. Copied. */
void stream_beat(struct stream *stream, const char *json, size_t length);

enum stream_news_kind {
	STREAM_NEWS_NONE,
	STREAM_NEWS_LOST,   /* entries of the journal that the stream could not read */
	STREAM_NEWS_BROKER, /* connected to one that was not known: address and text */
	STREAM_NEWS_SAID,   /* text, for the record */
};

struct stream_news {
	enum stream_news_kind kind;
	uint64_t count; /* LOST; 0: not known */
	char address[48];
	char text[256];
};

/* The next thing that the agent should write down. False: there is none. */
bool stream_news(struct stream *stream, struct stream_news *out);

struct stream_topic_state {
	char name[256];
	uint64_t sent; /* handed to librdkafka, repeats included */
	uint64_t acked;
	uint64_t failed; /* reports that were no acknowledgement */
	uint64_t stubs;  /* entries that went to the dead letters */
	uint64_t in_flight;
	uint64_t lag;           /* entries of the newest shard behind the cursor */
	int64_t lag_ms;         /* age of the oldest entry that is not acknowledged; 0: none */
	char log_name[424];     /* the cursor */
	uint64_t next_sequence; /* of the shard */
	uint64_t next_ordinal;  /* of the topic in the shard */
	char error[128];        /* the last, "" since it was overcome */
};

struct stream_state {
	bool is_up; /* a broker is connected */
	unsigned int brokers_up;
	uint64_t recreated; /* handles */
	uint64_t rotated;   /* of these: because a file changed */
	uint64_t beats;
	uint64_t lost; /* entries that expired or were damaged before they were read */
	uint64_t cursor_stores;
	uint64_t dead_letters;
	char error[256]; /* what librdkafka said last, "" since a message was taken */
	struct stream_topic_state topics[STREAM_TOPICS];
};
void stream_state(struct stream *stream, struct stream_state *out);

#endif /* STREAM_H */
