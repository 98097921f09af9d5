/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* run.h - what the parts of `demarc run` share: how it begins, its turns, how it ends. */
#ifndef RUN_H
#define RUN_H

#include "agent.h"
#include "carry.h"
#include "live.h"
#include "loop.h"
#include "status.h"
#include "streaming.h"

struct run {
	struct config config;
	struct carry *carry;
	struct agent *agent;
	struct live live;
	struct loop *loop;
	struct status *status;
	struct streaming *streaming; /* NULL: no brokers */
	struct recorder *recorder;
	struct sink *summary;
	uint64_t longest_turn_ns;
	uint64_t turns;
	uint64_t ticked_ns;
	bool watching;          /* the rings may wake us */
	bool more;              /* records in the rings than the turn took */
	bool due;               /* more of what was folded */
	uint64_t wait_until_ns; /* no longer than till then; 0: nobody minds */
	uint64_t stuck_bytes;   /* when is_stuck: what was on disk then */
	bool is_stuck;          /* the disk took nothing for too long */
	bool stopping;
	bool reloading;
};

/* run_begin.c: the file of what is owed; one that this build cannot read is set aside. */
int run_open_carry(struct run *run, const char *boot_id, struct error *why);
/* What was counted while nobody read, then what is watched from now on. */
int run_begin(struct run *run, uint64_t opened_ns, struct error *why);

/* run_wait.c: let the disk catch up, where nothing is lost by waiting. False: it does not. */
bool run_wait(struct run *run);
/* The source's end, in turns that the disk can follow. The last of them is not kept yet. */
void run_tell_rest(struct run *run, struct source *source);

/* run_turn.c: drain, judge, keep, release, publish, rest. */
void run_turn(struct run *run);
/* Read until there are no more records now, or the turn has enough: run->more. Returns how many. */
int run_drain(struct run *run, record_fn fn, void *arg);
/* The end of a turn: what was read from this source is kept, then given back to the kernel. False:
 * it could not be kept, and is part of the next turn. */
bool run_keep(struct run *run, struct source *source);
/* The same where no turn will come; waits a second, if it must, before it does without. */
void run_keep_last(struct run *run, struct source *source);
/* Everything the kernel has told is judged, stored and shown before we go. */
void run_finish(struct run *run);

#endif /* RUN_H */
