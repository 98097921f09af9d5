/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * judge.h - rules and places together: what a reload replaces as one.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include "base/error.h"
#include "config.h"
#include "place.h"
#include "rule.h"

#define JUDGE_RULESETS 8

struct judge {
	struct places *places;
	struct place_recall *place_recall;
	struct ruleset *rulesets[JUDGE_RULESETS];
	struct recall *recalls[JUDGE_RULESETS]; /* of the rule sets */
	size_t ruleset_count;
	bool observes; /* no location data: unknown places raise no alert */
};

/* Loads every file that the configuration names, or the shipped ones beside the program. */
int judge_new(struct judge **out, const struct config *config, struct error *why);
void judge_free(struct judge *judge);

/* Path of a shipped file ("rules/eu-residency.json"), or -ENOENT. */
int shipped_path(const char *name, char *path, size_t room);

#endif /* JUDGE_H */
