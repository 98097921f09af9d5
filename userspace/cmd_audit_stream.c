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
	"usage: demarc audit-stream --brokers HOSTS [--topic TOPIC]... [OPTIONS]\n"
	"       demarc audit-stream --file FILE [--json]\n\n"
	"Reads topics up to where they end now, and proves from the messages alone, for each\n"
	"node and day, that none is missing, altered or out of order. Repeats are harmless and\n"
	"counted. With all topics (the default) it proves each shard of the journal, too.\n"
	"FILE holds messages as kcat -C -J prints them; - is standard input.\n\n"
	"Exit codes: 0 proven; 1 something is missing, altered or out of order; 2 undecided.\n\n"
	"  -t, --topic TOPIC         default: demarc.{health,violations,activity,evidence}.v1\n"
	"      --file FILE           messages that somebody kept, instead of a broker\n"
	"      --follow              go on until interrupted, then report\n"
	"      --json                the report for programs\n" READING_HELP
	"  -h, --help                this text\n";

struct options {
	struct reading reading;
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

/* Heartbeats come first: what they say the broker has must be there when the rest is read. */
static void
choose_topics(struct reading *reading)
{
	static const char *const all[] = {"demarc.health.v1", "demarc.violations.v1",
					  "demarc.activity.v1", "demarc.evidence.v1"};
	const char *first;

	if (!reading->topic_count) {
		memcpy(reading->topics, all, sizeof(all));
		reading->topic_count = sizeof(all) / sizeof(all[0]);
	}
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
	return reading_option(&options->reading, letter, optarg, why);
}

static int
audit_source(struct options *options)
{
	struct consumer *consumer;
	struct error why = {0};
	int result;

	reading_watch_signals();
	choose_topics(&options->reading);
	if (options->file)
		result = consumer_file_open(&consumer, options->file, &why);
	else
		result = reading_open(&consumer, &options->reading, &why);
	if (result < 0)
		return complain(EXIT_UNDECIDED, &why);
	result = audit_all(options, consumer);
	consumer->ops->close(consumer);
	return result;
}

int
cmd_audit_stream(int argc, char **argv)
{
	static const struct option names[] = {READING_OPTIONS,
					      {"topic", required_argument, NULL, 't'},
					      {"file", required_argument, NULL, 'f'},
					      {"follow", no_argument, NULL, 'w'},
					      {"json", no_argument, NULL, 'j'},
					      {"help", no_argument, NULL, 'h'},
					      {0}};
	static const struct usage usage = {"audit-stream", help, ":t:h" READING_LETTERS, names};
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
	if (!options.file == !options.reading.brokers)
		return usage_refuse(&usage, "it takes either --brokers or --file");
	return audit_source(&options);
}
