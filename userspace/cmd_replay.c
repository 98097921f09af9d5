/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cmd_replay - judge a recording or a journal again, without a kernel or root.
 *
 * A recording goes through the whole pipeline and gives the same bytes on every
 * run. A journal's entries have their context and place; they are only judged anew,
 * and the verdicts that change are listed.
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup.h"
#include "commands.h"
#include "options.h"

struct replay {
	struct config config;
	struct agent *agent;
	struct sink *output;
	struct sink *summary;
	uint64_t ticked_ns;
	uint64_t now_ns;
	uint64_t entries;
	uint64_t changed;
	bool resolve;
	bool json;
	bool is_journal; /* there was something in it */
};

struct replay_options {
	struct config_options config;
	bool json;
	bool summary;
};

static const char help[] =
	"usage: demarc replay FILE [OPTIONS]\n\n"
	"FILE is a recording (of demarc record, or a records.txt), a journal directory or\n"
	"one of its segments. With another rule set (--set rules=FILE) this shows what it\n"
	"would have said.\n\n"
	"      --resolve           look places of a journal's entries up anew, in today's "
	"data\n"
	"      --json              every entry (of a journal: every change) instead of lines\n"
	"      --summary           at the end: destinations by jurisdiction, "
	"losses\n" CONFIG_HELP;

/* The clock of a replay is its records'. */
/* 0, or what the output's reader did. */
static int
publish(struct replay *replay)
{
	agent_publish(replay->agent);
	return replay->output->ops->commit(replay->output, 0);
}

static void
replay_record(const struct wire_head *record, void *arg)
{
	struct replay *replay = arg;

	if (record->time_ns > replay->now_ns)
		replay->now_ns = record->time_ns;
	if (replay->now_ns - replay->ticked_ns >= 1000000000u) {
		replay->ticked_ns = replay->now_ns;
		while (agent_tick(replay->agent, replay->now_ns))
			publish(replay);
	}
	agent_record(record, replay->agent);
}

static int
open_agent(struct replay *replay, const struct replay_options *options,
	   const struct recording_header *header, struct error *why)
{
	struct agent_options agent = {
		.config = &replay->config,
		.replay = true,
		.offset_ms = header ? header->offset_ms : 0,
		.boot_id = header ? header->boot_id : "",
		.node = header && *header->node ? header->node : NULL,
	};
	struct sink *sink;
	int result = agent_open(&replay->agent, &agent, why);

	if (result < 0)
		return result;
	result = options->json ? json_open(&sink, STDOUT_FILENO, SINK_WAITS)
			       : people_open(&sink, STDOUT_FILENO, SINK_WAITS,
					     isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
					     agent_privacy(replay->agent));
	if (result < 0)
		return result;
	agent_add_sink(replay->agent, sink);
	replay->output = sink;
	if (!options->summary)
		return 0;
	result = summary_open(&replay->summary);
	if (!result)
		agent_add_sink(replay->agent, replay->summary);
	return result;
}

static int
replay_recording(struct replay *replay, struct source *source, struct error *why)
{
	int drained, error = 0;

	while (!error && (drained = source->ops->drain(source, 4096, replay_record, replay)) >= 0)
		error = publish(replay);
	while (agent_flush(replay->agent, replay->now_ns) && !error)
		error = publish(replay);
	error = error ? error : publish(replay);
	if (error)
		return output_failed(error);
	if (drained == -ENODATA)
		return EXIT_OK;
	*why = *replay_error(source);
	return complain(EXIT_CONFIG, why);
}

static void
print_json(const struct event *event, const char *before, const char *before_rule,
	   const char *after, const char *after_rule)
{
	cJSON *object = cJSON_CreateObject();
	char *text cleanup(free_drop) = NULL;
	char ip[IP_TEXT];

	cJSON_AddNumberToObject(object, "time", (double)event->wall_ms);
	cJSON_AddStringToObject(object, "dst.ip", ip_format(&event->dst, ip));
	cJSON_AddNumberToObject(object, "dst.port", (double)event->dst_port);
	cJSON_AddStringToObject(object, "before", before);
	cJSON_AddStringToObject(object, "before_rule", before_rule);
	cJSON_AddStringToObject(object, "after", after);
	cJSON_AddStringToObject(object, "after_rule", after_rule ? after_rule : "-");
	text = cJSON_PrintUnformatted(object);
	cJSON_Delete(object);
	if (text)
		puts(text);
}

static void
compare(struct replay *replay, struct event *event)
{
	char before[64], rule[128];
	const char *after, *after_rule;
	char ip[IP_TEXT];

	if (event->type != &event_flow && event->type != &event_connect)
		return;
	snprintf(before, sizeof(before), "%s",
		 event->judgement.verdict ? event->judgement.verdict : "none");
	snprintf(rule, sizeof(rule), "%s", event->judgement.rule ? event->judgement.rule : "-");
	agent_verdict(replay->agent, event, replay->resolve, &after, &after_rule);
	replay->entries++;
	if (!strcmp(before, after))
		return;
	replay->changed++;
	if (replay->json)
		print_json(event, before, rule, after, after_rule);
	else
		printf("%s -> %s  %s:%lld (was %s, now %s)\n", before, after,
		       ip_format(&event->dst, ip), (long long)event->dst_port, rule,
		       after_rule ? after_rule : "-");
}

/* Damage is said and stepped over: what can be read is judged. */
static int
read_journal(struct replay *replay, struct journal_reader *reader, struct error *why)
{
	struct buf store cleanup(buf_fini) = {0};
	struct event *event cleanup(free_drop) = malloc(sizeof(*event));
	int more = -ENOMEM, code = EXIT_OK;
	const char *bytes;
	size_t length;

	while (event && ((more = journal_reader_next(reader, &bytes, &length, why)) > 0 ||
			 more == -EBADMSG)) {
		replay->is_journal = true;
		if (more < 0 || event_read(event, &store, bytes, length, why) < 0)
			code = complain(EXIT_FAILED, why);
		else
			compare(replay, event);
	}
	return more < 0 ? complain(EXIT_IO, why) : code;
}

static int
replay_journal(struct replay *replay, const char *path, struct error *why)
{
	struct journal_reader *reader;
	int code;

	if (journal_reader_open(&reader, path, why) < 0)
		return complain(EXIT_CONFIG, why);
	code = read_journal(replay, reader, why);
	journal_reader_close(reader);
	if (!code && !replay->is_journal) {
		error_set(why, -ENOENT, "%s: no entries of a journal in it", path);
		return complain(EXIT_CONFIG, why);
	}
	fprintf(stderr, "demarc: %llu entries judged again, %llu verdicts change\n",
		(unsigned long long)replay->entries, (unsigned long long)replay->changed);
	return code;
}

/* Recordings say so in their first bytes, and segments too; text is what is left. */
static bool
is_journal(const char *path)
{
	FILE *file cleanup(file_drop) = NULL;
	char magic[8] = {0};
	struct stat st;

	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		return true;
	file = fopen(path, "re");
	return file && fread(magic, 1, 8, file) == 8 && !memcmp(magic, "DEMARCJ", 7);
}

static int
judge_file(struct replay *replay, const struct replay_options *options, const char *path)
{
	struct source *source = NULL;
	struct error why = {0};
	int result;

	if (is_journal(path)) {
		result = open_agent(replay, options, NULL, &why);
		return result < 0 ? complain(exit_code_of(result), &why)
				  : replay_journal(replay, path, &why);
	}
	result = replay_open(&source, path, &why);
	if (result < 0)
		return complain(EXIT_CONFIG, &why);
	result = open_agent(replay, options, replay_header(source), &why);
	result = result < 0 ? complain(exit_code_of(result), &why)
			    : replay_recording(replay, source, &why);
	source->ops->close(source);
	return result;
}

int
cmd_replay(int argc, char **argv)
{
	static const struct option names[] = {CONFIG_OPTIONS,
					      {"json", no_argument, NULL, 'j'},
					      {"summary", no_argument, NULL, 'S'},
					      {"resolve", no_argument, NULL, 'R'},
					      {0}};
	static const struct usage usage = {"replay", help, CONFIG_LETTERS, names};
	struct replay_options options = {0};
	struct replay replay = {0};
	struct error why = {0};
	int letter, result;

	while ((letter = usage_next(&usage, argc, argv, &why)) >= 0) {
		if (config_option(&options.config, letter, optarg))
			continue;
		if (letter != 'j' && letter != 'S' && letter != 'R')
			return usage_end(&usage, letter, &why);
		replay.json = options.json |= letter == 'j';
		options.summary |= letter == 'S';
		replay.resolve |= letter == 'R';
	}
	if (optind == argc)
		return usage_refuse(&usage, "a FILE is missing");
	if (optind < argc - 1)
		return usage_refuse(&usage, "'%s' is one argument too many", argv[optind + 1]);
	result = config_open(&replay.config, &options.config);
	if (result)
		return result;
	result = judge_file(&replay, &options, argv[optind]);
	if (replay.summary)
		summary_print(replay.summary, options.json ? stderr : stdout, false);
	agent_close(replay.agent);
	config_fini(&replay.config);
	return result;
}
