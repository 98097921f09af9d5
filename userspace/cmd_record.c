/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_record - write raw records to a file: no rules, no places, no journal. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "commands.h"
#include "context.h"
#include "keys.h"
#include "live.h"
#include "loop.h"
#include "options.h"
#include "privileges.h"

#define TICK_MS 50

struct recording {
	struct config config;
	struct privacy privacy;
	struct live live;
	struct loop *loop;
	struct recorder *recorder;
	struct context *context;
	struct event event;
	uint64_t records;
	bool stopping;
};

static const char help[] =
	"usage: demarc record FILE [OPTIONS]\n\n"
	"Writes what the probes say to FILE until SIGINT or SIGTERM, for demarc replay.\n"
	"Arguments of programs and user names are left out as the privacy settings say.\n\n"
	"      --seconds N         end after N seconds\n" CONFIG_HELP;

static void
on_stop(void *arg)
{
	((struct recording *)arg)->stopping = true;
}

static void
put(const struct wire_head *record, void *arg)
{
	struct recording *recording = arg;
	struct event *event = &recording->event;

	recording->records++;
	if (event_decode(event, record) < 0)
		return;
	context_apply(recording->context, event); /* knows the names that must not be recorded */
	if (recorder_put_known(recording->recorder, record, event->process.user,
			       event->process.cgroup_path) < 0)
		recording->stopping = true;
}

static int
put_seed(const struct wire_head *record, void *arg)
{
	put(record, arg);
	return 0;
}

static int
open_file(struct recording *recording, const char *path, struct error *why)
{
	struct recording_header header = {.magic = "DEMARCR1",
					  .header_bytes = sizeof(header),
					  .wire_flow_bytes = sizeof(struct wire_flow),
					  .offset_ms = clock_offset_ms()};
	struct privacy *privacy = &recording->privacy;
	const struct config *config = &recording->config;

	privacy->mode[PRIVACY_USER] = privacy_mode_of(config->privacy_user);
	privacy->mode[PRIVACY_PATH] = privacy->mode[PRIVACY_USER];
	privacy->mode[PRIVACY_ARGV] = privacy_mode_of(config->privacy_argv);
	privacy->administrators = config->privacy_administrators;
	boot_id_read(header.boot_id);
	if (gethostname(header.node, sizeof(header.node) - 1) < 0)
		return error_set(why, -errno, "cannot tell the host's name");
	return recorder_open(&recording->recorder, path, &header, privacy, why);
}

static int
open_all(struct recording *recording, const char *path, uint64_t seconds, struct error *why)
{
	const struct config *config = &recording->config;
	const struct live_options live = {.apart = true};
	struct context_options context = {
		.proc = config->proc,
		.passwd = *config->passwd ? config->passwd : NULL,
	};
	int result = privileges_check(why);

	result = result ?: key_load(recording->privacy.key, config, false, why);
	result = result ?: open_file(recording, path, why); /* root may write anywhere, still */
	result = result ?: privileges_drop(*config->nic_netns != 0, why);
	result = result ?: context_new(&recording->context, &context, why);
	result = result ?: live_open(&recording->live, config, &live, why);
	if (result < 0)
		return result;
	result = loop_new(&recording->loop);
	result = result ?: loop_signal(recording->loop, SIGTERM, on_stop, recording);
	result = result ?: loop_signal(recording->loop, SIGINT, on_stop, recording);
	if (seconds)
		result = result
				 ?: loop_every(recording->loop, (unsigned int)seconds * 1000,
					       on_stop, recording);
	return result < 0 ? error_set(why, result, "cannot set up the loop: %s", strerror(-result))
			  : 0;
}

static int
close_all(struct recording *recording)
{
	int result = recorder_close(recording->recorder);

	live_close(&recording->live);
	context_free(recording->context);
	loop_free(recording->loop);
	config_fini(&recording->config);
	return result;
}

static int
capture(struct recording *recording, const char *path, uint64_t seconds)
{
	struct error why = {0};
	struct source *source;
	int result = open_all(recording, path, seconds, &why);

	if (result < 0) {
		close_all(recording);
		return complain(exit_code_of(result), &why);
	}
	source = recording->live.source;
	context_ask(recording->context, probes_running, recording->live.probes);
	context_seed(recording->context, recording->config.scope, put_seed, recording);
	while (!recording->stopping) {
		int drained = source->ops->drain(source, 8192, put, recording);

		ring_release(source);
		loop_turn(recording->loop, drained ? 0 : TICK_MS);
	}
	while (ring_finish(source, 8192, put, recording))
		ring_release(source);
	result = close_all(recording);
	fprintf(stderr, "demarc: %llu records in %s\n", (unsigned long long)recording->records,
		path);
	return result < 0 ? complain(EXIT_IO,
				     (error_set(&why, result, "%s: %s", path, strerror(-result)),
				      &why))
			  : EXIT_OK;
}

int
cmd_record(int argc, char **argv)
{
	static const struct option names[] = {
		CONFIG_OPTIONS, {"seconds", required_argument, NULL, 't'}, {0}};
	static const struct usage usage = {"record", help, CONFIG_LETTERS, names};
	struct config_options options = {0};
	struct recording recording = {0};
	struct error why = {0};
	uint64_t seconds = 0;
	int letter, result;

	while ((letter = usage_next(&usage, argc, argv, &why)) >= 0) {
		if (config_option(&options, letter, optarg))
			continue;
		if (letter != 't')
			return usage_end(&usage, letter, &why);
		if (usage_number("seconds", optarg, 1, SECONDS_MOST, &seconds, &why) < 0)
			return usage_end(&usage, '?', &why);
	}
	if (optind == argc)
		return usage_refuse(&usage, "a FILE is missing");
	if (optind < argc - 1)
		return usage_refuse(&usage, "'%s' is one argument too many", argv[optind + 1]);
	result = config_open(&recording.config, &options);
	return result ? result : capture(&recording, argv[optind], seconds);
}
