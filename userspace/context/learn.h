/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* learn.h - how the process table learns: from fork, exec and exit, and by a look at /proc. */
#ifndef CONTEXT_LEARN_H
#define CONTEXT_LEARN_H

#include <stdint.h>

#include "context/ask.h"
#include "context/proc.h"
#include "context/process.h"
#include "context/user.h"
#include "event.h"

#define LEARN_MISSES 256 /* a power of two */

struct context {
	struct processes table;
	struct asking asking;
	struct proc proc;
	struct users users;
	char *passwd; /* NULL: no names */

	/* Owners that /proc did not know, so that it is not asked again for each of their records.
	 */
	struct {
		uint32_t pid;
		uint64_t noted_ns;
	} misses[LEARN_MISSES];
};

/* The process an event of these kinds is about; NULL only without memory. */
struct process *learn_fork(struct context *context, const struct event *event);
struct process *learn_exec(struct context *context, const struct event *event);
struct process *learn_exit(struct context *context, const struct event *event);

/* Who had this pid at that moment, by the table or one look at /proc; NULL: not known. */
struct process *learn_owner(struct context *context, const struct event *event);

/* Where a process was that had this v2 id: lent, valid until something is learnt. */
const struct group *learn_group(struct context *context, struct process *process,
				struct program *program, uint64_t id);

/* What it ran when the event happened, or, of a socket's, when its owner was noted. NULL: not
 * known.
 */
struct program *learn_program(struct process *process, const struct event *event, uint64_t at_ns);

/* Its directory in /proc (the caller's to close) and stat, if it is still that process; else -1. */
int learn_look(const struct context *context, const struct process *process, struct wire_task *out);

/* The name of the parent that a program had, if it can be known now. */
void learn_parent(struct context *context, struct program *program, uint64_t at_ns);

/* Does it run the event's program now, and so since then? What /proc showed before is of that. */
bool learn_still(struct context *context, const struct event *event);

#endif /* CONTEXT_LEARN_H */
