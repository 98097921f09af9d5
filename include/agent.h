/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * agent.h - the pipeline: source, decode, context, place, match, journal, sinks.
 *
 * The only part that knows every seam. A struct agent is the pipeline without a
 * source: give it records, from the kernel or a recording, and it judges them.
 */
#ifndef AGENT_H
#define AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "carry.h"
#include "config.h"
#include "context.h"
#include "journal.h"
#include "sink.h"
#include "source.h"

struct agent;

#define AGENT_SINKS 4

struct agent_options {
	const struct config *config; /* must outlive the agent */
	bool replay;       /* no /proc, no journal; uids and times follow from the records alone */
	int64_t offset_ms; /* wall minus boot; replay takes the recording's */
	const char *boot_id;
	const char *node;    /* NULL: as configured */
	struct carry *carry; /* what the last agent left and this one owes; NULL: nothing is */
};

/* Builds everything but source and sinks: rules, places, context, privacy, journal. */
int agent_open(struct agent **out, const struct agent_options *options, struct error *why);
void agent_close(struct agent *agent);

/* The agent closes its sinks. */
void agent_add_sink(struct agent *agent, struct sink *sink);
void agent_set_recorder(struct agent *agent, struct recorder *recorder);

/* One record through the five verbs. A record_fn, so that sources can call it. */
void agent_record(const struct wire_head *record, void *agent);
/*
 * What the rules of today say of an event that was read back from a journal. Its place
 * is what the journal says, or, with resolve, what today's location data say. *rule
 * may become NULL.
 */
void agent_verdict(struct agent *agent, struct event *event, bool resolve, const char **verdict,
		   const char **rule);
/* Speak of itself: an agent event with this text. */
void agent_say(struct agent *agent, enum wire_life life, const char *text);

/* Tell of entries that the journal has lost since the last agent. Before any turn is kept. */
void agent_say_gone(struct agent *agent);
/* Write what the last agent owed: its folds. Once the sinks are there. */
void agent_resume(struct agent *agent);

/*
 * End a turn: keep what is owed, then hand the batch to the journal. 0: the source
 * may release what was read. -errno: the turn could not be kept; it goes on with
 * the next. When that lasts, it is said, and turns end without being kept.
 */
int agent_commit(struct agent *agent);
/* The turn should end: what it wrote is still near the processor when it is kept and stored. */
bool agent_is_full(const struct agent *agent);
/* The disk is so far behind that what can wait should. */
bool agent_is_behind(const struct agent *agent);
/* Publish what is on disk. */
void agent_publish(struct agent *agent);
/*
 * Once a second: folds that are due, shed counts, the user file. now_ns is boot time.
 * True: of the folds a part; end the turn and come again.
 */
bool agent_tick(struct agent *agent, uint64_t now_ns);
/* Tell since when nobody watched, if the journal was begun before. Boot time. */
void agent_say_down(struct agent *agent, uint64_t until_ns);
/* Tell that nobody watched from then to then. Boot time. */
void agent_say_gap(struct agent *agent, uint64_t from_ns, uint64_t to_ns);
/* Tell that count entries (0: nobody knows how many) could not be streamed. */
void agent_say_unread(struct agent *agent, uint64_t count);
/* Where the rules and location data of today say an address of ours is: a sentence. */
void agent_say_broker(struct agent *agent, const char *name, const char *address);
/* Wall time of the last sign of life of the agent before; 0: there was none. */
int64_t agent_left_ms(const struct agent *agent);
/* Seed the context from /proc. running: whom to ask which programs run, then and later. */
int agent_seed(struct agent *agent, context_running_fn running, void *arg);
/* Emit what is still folded. True: a part of it; end the turn and come again. */
bool agent_flush(struct agent *agent, uint64_t now_ns);

/* At the end: wait (bounded) until everything committed is on disk, and publish it.
 * -EIO: some of it is not. */
int agent_drain(struct agent *agent);

/*
 * Read rules and places anew; on any error the old ones stay. What is folded under
 * the old rules is written first: end_turn is called where there is much of it.
 */
int agent_reload(struct agent *agent, void (*end_turn)(void *arg), void *arg, struct error *why);

/* Own networks and special scopes, for the kernel. Valid until a reload. */
const struct prefix *agent_own(const struct agent *agent, size_t *count);
bool agent_observes(const struct agent *agent);
int agent_journal_fd(const struct agent *agent);
const struct privacy *agent_privacy(const struct agent *agent);
const char *agent_node(const struct agent *agent);

/* Numbers for status. */
struct agent_state {
	uint64_t records;
	uint64_t malformed;
	uint64_t entries;
	uint64_t alerts;
	uint64_t shed;
	uint64_t verdicts[4]; /* flows opened, by enum rule_verdict */
	size_t processes;
	size_t folds;
	uint64_t reloads;
	uint64_t reload_errors;
	const char *policy;
	const char *policy_version;
	const char *policy_digest;
	size_t rules;
	bool has_journal;
	struct journal_state journal;
	bool has_carry;
	struct carry_state carry;
	uint64_t owed; /* folds of the last agent that were written */
};
void agent_state(const struct agent *agent, struct agent_state *out);

#endif /* AGENT_H */
