/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * options.h - what every command shares: exit codes, configuration options, complaints.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/usage.h"
#include "config.h"

/* From sysexits.h, and stated in the README. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 64,
	EXIT_UNSUPPORTED = 69, /* the kernel lacks what is required */
	EXIT_IO = 74,
	EXIT_PRIVILEGE = 77,
	EXIT_CONFIG = 78,
};

#define OPTIONS_SETS 64
#define SECONDS_MOST 2592000 /* of --seconds: 30 days, in milliseconds an unsigned int */

/* Collects --config, --set and -X while a command reads its options. */
struct config_options {
	const char *path;
	const char *sets[OPTIONS_SETS + 1];
	int set_count;
	const char *properties[OPTIONS_SETS + 1];
	int property_count;
};

#define CONFIG_OPTIONS                                                                   \
	{"config", required_argument, NULL, 'c'}, {"set", required_argument, NULL, 's'}, \
		{"property", required_argument, NULL, 'X'},                              \
	{                                                                                \
		"help", no_argument, NULL, 'h'                                           \
	}

#define CONFIG_HELP                                                                          \
	"  -c, --config FILE       settings; default: /etc/demarc/demarc.json, if there\n"   \
	"  -s, --set NAME=VALUE    one setting; may be repeated (demarc check lists them)\n" \
	"  -X, --property N=VALUE  one property of librdkafka, behind kafka.properties\n"    \
	"  -h, --help              this text\n"

/* Begins the letters of struct usage. */
#define CONFIG_LETTERS ":c:s:X:h"

/* Takes option letter c, s or X. False: it is another one. */
bool config_option(struct config_options *options, int letter, const char *value);

/* Load, or complain and return an exit code. */
int config_open(struct config *config, const struct config_options *options);

/*
 * What is wrong with a command line: one line on stderr that points to --help.
 * usage_end() is for a letter that is none of the command's own: h prints its help.
 * All return the exit code.
 */
int usage_end(const struct usage *usage, int letter, const struct error *why);
int usage_refuse(const struct usage *usage, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int refuse_name(const char *command, const char *what, const char *name, const char *const *names,
		size_t count);

/* Print "demarc: FILE:LINE:COLUMN: text" on stderr. Returns code. */
int complain(int code, const struct error *why);

/* Standard output took no more. A reader that had enough needs no word. Returns EXIT_IO. */
int output_failed(int error);

/* What exit code a negative errno of probes_open() or agent_open() deserves. */
int exit_code_of(int error);

#endif /* OPTIONS_H */
