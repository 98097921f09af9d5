/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * reading.h - what commands that read topics share: which brokers, topics, properties.
 *
 * All that is not on the command line comes from the agent's own settings, kafka.*.
 */
#ifndef READING_H
#define READING_H

#include "config.h"
#include "consumer.h"

#define READING_TOPICS 16

struct reading {
	const char *brokers; /* NULL: kafka.brokers */
	const char *topics[READING_TOPICS + 1];
	size_t topic_count;
	const char *properties_file; /* NULL: kafka.properties_file */
	int64_t from;
	bool follow;
};

#define READING_OPTIONS                                                                    \
	{"brokers", required_argument, NULL, 'b'}, {"from", required_argument, NULL, 'o'}, \
	{                                                                                  \
		"properties-file", required_argument, NULL, 'F'                            \
	}

#define READING_LETTERS "b:o:F:"

#define READING_HELP                                                                           \
	"  -b, --brokers HOSTS     HOST:PORT,... of Kafka; default: kafka.brokers\n"           \
	"  -o, --from WHERE        beginning, end, an offset, or -N: so many before the end\n" \
	"  -F, --properties-file F lines of NAME=VALUE, for passwords; default:\n"             \
	"                          kafka.properties_file\n"

/* Takes one of its letters. 1: taken, 0: it is another one, -EINVAL with why. */
int reading_option(struct reading *reading, int letter, const char *value, struct error *why);
/* -E2BIG with why. */
int reading_add_topic(struct reading *reading, const char *topic, struct error *why);
/* -ENODATA: neither the command line nor the settings name a broker. */
int reading_open(struct consumer **out, const struct reading *reading, const struct config *config,
		 struct error *why);

/* What an error of reading_open() deserves: 78 for what somebody wrote, 74 for the brokers. */
int reading_exit_code(int error);

/* From now on SIGINT and SIGTERM are asked for, and end nothing by themselves. */
void reading_watch_signals(void);
bool reading_is_stopped(void);

#endif /* READING_H */
