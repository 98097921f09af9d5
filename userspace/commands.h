/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* commands.h - the subcommands. argv[0] is the subcommand as it is typed. */
#ifndef COMMANDS_H
#define COMMANDS_H

/*	name          as it is typed  in a few words */
#define COMMANDS(X)                                                                      \
	X(run, "run", "watch this node, judge, keep the journal")                        \
	X(probe, "probe", "what this kernel lets demarc see, and what not")              \
	X(check, "check", "the effective settings, and where each comes from")           \
	X(rules, "rules", "check, test and list rules; draft them from a journal")       \
	X(data, "data", "build and inspect location data")                               \
	X(fields, "fields", "the fields of each kind of event")                          \
	X(record, "record", "write raw records to a file")                               \
	X(replay, "replay", "judge a recording or a journal again")                      \
	X(status, "status", "ask the running agent how it is")                           \
	X(tail, "tail", "follow the journal or a topic")                                 \
	X(audit_stream, "audit-stream", "prove from its messages that a topic is whole") \
	X(detach, "detach", "remove what a killed agent left in the kernel")             \
	X(version, "version", "versions of demarc and its libraries")

#define X(name, typed, words) int cmd_##name(int argc, char **argv);
COMMANDS(X)
#undef X

#endif /* COMMANDS_H */
