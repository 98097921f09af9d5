/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* run_begin - take over from the last agent: what it owed, what the kernel counted meanwhile. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "run.h"

#define PATH_BYTES 4096

/* The last agent's may be damaged, or of a newer build: what it holds is out of reach. */
static int
set_aside(struct run *run, const char *path, const char *boot_id, struct error *why)
{
	char aside[PATH_BYTES + 16];

	snprintf(aside, sizeof(aside), "%s.unreadable", path);
	if (rename(path, aside) < 0)
		return error_set(why, -errno, "%s: %s", path, strerror(errno));
	log_error("carry", "%s; it is set aside as %s, and what the last agent owed is lost",
		  why->text, aside);
	*why = (struct error){0};
	return carry_open(&run->carry, path, boot_id, why);
}

int
run_open_carry(struct run *run, const char *boot_id, struct error *why)
{
	const struct config *config = &run->config;
	struct carry_state state;
	char path[PATH_BYTES];
	int result;

	if (mkdir(config->runtime_directory, 0700) < 0 && errno != EEXIST)
		return error_set(why, -errno, "runtime_directory %s: %s", config->runtime_directory,
				 strerror(errno));
	if (snprintf(path, sizeof(path), "%s/%s.carry", config->runtime_directory,
		     config->instance) >= (int)sizeof(path))
		return error_set(why, -ENAMETOOLONG, "runtime_directory is too long");
	result = carry_open(&run->carry, path, boot_id, why);
	if (result == -EBADMSG)
		result = set_aside(run, path, boot_id, why);
	if (result == -EBUSY)
		return error_set(why, result,
				 "another agent has %s: give this one an instance of its own",
				 path);
	if (result < 0)
		return result;
	carry_state(run->carry, &state);
	if (state.dropped_bytes)
		log_warn("carry", "%s: dropped a torn turn of %" PRIu64 " bytes", path,
			 state.dropped_bytes);
	return 0;
}

/*
 * Sets of an agent with another layout or scope
 * ---------------------------------------------
 * live_open() has silenced them. Each is told to its end, with what passed between
 * its silence and our first program as a gap, and removed once that is kept.
 */

/* The last of its turns has the gap too: who is killed here has told both, or none. */
static void
read_to_the_end(struct run *run, struct live *stale, uint64_t stopped_ns)
{
	uint64_t begun_ns = probes_begun_ns(run->live.probes);

	if (!stale->source) {
		agent_say_down(run->agent, begun_ns);
		run_keep_last(run, run->live.source);
		return;
	}
	if (ring_finished(stale->source))
		return;
	run_tell_rest(run, stale->source);
	if (!ring_resumed(stale->source)) /* what the last agent kept is gone */
		agent_say_down(run->agent, stopped_ns);
	agent_say_gap(run->agent, stopped_ns, begun_ns > stopped_ns ? begun_ns : stopped_ns);
	run_keep_last(run, stale->source);
}

/* How many there were, or -errno. */
static int
read_stale(struct run *run, struct error *why)
{
	struct live stale = {0};
	uint64_t stopped_ns;
	int count = 0, result;

	while ((result = live_open_stale(&stale, &run->config, run->carry, &stopped_ns, why)) ==
	       0) {
		count++;
		read_to_the_end(run, &stale, stopped_ns);
		live_discard(&stale);
	}
	return result == -ENOENT ? count : result;
}

/*
 * What waited in the rings
 * ------------------------
 */

struct waiting {
	struct agent *agent;
	uint64_t opened_ns;
	uint64_t records; /* from before we came */
	uint64_t lost;    /* that the kernel had no room for */
	bool is_past;     /* what comes now is of our own time */
};

static void
count_waiting(const struct wire_head *record, void *arg)
{
	struct waiting *waiting = arg;

	if (record->kind == WIRE_GAP && ((const struct wire_gap *)record)->loss == WIRE_LOSS_RING)
		waiting->lost += ((const struct wire_gap *)record)->count;
	else if (record->time_ns < waiting->opened_ns)
		waiting->records++;
	else
		waiting->is_past = true;
	agent_record(record, waiting->agent);
}

static void
read_waiting(struct run *run, struct waiting *waiting)
{
	do {
		run_drain(run, count_waiting, waiting);
		run_keep(run, run->live.source);
		run_wait(run);
	} while (run->more && !waiting->is_past);
}

/*
 * Saying so
 * ---------
 */

static size_t
say_coverage(struct run *run)
{
	size_t count, attached = 0;
	const struct coverage *rows = probes_coverage(run->live.probes, &count);
	char text[WIRE_TEXT_BYTES];

	for (size_t i = 0; i < count; i++) {
		attached += rows[i].state == COVERAGE_ATTACHED;
		if (rows[i].state == COVERAGE_ATTACHED && !*rows[i].why)
			continue;
		snprintf(text, sizeof(text), "%s (%s): %s; not seen%s: %s", rows[i].subject,
			 rows[i].hook, rows[i].why,
			 rows[i].state == COVERAGE_ATTACHED ? " meanwhile" : "", rows[i].unseen);
		if (rows[i].state != COVERAGE_OFF)
			log_warn("coverage", "%s", text);
		agent_say(run->agent, WIRE_LIFE_COVERAGE, text);
	}
	return attached;
}

static void
say_observing(struct run *run)
{
	static const char text[] =
		"observe mode: no location data is configured, so unknown places raise no alert "
		"(see place.databases)";

	if (!agent_observes(run->agent))
		return;
	log_warn("run", "%s", text);
	agent_say(run->agent, WIRE_LIFE_COVERAGE, text);
}

/* waiting: NULL when nothing was counted before. */
static void
say_start(struct run *run, const struct waiting *waiting)
{
	size_t attached = say_coverage(run);
	char text[WIRE_TEXT_BYTES], since[CLOCK_TEXT];
	int64_t left_ms = agent_left_ms(run->agent);
	int length = snprintf(text, sizeof(text), "demarc %s watches %.200s: %zu hooks attached",
			      DEMARC_VERSION,
			      *run->config.scope ? run->config.scope : "the whole node", attached);

	if (waiting)
		snprintf(text + length, sizeof(text) - (size_t)length,
			 "; the kernel went on counting, nobody read since %s: %" PRIu64
			 " records waited, %" PRIu64 " more had no room",
			 left_ms ? clock_format(left_ms, since) : "it began", waiting->records,
			 waiting->lost);
	log_info("run", "%s", text);
	agent_say(run->agent, WIRE_LIFE_START, text);
	say_observing(run);
}

/*
 * The time that nobody counted, told once: a set that no agent has kept a turn of may
 * still be older than this one, whose predecessor was killed before it had said so.
 */
static void
say_uncounted(struct run *run, bool is_resumed, int stale)
{
	if (probes_adopted(run->live.probes) && !is_resumed) {
		log_warn("carry", "the kernel was counting, but what the last agent kept for us is "
				  "gone: a gap tells since when counts are not exact");
		agent_say_down(run->agent, clock_boot_ns());
	} else if (probes_interrupted(run->live.probes)) {
		log_warn("pins", "somebody took away what counts (see coverage): a gap tells since "
				 "when it may not have counted");
		agent_say_down(run->agent, clock_boot_ns());
	} else if (!stale && ring_is_new(run->live.source)) {
		agent_say_down(run->agent, probes_begun_ns(run->live.probes));
	}
}

/* Attach first, look second: nothing falls between. Owners are known before what they did is told.
 */
int
run_begin(struct run *run, uint64_t opened_ns, struct error *why)
{
	struct waiting waiting = {.agent = run->agent, .opened_ns = opened_ns};
	bool is_resumed = probes_adopted(run->live.probes) && ring_resumed(run->live.source);
	int stale;

	agent_say_gone(run->agent);
	agent_resume(run->agent);
	agent_seed(run->agent, probes_running, run->live.probes);
	stale = read_stale(run, why);
	if (stale < 0)
		return stale;
	say_uncounted(run, is_resumed, stale);
	read_waiting(run, &waiting);
	say_start(run, is_resumed ? &waiting : NULL);
	return 0;
}
