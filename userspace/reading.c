/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* reading - what commands that read topics share. */
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "reading.h"

static int
add(const char **list, size_t *count, size_t most, const char *value, const char *what,
    struct error *why)
{
	if (*count == most)
		return error_set(why, -E2BIG, "more than %zu %s", most, what);
	list[(*count)++] = value;
	return 0;
}

int
reading_add_topic(struct reading *reading, const char *topic, struct error *why)
{
	return add(reading->topics, &reading->topic_count, READING_TOPICS, topic, "topics", why);
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
	case 'X':
		error = add(reading->properties, &reading->property_count, READING_PROPERTIES,
			    value, "of -X", why);
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
reading_open(struct consumer **out, const struct reading *reading, struct error *why)
{
	struct consumer_options options = {
		.brokers = reading->brokers,
		.topics = reading->topics,
		.properties = reading->properties,
		.properties_file = reading->properties_file,
		.from = reading->from,
		.follow = reading->follow,
	};

	return consumer_open(out, &options, why);
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
