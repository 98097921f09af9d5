/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* reading - what commands that read topics share. */
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "options.h"
#include "reading.h"

int
reading_add_topic(struct reading *reading, const char *topic, struct error *why)
{
	if (reading->topic_count == READING_TOPICS)
		return error_set(why, -E2BIG, "more than %d topics", READING_TOPICS);
	reading->topics[reading->topic_count++] = topic;
	return 0;
}

int
reading_option(struct reading *reading, int letter, const char *value, struct error *why)
{
	int error = 0;

	switch (letter) {
	case 'b':
		reading->brokers = value;
		break;
	case 'F':
		reading->properties_file = value;
		break;
	case 'o':
		if (consumer_from(value, &reading->from) < 0)
			error = error_set(why, -EINVAL,
					  "--from takes beginning, end, an offset or -N, not "
					  "'%.40s'",
					  value);
		break;
	default:
		return 0;
	}
	return error ? error : 1;
}

int
reading_open(struct consumer **out, const struct reading *reading, const struct config *config,
	     struct error *why)
{
	const char *file = reading->properties_file;
	struct consumer_options options = {
		.brokers = reading->brokers ? reading->brokers : config->kafka_brokers,
		.topics = reading->topics,
		.properties = config->kafka_properties,
		.properties_file = file ? file : config->kafka_properties_file,
		.from = reading->from,
		.follow = reading->follow,
	};

	if (!*options.brokers)
		return error_set(why, -ENODATA,
				 "no brokers: set kafka.brokers, or name them with --brokers");
	return consumer_open(out, &options, why);
}

int
reading_exit_code(int error)
{
	return error == -EINVAL || error == -ENODATA ? EXIT_CONFIG : EXIT_IO;
}

static void
fill_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
}

void
reading_watch_signals(void)
{
	sigset_t set;

	fill_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

bool
reading_is_stopped(void)
{
	const struct timespec none = {0};
	sigset_t set;

	fill_signals(&set);
	return sigtimedwait(&set, NULL, &none) > 0;
}
