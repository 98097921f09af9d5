/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * learn - how the process table learns.
 *
 * Two kinds of nodes: where all controllers are v2, a cgroup's id names its path
 * for ever and each id is resolved once. Where some are still v1 (mixed), the id
 * may be the same for every container, so each exec costs a look at /proc.
 */
#include <string.h>

#include "base/cleanup.h"
#include "context/learn.h"

#define UNSET UINT32_MAX

/* A value that decode() may have left absent. */
static uint32_t
number(int64_t value)
{
	return value < 0 || value > UINT32_MAX ? UNSET : (uint32_t)value;
}

static uint64_t
moment(int64_t value)
{
	return value < 0 ? 0 : (uint64_t)value;
}

static void
update_ids(struct process *process, const struct event_process *said)
{
	process->uid = number(said->uid);
	process->gid = number(said->gid);
	process->loginuid = number(said->loginuid);
	process->session = number(said->session);
	process->net_ns = number(said->net_ns);
}

/* The process of a fork, exec or exit, new or known. */
static struct process *
obtain(struct context *context, const struct event *event)
{
	const struct event_process *said = &event->process;
	uint64_t started_ns = moment(said->started_ns);
	uint32_t pid = number(said->pid);
	bool rough = event->seeded && said->execs == ABSENT; /* by /proc alone */
	struct process *process;

	process = process_find(&context->table, pid, started_ns, rough);
	if (process && process->rough && !rough && started_ns) {
		process->started_ns = started_ns;
		process->rough = false;
	}
	if (!process)
		process = process_add(&context->table, pid,
				      started_ns ? started_ns : event->time_ns, rough);
	if (process)
		update_ids(process, said);
	return process;
}

/* What the parent ran that a program has; NULL: not known. */
static const struct program *
program_of_parent(const struct context *context, const struct program *program, uint64_t at_ns)
{
	uint64_t started_ns = program->parent_started_ns;
	struct process *parent =
		started_ns ? process_find(&context->table, program->ppid, started_ns, false)
			   : process_at(&context->table, program->ppid, at_ns);
	struct program *ran;

	if (!parent)
		return NULL;
	ran = program->parent_execs ? process_ran(parent, program->parent_execs) : NULL;
	if (ran)
		return ran;
	ran = process_program(parent, at_ns);
	if (!ran || at_ns < ran->seen_ns || (program->parent_execs && ran->execs))
		return NULL;
	return ran;
}

void
learn_parent(struct context *context, struct program *program, uint64_t at_ns)
{
	const struct program *parent = program_of_parent(context, program, at_ns);

	if (!parent || !parent->name || parent->name == program->parent_name)
		return;
	text_put(&context->table.texts, program->parent_name);
	program->parent_name = text_share(parent->name);
}

struct program *
learn_program(struct process *process, const struct event *event, uint64_t at_ns)
{
	int64_t execs = event->process.execs;
	struct program *program = execs == ABSENT ? NULL : process_ran(process, number(execs));

	if (program)
		return program;
	program = process_program(process, at_ns);
	return program && execs != ABSENT && program->execs ? NULL : program;
}

bool
learn_still(struct context *context, const struct event *event)
{
	const struct event_process *said = &event->process;
	struct wire_running now;

	return said->execs != ABSENT && said->started_ns != ABSENT &&
	       ask_one(&context->asking, number(said->pid), &now) == 0 &&
	       now.started_ns == moment(said->started_ns) && now.program.execs == said->execs;
}

/* What a record says of the program that begins with it, or was seen. */
static struct program
program_said(struct context *context, const struct event *event)
{
	const struct event_process *said = &event->process;

	return (struct program){
		.since_ns = event->time_ns,
		.cgroup = moment(said->cgroup),
		.execs = said->execs == ABSENT ? 0 : number(said->execs),
		.ppid = number(said->ppid),
		.parent_execs = said->parent_execs == ABSENT ? 0 : number(said->parent_execs),
		.parent_started_ns = moment(said->parent_started_ns),
		.name = text_get(&context->table.texts, said->name),
	};
}

static void
put_said(struct context *context, struct program *program)
{
	text_put(&context->table.texts, program->name);
	text_put(&context->table.texts, program->exe);
	group_put(&context->table.groups, program->group);
}

int
learn_look(const struct context *context, const struct process *process, struct wire_task *out)
{
	int task = proc_task(&context->proc, process->pid);
	int state = task < 0 ? task : proc_read_stat(&context->proc, task, out);
	uint64_t slack = PROCESS_TICK_NS;

	if (state > 0 && state != 'Z' && state != 'X' &&
	    out->started_ns <= process->started_ns + slack &&
	    process->started_ns <= out->started_ns + slack)
		return task;
	fd_drop(&task);
	return -1;
}

/* The group that /proc names for a process now. When that is not id's any more, nobody's. */
static struct group *
group_of_task(struct context *context, int task, uint64_t id)
{
	char path[PROC_PATH_BYTES], v2_path[PROC_PATH_BYTES];
	struct group *group;
	uint64_t now;

	proc_read_cgroup(task, path, v2_path, sizeof(path));
	now = proc_cgroup_id(&context->proc, v2_path);
	if (now && id && now != id)
		return NULL;
	group = group_get(&context->table.groups, path);
	if (now == id && !context->proc.mixed)
		group_remember(&context->table.groups, id, group);
	return group;
}

static struct group *
group_of_process(struct context *context, const struct process *process, uint64_t id)
{
	struct wire_task seen;
	int task cleanup(fd_drop) = -1;

	if (process->ended_ns == PROCESS_ALIVE)
		task = learn_look(context, process, &seen);
	return task < 0 ? NULL : group_of_task(context, task, id);
}

/* All v2, an id not asked for before: ask the tree, then the process; remember what came out. */
static struct group *
resolve(struct context *context, const struct process *process, uint64_t id)
{
	struct groups *groups = &context->table.groups;
	char path[PROC_PATH_BYTES];
	struct group *group;

	if (id == GROUP_ROOT_ID)
		return group_get(groups, "/");
	if (!proc_cgroup_path(&context->proc, id, path, sizeof(path)))
		group = group_get(groups, path);
	else
		group = group_of_process(context, process, id);
	group_remember(groups, id, group);
	return group;
}

/*
 * The group of a process that has this id now, the caller's to put. before is
 * what it (or its parent) ran in so far; an unchanged id vouches for it.
 */
static struct group *
locate(struct context *context, const struct process *process, uint64_t id,
       const struct program *before, bool fresh)
{
	struct group *same = before && before->cgroup == id ? before->group : NULL;
	struct group *group;

	if (context->proc.mixed) {
		if (same && !fresh)
			return group_share(same);
		group = group_of_process(context, process, id);
		return group ? group : group_share(same);
	}
	if (same)
		return group_share(same);
	if (group_find(&context->table.groups, id, &group))
		return group_share(group);
	return id && context->proc.root >= 0 ? resolve(context, process, id) : NULL;
}

/* The group of an exec, as its record says or as it can be found. */
static struct group *
group_of_exec(struct context *context, const struct process *process, const struct event *event,
	      uint64_t id)
{
	struct group *group = group_get(&context->table.groups, event->process.cgroup_path);

	if (!group)
		return locate(context, process, id, &process->program, true);
	if (!context->proc.mixed)
		group_remember(&context->table.groups, id, group);
	return group;
}

/* Of the one that it was copied from. With CLONE_PARENT that is not its parent. */
static const struct program *
program_before(const struct context *context, const struct program *program, uint64_t at_ns)
{
	if (program->execs && program->parent_execs != program->execs)
		return NULL;
	return program_of_parent(context, program, at_ns);
}

struct process *
learn_fork(struct context *context, const struct event *event)
{
	struct process *process = obtain(context, event);
	struct program program;
	const struct program *before;

	if (!process || (process->program.name && event->process.execs == ABSENT))
		return process; /* /proc was faster than the ring */
	program = program_said(context, event);
	program.since_ns = process->started_ns;
	before = program_before(context, &program, event->time_ns);
	program.exe = before ? text_share(before->exe) : NULL;
	program.group = locate(context, process, program.cgroup, before, false);
	process_run(&context->table, process, &program);
	put_said(context, &program);
	return process;
}

/* execve() may be given a relative path, a descriptor's, or (where memory may not be read) none. */
static struct text *
exe_of_exec(struct context *context, const struct process *process, const struct event *event)
{
	const char *said = event->process.exe ? event->process.exe : "";
	char found[WIRE_TEXT_BYTES] = "";
	struct wire_task seen;
	int task cleanup(fd_drop) = -1;

	if (!event->seeded &&
	    (said[0] != '/' || !strncmp(said, "/proc/", 6) || !strncmp(said, "/dev/fd/", 8)))
		task = learn_look(context, process, &seen);
	if (task >= 0)
		proc_read_exe(task, found, sizeof(found));
	if (found[0] && learn_still(context, event))
		said = found;
	return text_get(&context->table.texts, said);
}

struct process *
learn_exec(struct context *context, const struct event *event)
{
	struct process *process = obtain(context, event);
	struct program program;

	if (!process)
		return NULL;
	if (event->seeded && process->program.name && event->process.execs == ABSENT)
		return process; /* records told more */
	program = program_said(context, event);
	if (event->seeded) {
		program.since_ns = process->started_ns;
		program.seen_ns = event->time_ns;
	}
	program.exe = exe_of_exec(context, process, event);
	program.group = group_of_exec(context, process, event, program.cgroup);
	if (event->seeded) {
		process->looked = true;
		process->looked_execs = program.execs;
	}
	process_run(&context->table, process, &program);
	put_said(context, &program);
	return process;
}

struct process *
learn_exit(struct context *context, const struct event *event)
{
	struct process *process = obtain(context, event);

	if (process)
		process_end(&context->table, process, event->time_ns);
	return process;
}

const struct group *
learn_group(struct context *context, struct process *process, struct program *program, uint64_t id)
{
	struct group *group = NULL;

	if (program && (!id || program->cgroup == id))
		return program->group;
	if (!context->proc.mixed && group_find(&context->table.groups, id, &group))
		return group;
	if (!program || program != &process->program || process->ended_ns != PROCESS_ALIVE ||
	    context->proc.root < 0)
		return NULL;
	group = locate(context, process, id, NULL, true);
	group_put(&context->table.groups, program->group);
	program->group = group;
	program->cgroup = id;
	return group;
}
