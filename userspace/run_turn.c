/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* run_turn - the loop's turns, and the last of them. */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "run.h"

#define RECORDS     8192 /* of a turn, at most */
#define CHUNK       512  /* of them until the entries are weighed */
#define POLL_MS     5    /* while records come: nobody wakes us, we look */
#define TICK_MS     100  /* while none come: bulk that is too little to wake for */
#define RETRY_US    50000
#define SECOND_NS   1000000000ull
#define LAST_NS     (5 * SECOND_NS)  /* for reading what is there at the end */
#define STOPPING_NS (15 * SECOND_NS) /* of all waiting for the disk; a stop must end */

/* Being woken is all that is asked for: the turn looks at everything. */
static void
on_wake(void *arg)
{
	(void)arg;
}

static void
end_turn(void *arg)
{
	struct run *run = arg;

	run_keep(run, run->live.source);
}

static void
reload(struct run *run)
{
	struct error why = {0};
	char text[WIRE_TEXT_BYTES], place[400];

	run->reloading = false;
	if (agent_reload(run->agent, end_turn, run, &why) < 0) {
		snprintf(text, sizeof(text), "reload refused, the old rules and places stay: %s",
			 error_format(&why, place, sizeof(place)));
		log_error("reload", "%s", text);
		agent_say(run->agent, WIRE_LIFE_RELOAD_FAILED, text);
		return;
	}
	log_info("reload", "rules and places are read anew");
	agent_say(run->agent, WIRE_LIFE_RELOAD, "rules and places are read anew");
}

/* Sleep with the rings' permission to wake us, or poll while records come. */
static void
rest(struct run *run, int drained)
{
	int fd = run->live.source->ops->fd(run->live.source);
	bool idle = drained == 0 && !run->due && ring_sleep(run->live.source);

	if (idle != run->watching) {
		if (idle)
			loop_watch(run->loop, fd, on_wake, run);
		else
			loop_unwatch(run->loop, fd);
		run->watching = idle;
	}
	loop_turn(run->loop, run->more ? 0 : idle ? TICK_MS : POLL_MS);
}

int
run_drain(struct run *run, record_fn fn, void *arg)
{
	struct source *source = run->live.source;
	int total = 0, drained;

	do {
		drained = source->ops->drain(source, CHUNK, fn, arg);
		total += drained;
		run->more = drained >= CHUNK;
	} while (run->more && total < RECORDS && !agent_is_full(run->agent));
	return total;
}

bool
run_keep(struct run *run, struct source *source)
{
	bool is_kept;

	ring_keep(source, run->carry);
	is_kept = agent_commit(run->agent) == 0;
	if (is_kept)
		ring_release(source);
	agent_publish(run->agent);
	return is_kept;
}

void
run_keep_last(struct run *run, struct source *source)
{
	while (!run_keep(run, source))
		usleep(RETRY_US);
}

static void
tend_status(struct run *run)
{
	static const char text[] = "somebody removed files of runtime_directory: the status socket "
				   "is there again";

	if (!status_tend(run->status))
		return;
	log_warn("run", "%s", text);
	agent_say(run->agent, WIRE_LIFE_COVERAGE, text);
}

void
run_turn(struct run *run)
{
	uint64_t from_ns = clock_boot_ns(), took_ns;
	int drained = run_drain(run, agent_record, run->agent);

	if (run->reloading)
		reload(run);
	if (run->due || from_ns - run->ticked_ns > SECOND_NS) {
		run->ticked_ns = from_ns;
		run->due = agent_tick(run->agent, from_ns);
		tend_status(run);
	}
	streaming_turn(run->streaming, from_ns);
	run_keep(run, run->live.source);
	took_ns = clock_boot_ns() - from_ns;
	if (took_ns > run->longest_turn_ns)
		run->longest_turn_ns = took_ns;
	run->turns++;
	rest(run, drained);
}

static void
flush(struct run *run)
{
	while (agent_flush(run->agent, clock_boot_ns())) {
		run_keep(run, run->live.source);
		if (!run_wait(run))
			return; /* the folds that are left are in the carry, for the next agent */
	}
}

/* The flows that are open stay open in the kernel, for the next agent. */
static void
leave_counting(struct run *run)
{
	uint64_t end_ns = clock_boot_ns() + LAST_NS;

	do {
		run_drain(run, agent_record, run->agent);
		run_keep(run, run->live.source);
	} while (run_wait(run) && run->more && clock_boot_ns() < end_ns);
	if (!run->is_stuck)
		flush(run);
	agent_say(run->agent, WIRE_LIFE_STOP,
		  "demarc stops; the kernel goes on counting, and the next start tells it");
}

static void
leave_nothing(struct run *run)
{
	run_tell_rest(run, run->live.source);
	flush(run);
	agent_say(run->agent, WIRE_LIFE_STOP,
		  run->is_stuck
			  ? "demarc stops; the disk did not keep up, and gaps tell how much is "
			    "missing"
			  : "demarc stops; all flows are told");
}

void
run_finish(struct run *run)
{
	run->wait_until_ns = clock_boot_ns() + STOPPING_NS;
	if (probes_pinned(run->live.probes) && !run->config.detach_at_stop)
		leave_counting(run);
	else
		leave_nothing(run);
	run_keep_last(run, run->live.source);
	streaming_turn(run->streaming, clock_boot_ns());
	log_info("run", "stopped after %llu turns, the longest took %.1f ms",
		 (unsigned long long)run->turns, (double)run->longest_turn_ns / 1e6);
}
