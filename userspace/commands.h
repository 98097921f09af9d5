/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* commands.h - the subcommands. argv[0] is the subcommand's own name. */
#ifndef COMMANDS_H
#define COMMANDS_H

/*	name      in a few words */
#define COMMANDS(X)                                                       \
	X(run, "watch this node, judge, keep the journal")                \
	X(probe, "what this kernel lets demarc see, and what not")        \
	X(check, "the effective settings, and where each comes from")     \
	X(rules, "check, test and list rules; draft them from a journal") \
	X(data, "build and inspect location data")                        \
	X(fields, "the fields of each kind of event")                     \
	X(record, "write raw records to a file")                          \
	X(replay, "judge a recording or a journal again")                 \
	X(status, "ask the running agent how it is")                      \
	X(detach, "remove what a killed agent left in the kernel")        \
	X(version, "versions of demarc and its libraries")

#define X(name, words) int cmd_##name(int argc, char **argv);
COMMANDS(X)
#undef X

#endif /* COMMANDS_H */
