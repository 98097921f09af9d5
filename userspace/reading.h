/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* reading.h - what commands that read topics share: which brokers, topics, properties. */
#ifndef READING_H
#define READING_H

#include "consumer.h"

#define READING_TOPICS     16
#define READING_PROPERTIES 64

struct reading {
	const char *brokers;
	const char *topics[READING_TOPICS + 1];
	size_t topic_count;
	const char *properties[READING_PROPERTIES + 1];
	size_t property_count;
	const char *properties_file;
	int64_t from;
	bool follow;
};

#define READING_OPTIONS                                                                    \
	{"brokers", required_argument, NULL, 'b'}, {"from", required_argument, NULL, 'o'}, \
	{                                                                                  \
		"properties-file", required_argument, NULL, 'F'                            \
	}

#define READING_LETTERS "b:o:F:X:"

#define READING_HELP                                                                             \
	"  -b, --brokers HOSTS       HOST:PORT,... of Kafka\n"                                   \
	"  -o, --from WHERE          beginning, end, an offset, or -N: so many before the end\n" \
	"  -X NAME=VALUE             a property of librdkafka; may be repeated\n"                \
	"  -F, --properties-file F   lines of NAME=VALUE: the place for passwords\n"

/* Takes one of its letters. 1: taken, 0: it is another one, -EINVAL with why. */
int reading_option(struct reading *reading, int letter, const char *value, struct error *why);
/* -E2BIG with why. */
int reading_add_topic(struct reading *reading, const char *topic, struct error *why);
int reading_open(struct consumer **out, const struct reading *reading, struct error *why);

/* From now on SIGINT and SIGTERM are asked for, and end nothing by themselves. */
void reading_watch_signals(void);
bool reading_is_stopped(void);

#endif /* READING_H */
