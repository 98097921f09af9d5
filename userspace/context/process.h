/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * process.h - the table of processes, living and lately ended.
 *
 * A pid recurs, so each pid has a chain of incarnations, newest first, and each
 * incarnation a chain of the programs that it ran: whoever opened a socket as a
 * shell stays a shell in that socket's records after it became something else. Records
 * name the one they mean by the number of execs, where the kernel tells it.
 *
 * Ended processes stay until room is needed and KEEP_NS of event time are over.
 * In a storm of short lives the second wish may take the table to twice its limit,
 * never further. When none has ended, the one not asked for longest goes.
 */
#ifndef CONTEXT_PROCESS_H
#define CONTEXT_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "context/group.h"
#include "base/hash.h"
#include "context/text.h"

#define PROCESS_ALIVE    UINT64_MAX
#define PROCESS_KEEP_NS  10000000000ull
#define PROCESS_PROGRAMS 8 /* at most this many of one process are remembered */
#define PROCESS_NOBODY   UINT32_MAX
#define PROCESS_TICK_NS  10000000ull /* /proc tells starts in ticks of this, rounded down */

/* What a process ran since a moment, where, and for whom. */
struct program {
	uint64_t since_ns; /* or before seen_ns, nobody knows since when */
	uint64_t seen_ns;  /* /proc told it then; 0: the kernel did, when it began */
	uint64_t cgroup;   /* v2 id that group was learnt for */
	uint32_t execs;    /* as in struct wire_program; 0: not known */
	uint32_t ppid;     /* when it began, or was seen; PROCESS_NOBODY: not known */
	uint32_t parent_execs;
	uint64_t parent_started_ns; /* 0: not known */
	struct text *name;          /* comm */
	struct text *exe;           /* NULL: not known */
	struct text *parent_name;   /* NULL: not known, or not asked yet */
	struct group *group;        /* NULL: not known */
	struct program *older;
};

struct process {
	uint32_t pid, uid, gid, loginuid, session, net_ns;
	bool rough;            /* started_ns is of /proc: a tick may be missing */
	bool looked;           /* /proc was asked about it */
	bool used;             /* asked for since it was last passed over */
	uint32_t looked_execs; /* and about this program of it */
	uint64_t started_ns;
	uint64_t ended_ns;      /* or PROCESS_ALIVE */
	struct program program; /* the newest */
	struct process *older;
	struct process *prev, *next; /* in alive or ended */
	UT_hash_handle hh;
};

struct processes {
	struct process *by_pid; /* newest incarnations */
	struct process *alive;  /* in order of arrival */
	struct process *ended;  /* in order of their end */
	size_t count;
	size_t limit;
	uint64_t now_ns; /* latest event time seen */
	struct texts texts;
	struct groups groups;
};

void processes_init(struct processes *table, size_t limit);
void processes_fini(struct processes *table);

/* The incarnation that started at started_ns (0: not known, then the newest if it lives), or NULL.
 * rough: started_ns is of /proc. */
struct process *process_find(const struct processes *table, uint32_t pid, uint64_t started_ns,
			     bool rough);

/* The incarnation that lived at a moment, or NULL. */
struct process *process_at(const struct processes *table, uint32_t pid, uint64_t at_ns);

/*
 * A new incarnation, with no program; makes room first, so pointers to other
 * processes are void after it. One that lives under the same pid ends here, unless
 * it started later: then the new one has ended before. NULL without memory.
 */
struct process *process_add(struct processes *table, uint32_t pid, uint64_t started_ns, bool rough);

void process_end(struct processes *table, struct process *process, uint64_t at_ns);

/*
 * The program changes, or more is known of one that it ran. Records may come in another
 * order than the programs did, or not at all: the number of execs orders them. Takes its
 * own shares of the texts and the group.
 */
void process_run(struct processes *table, struct process *process, const struct program *program);

/* What it ran at a moment; NULL when that is too long ago. */
struct program *process_program(struct process *process, uint64_t at_ns);
/* What it ran after so many execs; NULL: not known. */
struct program *process_ran(struct process *process, uint32_t execs);

#endif /* CONTEXT_PROCESS_H */
