/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* message.h - what an entry's own bytes say about where it goes and under which headers. */
#ifndef STREAM_MESSAGE_H
#define STREAM_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stream.h"

/* A run of bytes of the entry. */
struct span {
	const char *text; /* NULL: absent */
	size_t length;
};

struct message {
	unsigned int topics; /* 1 << enum stream_topic; more than one: copies */
	int64_t class_uid;
	int64_t severity_id;
	int64_t time_ms;
	bool is_alert;
	struct span uid;  /* metadata.uid, as it stands between its quotes */
	struct span rule; /* firewall_rule.uid, likewise */
};

/*
 * Looks at one canonical entry without parsing all of it. -EBADMSG: it is not a
 * whole JSON object; the message then goes to the evidence, with what was found.
 */
int message_read(struct message *out, const char *json, size_t length);

/* The text between quotes without its escapes. Returns its length; cuts what is too long. */
size_t message_text(const struct span *span, char *out, size_t room);

struct header {
	const char *name;
	char value[128];
};

#define MESSAGE_HEADERS 16

struct message_place {
	const char *source;   /* ce_source: "//cluster/node" */
	const char *log_name; /* shard */
	uint64_t sequence;    /* in the shard */
	uint64_t ordinal;     /* in the topic, of this shard */
	bool is_stub;
};

/* Fills headers, but for demarc_log_name, which may be longer. Returns how many. */
size_t message_headers(struct header out[MESSAGE_HEADERS], const struct message *message,
		       const struct message_place *place);

/* "//cluster/node" as a URI reference. */
void message_source(char *out, size_t room, const char *cluster, const char *node);

/* What stands in a topic for an entry that the broker never takes. Canonical JSON into out. */
struct buf;
void message_stub(struct buf *out, const struct message *message, const struct message_place *place,
		  const char *reason, size_t bytes);

#endif /* STREAM_MESSAGE_H */
