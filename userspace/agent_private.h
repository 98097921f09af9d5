/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* agent_private.h - what the pipeline (agent.c) and its life (agent_life.c) share. */
#ifndef AGENT_PRIVATE_H
#define AGENT_PRIVATE_H

#include "agent.h"
#include "context.h"
#include "judge.h"
#include "sink.h"

/* Why the journal refused an entry, and of which class: each is told in gaps of its own. The carry
 * knows them by these numbers. */
enum shed_cause {
	SHED_ANY, /* what a killed agent owed and nobody can write; of a class that is not known */
	SHED_SLOW_BULK,
	SHED_SLOW_CRITICAL,
	SHED_QUOTA_BULK,
	SHED_QUOTA_CRITICAL,
	SHED_CAUSES,
};

/* Refused entries that no gap has told, as the carry has them too: grows at its tail. */
struct shed {
	uint64_t count;
	uint64_t since_ns; /* boot time */
	uint64_t bytes;    /* that they would have told */
	uint64_t packets;
};

struct agent {
	struct agent_options options;
	const struct config *config;
	char node[256];
	char boot_id[40];
	struct judge *judge;
	struct context *context;
	struct folds *folds;
	struct journal *journal; /* NULL in replay */
	struct privacy privacy;
	struct pseudonyms pseudonyms;
	struct recorder *recorder;
	struct sink *sinks[AGENT_SINKS];
	size_t sink_count;
	struct buf text;     /* replay: the entry being written */
	const char *written; /* the last entry, until the next; NULL: it was refused */
	size_t written_bytes;
	char written_uid[33]; /* its metadata.uid */
	uint64_t sequence;
	uint64_t ticket;
	uint64_t now_ns; /* of the latest record */
	struct shed sheds[SHED_CAUSES];
	struct shed sheds_kept[SHED_CAUSES]; /* sheds as the carry has them */
	enum shed_cause cause;               /* of the last refusal */
	struct carry *carry;
	struct buf owed;    /* ids of the last agent's folds that are not written yet */
	size_t owed_at;     /* bytes of it that are done with */
	uint64_t unkept_ns; /* since when turns cannot be kept; 0: they can */
	bool unkept_said;
	bool fold;
	struct agent_state state;
	struct event event;
};

/* One event becomes one entry. False: the journal has no room for it. */
bool agent_write(struct agent *agent, struct event *event, const struct privacy *privacy,
		 const char *boot_id);

/*
 * The event that was written last is an alert: now as a finding, too, if these are wanted. False:
 * the journal has no room for it.
 */
bool agent_write_finding(struct agent *agent, struct event *event, const struct privacy *privacy,
			 const char *boot_id);

/* All rule sets are asked. What none of them matched is one entry that says so. */
void agent_match(struct agent *agent, struct event *event);

/* agent_shed.c: an entry was refused, agent->cause says why; with what it would have told. */
void agent_count_shed(struct agent *agent);
void agent_add_shed(struct agent *agent, const struct event *event);
/* As gaps. */
void agent_tell_shed(struct agent *agent, uint64_t now_ns);

/* agent_carry.c: look through what the last agent left. Before the folds and behind the journal. */
uint64_t agent_next_fold(const struct agent *agent);
void agent_take_over(struct agent *agent);
/* What was written last may have opened a fold. */
void agent_keep_opened(struct agent *agent);
/* Folds of the last agent that found no room yet; that turns cannot be kept. */
void agent_tend_carry(struct agent *agent);

#endif /* AGENT_PRIVATE_H */
