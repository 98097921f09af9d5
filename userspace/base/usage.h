/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* usage.h - what a command takes, and what is wrong with what it was given. */
#ifndef BASE_USAGE_H
#define BASE_USAGE_H

#include <getopt.h>
#include <stdint.h>

#include "base/error.h"

struct usage {
	const char *command;          /* "rules check" */
	const char *help;             /* all that --help says */
	const char *letters;          /* as getopt() takes them, a colon first */
	const struct option *options; /* ends with a row of zeros */
};

/*
 * The letter of the next option, its value in optarg; -1 after the last, with optind
 * at the first argument; '?' for one that is wrong, with the reason in why. Begin with
 * optind 0.
 */
int usage_next(const struct usage *usage, int argc, char **argv, struct error *why);

/* The value of option name as a whole number from least to most. 0 or -EINVAL. */
int usage_number(const char *name, const char *text, uint64_t least, uint64_t most, uint64_t *out,
		 struct error *why);

#endif /* BASE_USAGE_H */
