/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stages - what each stage of the pipeline costs, on one processor.
 *
 *	stages FILE RECORDS DIRECTORY CONFIG [NAME=VALUE...]
 *
 * Makes the recording FILE and runs the pipeline's own functions over it, first one
 * stage, then two, and so on: the difference is the stage. So no clock is read between
 * records. Then the whole agent, with a journal in DIRECTORY, storage thread included,
 * on the same processor. Settings are those of the file CONFIG and of NAME=VALUE. Prints
 * a JSON object.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "context.h"
#include "judge.h"
#include "stages.h"

#define BATCH        512
#define ROUNDS       3
#define STAGED_BYTES (16u << 20) /* waiting for the disk: then the source waits too */
#define FOLDS_ROOM   16384

enum stage { READ, DECODE, CONTEXT, PLACE, MATCH, FOLD, WRITE, STAGES };

static const char *const stage_names[STAGES] = {
	[READ] = "read",   [DECODE] = "decode", [CONTEXT] = "context", [PLACE] = "place",
	[MATCH] = "match", [FOLD] = "fold",     [WRITE] = "write",
};

struct bench {
	struct config config;
	const char *path;
	enum stage last;
	struct judge *judge;
	struct context *context;
	struct folds *folds;
	struct privacy privacy;
	struct pseudonyms pseudonyms;
	struct buf text;
	struct event event;
	uint64_t records;
	uint64_t bytes;
};

static _Noreturn void
fail(const struct error *why)
{
	char text[768];

	fprintf(stderr, "stages: %s\n", error_format(why, text, sizeof(text)));
	exit(1);
}

static double
seconds_of(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/*
 * Stage by stage
 * --------------
 */

static void
write_one(struct bench *bench, const struct event *event)
{
	const struct event_stamp stamp = {.uid = "00000000000000000000000000000000",
					  .sequence = bench->records,
					  .log_name = "bench",
					  .logged_ms = event->wall_ms,
					  .node = "bench",
					  .version = DEMARC_VERSION,
					  .boot_id = ""};

	event_write(&bench->text, event, &stamp, &bench->privacy);
	bench->bytes += bench->text.length;
	buf_clear(&bench->text);
}

static void
match(struct bench *bench, struct event *event)
{
	const struct ruleset *rules = bench->judge->rulesets[0];
	const struct rule *hits[RULE_HITS];
	size_t count = recall_match(bench->judge->recalls[0], event, hits, RULE_HITS);

	judgement_fill(event, rules, count ? hits[0] : NULL, hits_verdict(hits, count));
}

static void
take_record(const struct wire_head *record, void *arg)
{
	struct bench *bench = arg;
	struct event *event = &bench->event;

	bench->records++;
	if (bench->last >= DECODE) {
		event_decode(event, record);
		event_set_wall(event, 0);
	}
	if (bench->last >= CONTEXT)
		context_apply(bench->context, event);
	if (record->kind != WIRE_FLOW)
		return;
	if (bench->last >= PLACE)
		place_recall_resolve(bench->judge->place_recall, &event->dst, event->wall_ms,
				     &event->dst_place);
	if (bench->last >= MATCH)
		match(bench, event);
	if (bench->last >= FOLD)
		folds_offer(bench->folds, event);
	if (bench->last >= WRITE)
		write_one(bench, event);
}

/* Seconds that the stages up to bench->last take for all records. */
static double
time_stages(struct bench *bench)
{
	const struct context_options options = {0};
	const struct folds_options folds = {.interval_ns = 60000000000, .room = FOLDS_ROOM};
	struct error why = {0};
	struct source *source = NULL;
	double from;

	bench->records = bench->bytes = 0;
	if (context_new(&bench->context, &options, &why) < 0 || folds_new(&bench->folds, &folds) ||
	    replay_open(&source, bench->path, &why) < 0)
		fail(&why);
	from = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
	while (source->ops->drain(source, BATCH, take_record, bench) >= 0)
		;
	from = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - from;
	source->ops->close(source);
	folds_free(bench->folds);
	context_free(bench->context);
	return from;
}

static int
by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void
print_stages(struct bench *bench)
{
	double before = 0;

	printf("{\"stages\": {");
	for (bench->last = READ; bench->last < STAGES; bench->last++) {
		double took[ROUNDS];

		for (int i = 0; i < ROUNDS; i++)
			took[i] = time_stages(bench);
		qsort(took, ROUNDS, sizeof(took[0]), by_value);
		printf("%s\"%s\": %.1f", bench->last ? ", " : "", stage_names[bench->last],
		       (took[ROUNDS / 2] - before) * 1e9 / (double)bench->records);
		before = took[ROUNDS / 2];
	}
	printf("}, \"records\": %llu, \"entry_bytes\": %.0f", (unsigned long long)bench->records,
	       (double)bench->bytes / (double)bench->records);
}

/*
 * The whole
 * ---------
 */

/* The disk is slower than the pipeline: nothing is to be shed, so wait for it. */
static void
let_disk_follow(struct agent *agent)
{
	struct agent_state state;

	for (;;) {
		agent_publish(agent);
		agent_state(agent, &state);
		if (state.journal.staged_bytes < STAGED_BYTES)
			return;
		usleep(1000);
	}
}

struct clocked {
	struct agent *agent;
	uint64_t now_ns, ticked_ns;
};

static void
record_clocked(const struct wire_head *record, void *arg)
{
	struct clocked *clocked = arg;

	clocked->now_ns = record->time_ns;
	if (clocked->now_ns - clocked->ticked_ns >= 1000000000u) {
		clocked->ticked_ns = clocked->now_ns;
		while (agent_tick(clocked->agent, clocked->now_ns))
			agent_commit(clocked->agent);
	}
	agent_record(record, clocked->agent);
}

static void
print_whole(const struct bench *bench)
{
	struct agent_options options = {.config = &bench->config, .boot_id = "bench"};
	struct agent_state state;
	struct clocked clocked = {0};
	struct error why = {0};
	struct source *source = NULL;
	double wall, cpu;

	if (agent_open(&clocked.agent, &options, &why) < 0 ||
	    replay_open(&source, bench->path, &why) < 0)
		fail(&why);
	wall = seconds_of(CLOCK_MONOTONIC);
	cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
	while (source->ops->drain(source, BATCH, record_clocked, &clocked) >= 0) {
		agent_commit(clocked.agent);
		let_disk_follow(clocked.agent);
	}
	while (agent_flush(clocked.agent, clocked.now_ns))
		agent_commit(clocked.agent);
	agent_commit(clocked.agent);
	agent_state(clocked.agent, &state);
	agent_drain(clocked.agent);
	wall = seconds_of(CLOCK_MONOTONIC) - wall;
	cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	printf(", \"%s\": {\"records\": %llu, \"entries\": %llu, \"shed\": %llu, "
	       "\"seconds\": %.3f, \"cpu_seconds\": %.3f}",
	       bench->config.journal_flows, (unsigned long long)state.records,
	       (unsigned long long)state.entries, (unsigned long long)state.shed, wall, cpu);
	source->ops->close(source);
	agent_close(clocked.agent);
}

static void
load_config(struct bench *bench, const char *flows, char **arguments)
{
	const char *sets[64] = {0};
	const struct config_sources sources = {.path = arguments[1], .sets = sets};
	char state[4096], runtime[4096], mode[64];
	struct error why = {0};
	size_t count = 3;

	snprintf(state, sizeof(state), "state_directory=%s/%s", arguments[0], flows);
	snprintf(runtime, sizeof(runtime), "runtime_directory=%s", arguments[0]);
	snprintf(mode, sizeof(mode), "journal.flows=%s", flows);
	sets[0] = state;
	sets[1] = runtime;
	sets[2] = mode;
	for (arguments += 2; *arguments && count < 63; arguments++)
		sets[count++] = *arguments;
	if (config_load(&bench->config, &sources, &why) < 0)
		fail(&why);
}

int
main(int argc, char **argv)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct error why = {0};
	cpu_set_t one;

	if (argc < 5 || !bench)
		return 64;
	CPU_ZERO(&one);
	CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &one);
	sched_setaffinity(0, sizeof(one), &one); /* threads that come inherit it */
	bench->path = argv[1];
	bench->privacy.cache = &bench->pseudonyms;
	load_config(bench, "folded", argv + 3);
	if (stages_make(bench->path, atol(argv[2]), &why) < 0 ||
	    judge_new(&bench->judge, &bench->config, &why) < 0)
		fail(&why);
	print_stages(bench);
	print_whole(bench);
	config_fini(&bench->config);
	load_config(bench, "each", argv + 3);
	print_whole(bench);
	puts("}");
	config_fini(&bench->config);
	judge_free(bench->judge);
	buf_fini(&bench->text);
	free(bench);
	return 0;
}
