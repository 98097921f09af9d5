/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* process - the table of processes, living and lately ended. */
#include <stdlib.h>
#include <utlist.h>

#include "base/cleanup.h"
#include "context/process.h"

static struct process *
newest(const struct processes *table, uint32_t pid)
{
	struct process *process;

	HASH_FIND(hh, table->by_pid, &pid, sizeof(pid), process);
	return process;
}

static void
put_program(struct processes *table, struct program *program)
{
	text_put(&table->texts, program->name);
	text_put(&table->texts, program->exe);
	text_put(&table->texts, program->parent_name);
	group_put(&table->groups, program->group);
}

static void
drop_programs(struct processes *table, struct program *program)
{
	while (program) {
		struct program *older = program->older;

		put_program(table, program);
		free(program);
		program = older;
	}
}

/* Give up one that stands in no chain any more. */
static void
release(struct processes *table, struct process *process)
{
	if (process->ended_ns == PROCESS_ALIVE)
		DL_DELETE(table->alive, process);
	else
		DL_DELETE(table->ended, process);
	drop_programs(table, process->program.older);
	put_program(table, &process->program);
	free(process);
	table->count--;
}

static void
drop(struct processes *table, struct process *process)
{
	struct process *at = newest(table, process->pid);

	if (at != process) {
		while (at->older != process)
			at = at->older;
		at->older = process->older;
		release(table, process);
		return;
	}
	HASH_DELETE(hh, table->by_pid, process);
	at = process->older;
	release(table, process);
	if (!at)
		return;
	HASH_ADD(hh, table->by_pid, pid, sizeof(at->pid), at);
	while (at && !at->hh.tbl) { /* no memory to index them: forget them */
		struct process *older = at->older;

		release(table, at);
		at = older;
		if (at)
			at->hh.tbl = NULL;
	}
}

/* The one of the living that was not asked for since the last time round. */
static struct process *
idlest(struct processes *table)
{
	struct process *process = table->alive;

	while (process && process->used) {
		process->used = false;
		DL_DELETE(table->alive, process);
		DL_APPEND(table->alive, process);
		process = table->alive;
	}
	return process;
}

static void
make_room(struct processes *table)
{
	while (table->count >= table->limit) {
		struct process *victim = table->ended;

		if (victim && table->count < 2 * table->limit &&
		    victim->ended_ns + PROCESS_KEEP_NS > table->now_ns)
			return;
		drop(table, victim ? victim : idlest(table));
	}
}

void
processes_init(struct processes *table, size_t limit)
{
	*table = (struct processes){.limit = limit};
	table->groups.room = limit / 4 > 4096 ? limit / 4 : 4096;
}

void
processes_fini(struct processes *table)
{
	HASH_CLEAR(hh, table->by_pid);
	while (table->alive)
		release(table, table->alive);
	while (table->ended)
		release(table, table->ended);
	groups_fini(&table->groups);
}

static bool
is_start(const struct process *process, uint64_t started_ns, bool rough)
{
	uint64_t slack = rough || process->rough ? PROCESS_TICK_NS : 0;

	return process->started_ns <= started_ns + slack &&
	       started_ns <= process->started_ns + slack;
}

struct process *
process_find(const struct processes *table, uint32_t pid, uint64_t started_ns, bool rough)
{
	struct process *process = newest(table, pid);

	if (process && !started_ns)
		return process->ended_ns == PROCESS_ALIVE ? process : NULL;
	while (process && !is_start(process, started_ns, rough))
		process = process->older;
	return process;
}

/* Within a tick of /proc's another one may have had the pid, and be gone. */
static uint64_t
surely_began(const struct process *process)
{
	return process->started_ns + (process->rough ? PROCESS_TICK_NS : 0);
}

struct process *
process_at(const struct processes *table, uint32_t pid, uint64_t at_ns)
{
	struct process *process = newest(table, pid);

	while (process && surely_began(process) > at_ns)
		process = process->older;
	return process && at_ns <= process->ended_ns ? process : NULL;
}

void
process_end(struct processes *table, struct process *process, uint64_t at_ns)
{
	if (process->ended_ns != PROCESS_ALIVE)
		return;
	process->ended_ns = at_ns;
	DL_DELETE(table->alive, process);
	DL_APPEND(table->ended, process);
}

/* Put into its pid's chain, which is ordered by start. */
static bool
chain(struct processes *table, struct process *process)
{
	struct process *at = newest(table, process->pid);

	if (at && at->started_ns > process->started_ns) {
		process_end(table, process, at->started_ns);
		while (at->older && at->older->started_ns > process->started_ns)
			at = at->older;
		process->older = at->older;
		at->older = process;
		return true;
	}
	HASH_ADD(hh, table->by_pid, pid, sizeof(process->pid), process);
	if (!process->hh.tbl)
		return false;
	if (at) {
		process_end(table, at, process->started_ns);
		HASH_DELETE(hh, table->by_pid, at);
		process->older = at;
	}
	return true;
}

struct process *
process_add(struct processes *table, uint32_t pid, uint64_t started_ns, bool rough)
{
	struct process *process;

	make_room(table);
	process = calloc(1, sizeof(*process));
	if (!process)
		return NULL;
	process->pid = pid;
	process->started_ns = started_ns;
	process->rough = rough;
	process->ended_ns = PROCESS_ALIVE;
	table->count++;
	DL_APPEND(table->alive, process);
	if (chain(table, process))
		return process;
	release(table, process);
	return NULL;
}

static bool
is_empty(const struct program *program)
{
	return !program->name && !program->exe && !program->group && !program->execs;
}

/* Of one that is known already: a record is surer than what /proc showed later. */
static void
merge(struct processes *table, struct program *known, struct program *more)
{
	bool is_surer = known->seen_ns && !more->seen_ns;
	struct program old = *known, *older = known->older;

	if (is_surer)
		*known = *more;
	else
		old = *more;
	known->older = older;
	if (!known->name)
		known->name = take(old.name);
	if (!known->exe)
		known->exe = take(old.exe);
	if (!known->group && known->cgroup == old.cgroup)
		known->group = take(old.group);
	put_program(table, &old);
}

/* Let go of those that too many came after. */
static void
trim(struct processes *table, struct process *process)
{
	struct program *at = &process->program;
	unsigned int count = 0;

	while (at->older && ++count < PROCESS_PROGRAMS)
		at = at->older;
	drop_programs(table, at->older);
	at->older = NULL;
}

/* It began before newer did. */
static void
insert_older(struct processes *table, struct process *process, struct program *newer,
	     struct program *program)
{
	struct program *kept = malloc(sizeof(*kept));

	if (!kept) {
		put_program(table, program);
		return;
	}
	*kept = *program;
	kept->older = newer->older;
	newer->older = kept;
	trim(table, process);
}

/* Keep the newest program as history, if there was one. */
static void
insert_newest(struct processes *table, struct process *process, struct program *program)
{
	struct program *at = &process->program, *kept = at->older;

	if (!is_empty(at)) {
		kept = malloc(sizeof(*kept));
		if (kept) {
			*kept = *at;
		} else { /* what is forgotten must not be answered with what was before */
			drop_programs(table, at->older);
			put_program(table, at);
		}
	}
	program->older = kept;
	*at = *program;
	trim(table, process);
}

void
process_run(struct processes *table, struct process *process, const struct program *program)
{
	struct program next = *program, *at = &process->program, *newer = NULL;

	text_share(next.name);
	text_share(next.exe);
	text_share(next.parent_name);
	group_share(next.group);
	while (next.execs && at && at->execs > next.execs) {
		newer = at;
		at = at->older;
	}
	if (next.execs && at && at->execs == next.execs)
		merge(table, at, &next);
	else if (newer)
		insert_older(table, process, newer, &next);
	else
		insert_newest(table, process, &next);
}

struct program *
process_ran(struct process *process, uint32_t execs)
{
	struct program *program = &process->program;

	while (program && program->execs != execs)
		program = program->older;
	return program;
}

struct program *
process_program(struct process *process, uint64_t at_ns)
{
	struct program *program = &process->program;

	while (program && program->since_ns > at_ns)
		program = program->older;
	return program;
}
