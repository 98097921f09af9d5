/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* run_wait - at begin and end, where nothing is lost by waiting, the disk may set the pace. */
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "run.h"

#define PART        64  /* records, until the disk is asked again */
#define PARTS       128 /* of a turn, at most */
#define WAIT_US     2000
#define SECOND_NS   1000000000ull
#define STALL_NS    (10 * SECOND_NS) /* without a byte on disk: it is not slow, it is gone */
#define STOPPING_NS (5 * SECOND_NS)  /* the same when somebody waits for our end */

static uint64_t
bytes_on_disk(const struct run *run, int *failing)
{
	struct agent_state state;

	agent_state(run->agent, &state);
	*failing = state.journal.failing;
	return state.journal.written_bytes;
}

static void
give_up(struct run *run, uint64_t written)
{
	if (!run->is_stuck)
		log_warn("journal",
			 "the disk does not keep up: what finds no room is told as a gap");
	run->is_stuck = true;
	run->stuck_bytes = written;
}

bool
run_wait(struct run *run)
{
	uint64_t stall_ns = run->stopping ? STOPPING_NS : STALL_NS;
	uint64_t now_ns = clock_boot_ns(), moved_ns = now_ns, written, was;
	int failing;

	was = bytes_on_disk(run, &failing);
	if (run->is_stuck && was == run->stuck_bytes)
		return !agent_is_behind(run->agent);
	while (agent_is_behind(run->agent)) {
		written = bytes_on_disk(run, &failing);
		now_ns = clock_boot_ns();
		if (written != was)
			moved_ns = now_ns;
		was = written;
		if (failing || now_ns - moved_ns > stall_ns ||
		    (run->wait_until_ns && now_ns > run->wait_until_ns)) {
			give_up(run, written);
			return false;
		}
		usleep(WAIT_US);
		agent_publish(run->agent);
	}
	run->is_stuck = false;
	return true;
}

void
run_tell_rest(struct run *run, struct source *source)
{
	int parts = 0;

	while (ring_finish(source, PART, agent_record, run->agent)) {
		if (++parts < PARTS && !agent_is_full(run->agent) && !agent_is_behind(run->agent))
			continue;
		parts = 0;
		run_keep_last(run, source);
		run_wait(run);
	}
}
