/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rule.h - decide, from an event alone, whether somebody should know.
 *
 * A rule set is parsed once from JSON text and then never changes; matching is a
 * pure function. Nothing here opens a file, reads a clock, logs or keeps state,
 * so a rule is tested with an event built by hand, and a recording gives the same
 * hits today and next year. What must remember (repeats) is struct folds below,
 * which the caller owns and which lives in event time.
 *
 *	struct ruleset *rules;
 *	struct error why = {0};
 *
 *	if (ruleset_parse(&rules, text, length, &why) < 0)
 *		return complain(path, &why);
 *	n = ruleset_match(rules, event, hits, RULE_HITS);
 *	ruleset_free(rules);
 */
#ifndef RULE_H
#define RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "event.h"

struct ruleset; /* immutable once parsed; share it freely */

enum rule_level { LEVEL_INFORMATIONAL = 1, LEVEL_LOW, LEVEL_MEDIUM, LEVEL_HIGH, LEVEL_CRITICAL };
enum rule_action { ACTION_RECORD, ACTION_ALERT, ACTION_DENY };
/* From best to worst; an event's verdict is the worst of its rules'. */
enum rule_verdict { VERDICT_ALLOWED, VERDICT_CONDITIONAL, VERDICT_UNKNOWN, VERDICT_VIOLATION };

/* What a hit tells the world. Strings live as long as their rule set. */
struct rule {
	const char *id;
	const char *title;
	const char *status; /* stable test experimental deprecated */
	enum rule_level level;
	enum rule_action action;
	enum rule_verdict verdict; /* default: alert and deny -> violation, record -> allowed */
	const struct event_type *event;
	const char *const *tags;       /* NULL-terminated */
	const char *const *references; /* NULL-terminated */
	unsigned int line;             /* in its file */
};

const char *rule_level_name(enum rule_level level);
const char *rule_verdict_name(enum rule_verdict verdict);
const char *rule_action_name(enum rule_action action);

struct ruleset_info {
	const char *id;
	const char *version;
	const char *jurisdiction;
	char digest[65]; /* SHA-256 of the canonical JSON, hex: comments and layout do not count */
	size_t rules;
};

/*
 * Parse length bytes of rules. On success *rules is the caller's to free.
 * Otherwise *rules is untouched, why points at the first mistake, and the result
 * is -EINVAL or -ENOMEM.
 */
int ruleset_parse(struct ruleset **rules, const char *text, size_t length, struct error *why);
/* Reads the file (the one place of rule/ that does), then as above. */
int ruleset_load(struct ruleset **rules, const char *path, struct error *why);
void ruleset_free(struct ruleset *rules); /* NULL is welcome */

const struct ruleset_info *ruleset_info(const struct ruleset *rules);
/* Rule number index, in file order, or NULL past the end. */
const struct rule *ruleset_rule(const struct ruleset *rules, size_t index);

/* What is allowed but looks wrong: unreachable rule, expired exception at now_ms, unused list.
 * Calls warn for each; returns how many. */
size_t ruleset_warn(const struct ruleset *rules, int64_t now_ms,
		    void (*warn)(const struct error *warning, void *arg), void *arg);

#define RULE_HITS 32

/*
 * Store in hits the rules that match, in file order, at most room of them, and
 * return how many matched. Allocates nothing; costs grow with the number of
 * rules for this kind of event only.
 */
size_t ruleset_match(const struct ruleset *rules, const struct event *event,
		     const struct rule **hits, size_t room);

/*
 * The same hits, remembered: an event that agrees with one of late in all that the
 * rules look at costs a comparison, however many rules there are. For one user at a
 * time; rules must outlive it.
 */
struct recall;

int recall_new(struct recall **out, const struct ruleset *rules);
void recall_free(struct recall *recall);
size_t recall_match(struct recall *recall, const struct event *event, const struct rule **hits,
		    size_t room);

/* Worst verdict and highest level of the hits; VERDICT_UNKNOWN when there are none. */
enum rule_verdict hits_verdict(const struct rule *const *hits, size_t count);

/* Fill event->judgement for one hit; rule NULL: for an event that no rule matched. */
void judgement_fill(struct event *event, const struct ruleset *rules, const struct rule *rule,
		    enum rule_verdict verdict);

/*
 * Run the tests that the rules carry: each builds an event from its fields and
 * says which outcome it expects. report is called for each; returns failures.
 */
struct rule_test {
	const char *rule; /* id */
	const char *name;
	bool passed;
	char detail[256]; /* expected and got */
};
int ruleset_test(const struct ruleset *rules,
		 void (*report)(const struct rule_test *test, void *arg), void *arg, size_t *run);

/*
 * Folding
 * -------
 * Repeats of one hit (same rule, workload and destination) become one open entry,
 * an update per interval, and a close with exact counts. Allowed flows become one
 * entry per interval. All in event time: the caller passes now_ns.
 */
struct folds;

struct folds_options {
	uint64_t interval_ns; /* between entries of one fold; 60 s by default */
	size_t room;          /* folds kept at once; beyond it events pass unfolded */
	uint64_t first_id;    /* of the next fold; 0: nobody asks folds_changes() */
	size_t part;          /* folds that one sweep looks at; 0: all that are due */
};

enum fold_result {
	FOLD_PASS,  /* write this event as it is (phase is set to "open" when it opens a fold) */
	FOLD_TAKEN, /* counted; an entry will tell */
};

int folds_new(struct folds **out, const struct folds_options *options);
void folds_free(struct folds *folds);

/*
 * Offer an event whose judgement is filled in. Alerts open at once; what is not
 * an alert is only summed. The fold keeps its own copy of what it needs.
 */
enum fold_result folds_offer(struct folds *folds, struct event *event);

/* The flow of this event lives, though nothing moved: its fold, if there is one, stays open. */
void folds_touch(struct folds *folds, const struct event *event);

/*
 * Hand every entry that is due to emit (update, close, sums); all of them when flush.
 * True: that was a part, and the caller comes again.
 */
bool folds_sweep(struct folds *folds, uint64_t now_ns, bool flush,
		 void (*emit)(struct event *event, void *arg), void *arg);

size_t folds_count(const struct folds *folds);

/*
 * So that a killed process loses no count, the folds say what changed in each:
 * what its next entry would tell, and at first the event that it began with.
 * Grows at its tail; size tells a newer program what an older one knew.
 */
struct fold_sums {
	int64_t events;
	int64_t begun; /* flows by their opening record, attempts each */
	int64_t bytes, packets;
};

struct fold_owed {
	uint32_t size;
	uint32_t alert;
	uint64_t last_ns;
	int64_t first_ms, last_ms;
	int64_t cookie, pid; /* ABSENT when they differ */
	struct fold_sums all;
	struct fold_sums recent; /* since the entry before */
	char opened[40];         /* as folds_name() was told; "": nobody did */
};

struct fold_change {
	uint64_t id;
	const struct fold_owed *owed; /* NULL: its last entry is handed out */
	const struct event *first;    /* of a fold that was not told before, else NULL */
};

/* Hand out what changed since the last call: forgotten folds, then the others. */
void folds_changes(struct folds *folds, void (*fn)(const struct fold_change *change, void *arg),
		   void *arg);

/*
 * The fold that the last offer opened, if it did and its entry was written: who keeps
 * that entry's bytes need not be handed its first event. 0: none.
 */
uint64_t folds_opened(struct folds *folds);

/*
 * The alert's entry that was handed out last, by an offer or a sweep, has this metadata.uid: if
 * it is the fold's first, its later ones are told by judgement.opened what opened it.
 */
void folds_name(struct folds *folds, const char *uid);

/* How many folds folds_changes() would hand out with their first event. */
size_t folds_untold(const struct folds *folds);

/*
 * Turn the event with which a fold began into the entry that closes it, as a sweep
 * with flush would have handed it out. -EBADMSG: the bytes are no struct fold_owed.
 */
int fold_complete(struct event *event, const void *owed, size_t length);

#endif /* RULE_H */
