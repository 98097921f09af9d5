/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_audit_stream - prove from its messages that a topic is whole. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "audit_print.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "commands.h"
#include "options.h"
#include "reading.h"

#define IDLE_NS UINT64_C(30000000000) /* a broker that is silent for so long is gone */

/* Its own, like those of an auditor's tools: undecided is neither good nor bad. */
enum { EXIT_BROKEN = 1, EXIT_UNDECIDED = 2 };

static const char help[] =
	"usage: demarc audit-stream [--brokers HOSTS] [--topic TOPIC]... [OPTIONS]\n"
	"       demarc audit-stream --file FILE [--json]\n\n"
	"Reads topics up to where they end now, and proves from the messages alone, for each\n"
	"node and day, that none is missing, altered or out of order. Repeats are harmless and\n"
	"counted. With all topics (the default) it proves each shard of the journal, too.\n"
	"The brokers and the way to them are those of the settings. FILE holds messages as\n"
	"kcat -C -J prints them; - is standard input.\n\n"
	"Exit codes: 0 proven; 1 something is missing, altered or out of order; 2 undecided.\n"
	"78: the settings are wrong.\n\n"
	"  -t, --topic TOPIC       default: {health,violations,activity,evidence}.v1 of\n"
	"                          kafka.topic_prefix\n"
	"      --file FILE         messages that somebody kept, instead of a broker\n"
	"      --follow            go on until interrupted, then report\n"
	"      --json              the report for programs\n" READING_HELP CONFIG_HELP;

struct options {
	struct config_options config;
	struct reading reading;
	char names[4][256]; /* of topics that nobody named */
	const char *file;
	bool json;
};

static int
gather(struct audit *audit, struct consumer *consumer, bool follow, struct error *why)
{
	uint64_t heard_ns = clock_boot_ns();
	struct consumer_message message;
	char text[512];
	int got = 0;

	while (!reading_is_stopped()) {
		got = consumer->ops->next(consumer, &message, 200, why);
		if (got == -EBADMSG)
			audit_unreadable(audit, error_format(why, text, sizeof(text)));
		else if (got < 0)
			return got == -ENODATA ? 0 : got;
		if (got == 1 && audit_message(audit, &message) < 0)
			return error_set(why, -ENOMEM, "out of memory");
		if (got)
			heard_ns = clock_boot_ns();
		else if (!follow && clock_boot_ns() - heard_ns > IDLE_NS)
			return error_set(why, -ETIMEDOUT, "the brokers stopped answering");
	}
	return 0;
}

static int
audit_all(const struct options *options, struct consumer *consumer)
{
	struct audit *audit = NULL;
	struct audit_report report;
	struct error why = {0};
	int error = audit_new(&audit);

	if (!error)
		error = gather(audit, consumer, options->reading.follow, &why);
	if (error) {
		complain(EXIT_UNDECIDED, &why);
	} else {
		error = audit_report(audit, &report);
		if (!error)
			options->json ? audit_print_json(&report, stdout)
				      : audit_print(&report, stdout);
	}
	audit_free(audit);
	return error ? EXIT_UNDECIDED : (int)report.verdict;
}

static void
name_topics(struct options *options, const char *prefix)
{
	static const char *const words[] = {"health", "violations", "activity", "evidence"};
	struct reading *reading = &options->reading;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		snprintf(options->names[i], sizeof(options->names[i]), "%.200s.%s.v1", prefix,
			 words[i]);
		reading->topics[reading->topic_count++] = options->names[i];
	}
}

/* Heartbeats come first: what they say the broker has must be there when the rest is read. */
static void
choose_topics(struct options *options, const struct config *config)
{
	struct reading *reading = &options->reading;
	const char *first;

	if (!reading->topic_count)
		name_topics(options, config->kafka_topic_prefix);
	for (size_t i = 1; i < reading->topic_count; i++) {
		if (!strstr(reading->topics[i], ".health."))
			continue;
		first = reading->topics[0];
		reading->topics[0] = reading->topics[i];
		reading->topics[i] = first;
	}
}

/* 1: taken, 0: it is none of these, below 0 with why. */
static int
take_option(struct options *options, int letter, struct error *why)
{
	switch (letter) {
	case 't':
		return reading_add_topic(&options->reading, optarg, why) < 0 ? -E2BIG : 1;
	case 'f':
		options->file = optarg;
		return 1;
	case 'w':
		options->reading.follow = true;
		return 1;
	case 'j':
		options->json = true;
		return 1;
	}
	if (config_option(&options->config, letter, optarg))
		return 1;
	return reading_option(&options->reading, letter, optarg, why);
}

static int
audit_file(const struct options *options)
{
	struct consumer *consumer;
	struct error why = {0};
	int code;

	if (consumer_file_open(&consumer, options->file, &why) < 0)
		return complain(EXIT_UNDECIDED, &why);
	code = audit_all(options, consumer);
	consumer->ops->close(consumer);
	return code;
}

static int
audit_topics(struct options *options, const struct config *config)
{
	struct consumer *consumer;
	struct error why = {0};
	int code;

	choose_topics(options, config);
	code = reading_open(&consumer, &options->reading, config, &why);
	if (code < 0)
		return complain(reading_exit_code(code) == EXIT_CONFIG ? EXIT_CONFIG
								       : EXIT_UNDECIDED,
				&why);
	code = audit_all(options, consumer);
	consumer->ops->close(consumer);
	return code;
}

/* A file needs no settings. */
static int
audit_any(struct options *options)
{
	struct config config;
	int code;

	reading_watch_signals();
	if (options->file)
		return audit_file(options);
	code = config_open(&config, &options->config);
	if (code)
		return code;
	code = audit_topics(options, &config);
	config_fini(&config);
	return code;
}

int
cmd_audit_stream(int argc, char **argv)
{
	static const struct option names[] = {READING_OPTIONS,
					      CONFIG_OPTIONS,
					      {"topic", required_argument, NULL, 't'},
					      {"file", required_argument, NULL, 'f'},
					      {"follow", no_argument, NULL, 'w'},
					      {"json", no_argument, NULL, 'j'},
					      {0}};
	static const struct usage usage = {"audit-stream", help,
					   CONFIG_LETTERS READING_LETTERS "t:", names};
	struct options options = {.reading.from = CONSUMER_BEGINNING};
	struct error why = {0};
	int letter, taken;

	while ((letter = usage_next(&usage, argc, argv, &why)) >= 0) {
		taken = take_option(&options, letter, &why);
		if (taken < 0)
			return usage_refuse(&usage, "%s", why.text);
		if (!taken)
			return usage_end(&usage, letter, &why);
	}
	if (optind < argc)
		return usage_refuse(&usage, "'%s' is one argument too many", argv[optind]);
	if (options.file && options.reading.brokers)
		return usage_refuse(&usage, "it takes either --brokers or --file");
	return audit_any(&options);
}
