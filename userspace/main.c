/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* main - the table of subcommands. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "options.h"

struct command {
	const char *name;
	const char *words;
	int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
#define X(name, typed, words) {typed, words, cmd_##name},
	COMMANDS(X)
#undef X
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static int
help(FILE *out, int code)
{
	fprintf(out, "demarc - an eBPF network and access monitor for clusters under one "
		     "jurisdiction\n\n"
		     "usage: demarc COMMAND [OPTIONS]\n\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].words);
	fprintf(out, "\ndemarc COMMAND --help tells more. Exit codes: 0 fine, 1 found something,\n"
		     "64 usage, 69 kernel lacks what is required, 74 input or output,\n"
		     "77 privilege, 78 configuration, rules or data.\n");
	return code;
}

/* What was printed but could not be written is no success. */
static int
flush(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	return output_failed(-errno);
}

int
main(int argc, char **argv)
{
	const char *names[COMMAND_COUNT];

	if (argc < 2)
		return help(stderr, EXIT_USAGE);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return help(stdout, EXIT_OK);
	if (!strcmp(argv[1], "--version"))
		argv[1] = (char[]){"version"};
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		names[i] = commands[i].name;
		if (!strcmp(argv[1], commands[i].name))
			return flush(commands[i].run(argc - 1, argv + 1));
	}
	return refuse_name("", "command", argv[1], names, COMMAND_COUNT);
}
