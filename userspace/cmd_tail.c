/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_tail - follow the journal of this node, or a topic, as lines for people. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "commands.h"
#include "journal.h"
#include "options.h"
#include "reading.h"
#include "sink.h"

#define LINES_MOST 10000
#define PAUSE_MS   50 /* between looks at a journal that has no more */

static const char help[] =
	"usage: demarc tail [--journal DIR] [OPTIONS]\n"
	"       demarc tail TOPIC [--brokers HOSTS] [OPTIONS]\n\n"
	"Shows the alerts, gaps and words of the agent in the journal of this node (or in DIR)\n"
	"or in a topic, and what comes. Needs the right to read the journal, not the agent.\n"
	"The brokers and the way to them are those of the settings.\n\n"
	"  -n, --lines N           begin with the last N (10)\n"
	"      --no-follow         end where it ends now\n"
	"      --json              every entry, in its own bytes\n"
	"      --journal DIR       a journal's directory\n" READING_HELP CONFIG_HELP;

struct options {
	struct config_options config;
	struct reading reading;
	const char *journal;
	uint64_t lines;
	bool json;
	bool has_from;
};

/* The last lines, as long as there is more to read. */
struct kept {
	char **entries; /* a ring */
	size_t *lengths;
	size_t room, count, first;
};

struct tail {
	const struct options *options;
	struct privacy privacy; /* nothing: entries hold pseudonyms already */
	struct sink *sink;
	struct event *event;
	struct buf store;
	struct kept kept;
	bool is_live;
	int status;
};

static bool
is_told(const struct event *event)
{
	if (event->type == &event_finding) /* its alert is told */
		return false;
	return event->judgement.alert || event->type->kind == WIRE_GAP ||
	       event->type->kind == WIRE_AGENT;
}

/* 0, or -errno of the output. What is no entry of ours is said, and passed over. */
static int
show(struct tail *tail, const char *json, size_t length)
{
	struct delivery delivery = {.event = tail->event, .json = json, .length = length};
	struct error why = {0};

	if (!tail->options->json && event_read(tail->event, &tail->store, json, length, &why) < 0) {
		tail->status = complain(EXIT_FAILED, &why);
		return 0;
	}
	tail->sink->ops->put(tail->sink, &delivery);
	return tail->sink->ops->commit(tail->sink, 0);
}

static void
keep(struct tail *tail, const char *json, size_t length)
{
	struct kept *kept = &tail->kept;
	struct error why = {0};
	size_t at;

	if (!kept->room)
		return;
	if (!tail->options->json &&
	    (event_read(tail->event, &tail->store, json, length, &why) < 0 ||
	     !is_told(tail->event)))
		return;
	at = (kept->first + kept->count) % kept->room;
	if (kept->count == kept->room)
		kept->first = (kept->first + 1) % kept->room;
	else
		kept->count++;
	free(kept->entries[at]);
	kept->entries[at] = strndup(json, length);
	kept->lengths[at] = kept->entries[at] ? length : 0;
}

/* All that was there at first is read: from now on entries are shown as they come. */
static int
go_live(struct tail *tail)
{
	struct kept *kept = &tail->kept;
	int error = 0;

	tail->is_live = true;
	for (size_t i = 0; i < kept->count && !error; i++) {
		size_t at = (kept->first + i) % kept->room;

		if (kept->entries[at])
			error = show(tail, kept->entries[at], kept->lengths[at]);
	}
	return error;
}

static int
take_entry(struct tail *tail, const char *json, size_t length)
{
	if (tail->is_live)
		return show(tail, json, length);
	keep(tail, json, length);
	return 0;
}

/* A reader that went away needs no word. */
static int
end(const struct tail *tail, int error)
{
	if (error == -EPIPE)
		return EXIT_OK;
	return error ? output_failed(error) : tail->status;
}

/* Journal
 * -------
 */

static int
follow_journal(struct tail *tail, struct journal_reader *reader)
{
	struct error why = {0};
	const char *bytes;
	size_t length;
	int more, error = 0;

	while (!error) {
		more = journal_reader_next(reader, &bytes, &length, &why);
		if (more == -EBADMSG)
			tail->status = complain(EXIT_FAILED, &why);
		else if (more < 0)
			return complain(EXIT_IO, &why);
		else if (more)
			error = take_entry(tail, bytes, length);
		else if (!tail->is_live)
			error = go_live(tail);
		else if (!tail->options->reading.follow)
			break;
		else
			poll(NULL, 0, PAUSE_MS);
	}
	return end(tail, error);
}

static int
tail_journal(struct tail *tail, const char *path)
{
	struct journal_reader *reader;
	struct error why = {0};
	int code;

	if (journal_reader_open(&reader, path, &why) < 0)
		return complain(EXIT_IO, &why);
	code = follow_journal(tail, reader);
	journal_reader_close(reader);
	return code;
}

/* Topic
 * -----
 */

static int
follow_topic(struct tail *tail, struct consumer *consumer)
{
	struct consumer_message message;
	struct error why = {0};
	int got, error = 0;

	tail->is_live = true;
	while (!error) {
		got = consumer->ops->next(consumer, &message, 200, &why);
		if (got == -ENODATA)
			break;
		if (got < 0)
			return complain(EXIT_IO, &why);
		if (got && message.value)
			error = show(tail, message.value, message.length);
	}
	return end(tail, error);
}

static int
tail_topic(struct tail *tail, const struct options *options, const struct config *config)
{
	struct consumer *consumer;
	struct error why = {0};
	int code = reading_open(&consumer, &options->reading, config, &why);

	if (code < 0)
		return complain(reading_exit_code(code), &why);
	code = follow_topic(tail, consumer);
	consumer->ops->close(consumer);
	return code;
}

/* All
 * ---
 */

/* A directory that was named needs no settings. */
static int
tail_any(struct tail *tail, const struct options *options)
{
	struct config config;
	char path[4096];
	int code;

	if (options->journal)
		return tail_journal(tail, options->journal);
	code = config_open(&config, &options->config);
	if (code)
		return code;
	snprintf(path, sizeof(path), "%s/journal", config.state_directory);
	code = options->reading.topic_count ? tail_topic(tail, options, &config)
					    : tail_journal(tail, path);
	config_fini(&config);
	return code;
}

static int
open_tail(struct tail *tail)
{
	bool colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");

	tail->kept.room = tail->options->lines;
	tail->kept.entries = calloc(tail->kept.room + 1, sizeof(*tail->kept.entries));
	tail->kept.lengths = calloc(tail->kept.room + 1, sizeof(*tail->kept.lengths));
	tail->event = malloc(sizeof(*tail->event));
	if (!tail->kept.entries || !tail->kept.lengths || !tail->event)
		return -ENOMEM;
	return tail->options->json ? json_open(&tail->sink, STDOUT_FILENO, SINK_WAITS)
				   : people_open(&tail->sink, STDOUT_FILENO, SINK_WAITS, colour,
						 &tail->privacy);
}

static void
close_tail(struct tail *tail)
{
	if (tail->sink)
		tail->sink->ops->close(tail->sink);
	for (size_t i = 0; tail->kept.entries && i < tail->kept.room; i++)
		free(tail->kept.entries[i]);
	free(tail->kept.entries);
	free(tail->kept.lengths);
	free(tail->event);
	buf_fini(&tail->store);
}

static int
run(struct options *options)
{
	struct tail tail = {.options = options};
	int code = open_tail(&tail);

	if (!options->has_from)
		options->reading.from = -(int64_t)options->lines;
	if (options->lines == 0 && !options->has_from)
		options->reading.from = CONSUMER_END;
	code = code ? output_failed(code) : tail_any(&tail, options);
	close_tail(&tail);
	return code;
}

/* 1: taken, 0: it is none of these, below 0 with why. */
static int
take_option(struct options *options, int letter, struct error *why)
{
	switch (letter) {
	case 'n':
		return usage_number("lines", optarg, 0, LINES_MOST, &options->lines, why) < 0
			       ? -EINVAL
			       : 1;
	case 'J':
		options->journal = optarg;
		return 1;
	case 'N':
		options->reading.follow = false;
		return 1;
	case 'j':
		options->json = true;
		return 1;
	}
	options->has_from |= letter == 'o';
	if (config_option(&options->config, letter, optarg))
		return 1;
	return reading_option(&options->reading, letter, optarg, why);
}

int
cmd_tail(int argc, char **argv)
{
	static const struct option names[] = {READING_OPTIONS,
					      CONFIG_OPTIONS,
					      {"lines", required_argument, NULL, 'n'},
					      {"journal", required_argument, NULL, 'J'},
					      {"no-follow", no_argument, NULL, 'N'},
					      {"json", no_argument, NULL, 'j'},
					      {0}};
	static const struct usage usage = {"tail", help,
					   CONFIG_LETTERS READING_LETTERS "n:", names};
	struct options options = {.lines = 10, .reading.follow = true};
	struct error why = {0};
	int letter, taken;

	while ((letter = usage_next(&usage, argc, argv, &why)) >= 0) {
		taken = take_option(&options, letter, &why);
		if (taken < 0)
			return usage_refuse(&usage, "%s", why.text);
		if (!taken)
			return usage_end(&usage, letter, &why);
	}
	if (optind < argc - 1)
		return usage_refuse(&usage, "'%s' is one argument too many", argv[optind + 1]);
	if (optind < argc)
		reading_add_topic(&options.reading, argv[optind], &why);
	if (!options.reading.topic_count && options.reading.brokers)
		return usage_refuse(&usage, "--brokers needs a TOPIC");
	if (options.reading.topic_count && options.journal)
		return usage_refuse(&usage, "either a TOPIC or --journal");
	return run(&options);
}
