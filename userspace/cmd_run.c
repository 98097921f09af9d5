/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_run - watch this node: main() as a story, then the loop. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "commands.h"
#include "options.h"
#include "privileges.h"
#include "run.h"

struct run_options {
	struct config_options config;
	const char *record;
	bool json;
	bool summary;
	bool quiet;
	uint64_t seconds;
};

static void
on_stop(void *arg)
{
	((struct run *)arg)->stopping = true;
}

static void
on_reload(void *arg)
{
	((struct run *)arg)->reloading = true;
}

/* Being woken is all that is asked for: the turn looks at everything. */
static void
on_wake(void *arg)
{
	(void)arg;
}

static int
open_sinks(struct run *run, const struct run_options *options, struct error *why)
{
	struct sink *sink = NULL;
	int result = 0;

	if (options->json)
		result = json_open(&sink, STDOUT_FILENO, SINK_DROPS);
	else if (!options->quiet)
		result = people_open(&sink, STDOUT_FILENO, SINK_DROPS,
				     isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
				     agent_privacy(run->agent));
	if (sink)
		agent_add_sink(run->agent, sink);
	if (!result && options->summary) {
		result = summary_open(&run->summary);
		if (!result)
			agent_add_sink(run->agent, run->summary);
	}
	return result < 0 ? error_set(why, result, "cannot open the output: %s", strerror(-result))
			  : 0;
}

static int
open_recorder(struct run *run, const char *path, const char *boot_id, struct error *why)
{
	struct recording_header header = {.magic = "DEMARCR1",
					  .header_bytes = sizeof(header),
					  .wire_flow_bytes = sizeof(struct wire_flow),
					  .offset_ms = clock_offset_ms()};
	int result;

	snprintf(header.boot_id, sizeof(header.boot_id), "%s", boot_id);
	snprintf(header.node, sizeof(header.node), "%.63s", agent_node(run->agent));
	result = recorder_open(&run->recorder, path, &header, agent_privacy(run->agent), why);
	if (!result)
		agent_set_recorder(run->agent, run->recorder);
	return result;
}

static int
open_loop(struct run *run, const struct run_options *options, struct error *why)
{
	const struct status_subject subject = {
		.config = &run->config,
		.agent = run->agent,
		.probes = run->live.probes,
		.streaming = run->streaming,
		.longest_turn_ns = &run->longest_turn_ns,
		.turns = &run->turns,
		.started_ns = clock_boot_ns(),
	};
	unsigned int seconds = (unsigned int)options->seconds;
	int result = 0;

	result = result ?: loop_signal(run->loop, SIGTERM, on_stop, run);
	result = result ?: loop_signal(run->loop, SIGINT, on_stop, run);
	result = result ?: loop_signal(run->loop, SIGHUP, on_reload, run);
	result = result ?: loop_watch(run->loop, agent_journal_fd(run->agent), on_wake, run);
	if (seconds)
		result = result ?: loop_every(run->loop, seconds * 1000, on_stop, run);
	if (result < 0)
		return error_set(why, result, "cannot set up the loop: %s", strerror(-result));
	result = status_open(&run->status, run->loop, &subject, why);
	if (!result)
		streaming_describe(run->streaming, status_describe, run->status);
	return result;
}

/* Rules, places, journal, output: all that needs no kernel. */
static int
open_agent(struct run *run, const struct run_options *options, struct error *why)
{
	struct agent_options agent = {.config = &run->config, .offset_ms = clock_offset_ms()};
	char boot_id[40];
	int result;

	boot_id_read(boot_id);
	result = run_open_carry(run, boot_id, why);
	agent.boot_id = boot_id;
	agent.carry = run->carry;
	result = result ?: agent_open(&run->agent, &agent, why);
	result = result ?: open_sinks(run, options, why);
	if (!result && options->record)
		result = open_recorder(run, options->record, boot_id, why);
	return result ?: streaming_open(&run->streaming, &run->config, run->agent, boot_id, why);
}

/* Configuration -> privileges -> what is owed, rules, places, journal -> probes -> snapshot ->
 * loop.
 */
static int
open_all(struct run *run, const struct run_options *options, struct error *why)
{
	struct live_options live = {0};
	uint64_t opened_ns;
	int result;

	privileges_mount(run->config.pins);
	result = privileges_drop(*run->config.nic_netns != 0, why);
	result = result ?: loop_new(&run->loop); /* blocks the signals before the first thread */
	result = result ?: open_agent(run, options, why);
	if (result < 0)
		return result;
	live.own = agent_own(run->agent, &live.own_count);
	live.carry = run->carry;
	result = live_open(&run->live, &run->config, &live, why);
	opened_ns = clock_boot_ns();
	result = result ?: open_loop(run, options, why);
	return result ?: run_begin(run, opened_ns, why);
}

static void
close_all(struct run *run)
{
	streaming_close(run->streaming, false);
	status_close(run->status);
	live_close(&run->live);
	agent_close(run->agent);
	carry_close(run->carry);
	if (run->recorder && recorder_close(run->recorder) < 0)
		log_error("record", "the recording is incomplete");
	loop_free(run->loop);
	config_fini(&run->config);
}

static const char help[] =
	"usage: demarc run [OPTIONS]\n\n"
	"Watches this node, judges what leaves it, keeps the journal, and shows each "
	"alert\n"
	"as a line. SIGHUP reads rules and places anew, SIGTERM drains and ends.\n\n"
	"      --json              every entry, as the journal has it, instead of lines\n"
	"      --summary           at the end: destinations by jurisdiction, losses\n"
	"      --quiet             no lines\n"
	"      --record FILE       also write the raw records, for demarc replay\n"
	"      --seconds N         end after N seconds\n" CONFIG_HELP;

/* The exit code, or -1 to go on. */
static int
read_options(int argc, char **argv, struct run_options *options)
{
	static const struct option names[] = {
		CONFIG_OPTIONS,
		{"json", no_argument, NULL, 'j'},
		{"summary", no_argument, NULL, 'S'},
		{"quiet", no_argument, NULL, 'q'},
		{"record", required_argument, NULL, 'r'},
		{"seconds", required_argument, NULL, 't'},
		{0},
	};
	static const struct usage usage = {"run", help, CONFIG_LETTERS, names};
	struct error why = {0};
	int letter;

	while ((letter = usage_next(&usage, argc, argv, &why)) >= 0) {
		if (config_option(&options->config, letter, optarg))
			continue;
		switch (letter) {
		case 'j':
			options->json = true;
			break;
		case 'S':
			options->summary = true;
			break;
		case 'q':
			options->quiet = true;
			break;
		case 'r':
			options->record = optarg;
			break;
		case 't':
			if (usage_number("seconds", optarg, 1, SECONDS_MOST, &options->seconds,
					 &why) < 0)
				return usage_end(&usage, '?', &why);
			break;
		default:
			return usage_end(&usage, letter, &why);
		}
	}
	if (optind != argc)
		return usage_refuse(&usage, "'%s' is one argument too many", argv[optind]);
	return -1;
}

int
cmd_run(int argc, char **argv)
{
	struct run_options options = {0};
	struct run run = {0};
	struct error why = {0};
	int result = read_options(argc, argv, &options);

	if (result >= 0)
		return result;
	result = config_open(&run.config, &options.config);
	if (result)
		return result;
	result = open_all(&run, &options, &why);
	if (result < 0) {
		close_all(&run);
		return complain(exit_code_of(result), &why);
	}
	while (!run.stopping)
		run_turn(&run);
	run_finish(&run);
	result = agent_drain(run.agent) < 0 ? EXIT_IO : EXIT_OK; /* the journal said why */
	streaming_close(take(run.streaming), result == EXIT_OK);
	if (run.summary)
		summary_print(run.summary, options.json ? stderr : stdout, isatty(STDOUT_FILENO));
	close_all(&run);
	return result;
}
