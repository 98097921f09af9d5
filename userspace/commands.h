/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* commands.h - the subcommands. argv[0] is the subcommand's own name. */
#ifndef COMMANDS_H
#define COMMANDS_H

int cmd_rules(int argc, char **argv);

#endif /* COMMANDS_H */
