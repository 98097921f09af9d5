/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * consumer.h - messages read back: from topics, or from a file that somebody kept.
 *
 * The file has one JSON object a line, as `kcat -C -J` prints them, so that whoever
 * does not trust this consumer can use another.
 *
 *	while ((got = consumer->ops->next(consumer, &message, 200, &why)) >= 0)
 *		if (got) ...
 */
#ifndef CONSUMER_H
#define CONSUMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define CONSUMER_HEADERS 32

struct consumer_header {
	const char *name;
	const char *value; /* ends with NUL; may hold others */
	size_t length;
};

struct consumer_message {
	const char *topic;
	int32_t partition;
	int64_t offset;
	const char *key; /* NULL: none; not NUL-terminated */
	size_t key_length;
	const char *value; /* NULL: none; not NUL-terminated */
	size_t length;
	size_t header_count;
	bool has_more_headers; /* than CONSUMER_HEADERS */
	struct consumer_header headers[CONSUMER_HEADERS];
};

/* The first header of that name; NULL: there is none. */
const struct consumer_header *consumer_header(const struct consumer_message *message,
					      const char *name);

struct consumer;

struct consumer_ops {
	/*
	 * 1: a message, valid until the next call. 0: none within timeout_ms. -ENODATA: that
	 * was all. -EBADMSG: what came is no message; the next call goes on behind it.
	 * Another -errno: it is over.
	 */
	int (*next)(struct consumer *consumer, struct consumer_message *out,
		    unsigned int timeout_ms, struct error *why);
	void (*close)(struct consumer *consumer);
};

/* Every consumer begins with its verbs. */
struct consumer {
	const struct consumer_ops *ops;
};

/* Where to begin in each partition. */
#define CONSUMER_BEGINNING INT64_MIN
#define CONSUMER_END       INT64_MAX

struct consumer_options {
	const char *brokers;
	const char *const *topics;     /* NULL-terminated */
	const char *const *properties; /* librdkafka's "name=value", NULL-terminated, or NULL */
	const char *properties_file;   /* lines of them; NULL: none */
	int64_t from;                  /* or an offset; below 0: so many before the end */
	bool follow;                   /* else -ENODATA at the ends that were found at first */
	unsigned int wait_ms;          /* for the brokers to answer; 0: 10000 */
};

/* Reads as nobody's group and leaves no trace at the broker. -EINVAL: a property is wrong. */
int consumer_open(struct consumer **out, const struct consumer_options *options, struct error *why);

/* path "-": standard input. */
int consumer_file_open(struct consumer **out, const char *path, struct error *why);

/* One line of such a file. What out points to lives until consumer_line_fini(). */
struct consumer_line {
	void *document;
};
int consumer_line_read(struct consumer_line *line, struct consumer_message *out, const char *text,
		       size_t length, struct error *why);
void consumer_line_fini(struct consumer_line *line);

/* "beginning", "end", an offset, or -N. 0 or -EINVAL. */
int consumer_from(const char *text, int64_t *out);

#endif /* CONSUMER_H */
