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
update_ids(struct context *context, struct process *process, const struct event_process *said)
{
	uint32_t ppid = number(said->ppid);

	if (ppid != process->ppid) {
		text_put(&context->table.texts, process->parent_name);
		process->parent_name = NULL;
	}
	process->ppid = ppid;
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
	struct process *process;

	process = process_find(&context->table, pid, started_ns, event->seeded);
	if (process && process->rough && !event->seeded && started_ns) {
		process->started_ns = started_ns;
		process->rough = false;
	}
	if (!process)
		process = process_add(&context->table, pid,
				      started_ns ? started_ns : event->time_ns, event->seeded);
	if (process)
		update_ids(context, process, said);
	return process;
}

void
learn_parent(struct context *context, struct process *process, uint64_t at_ns)
{
	struct process *parent = process_at(&context->table, process->ppid, at_ns);
	struct program *program = parent ? process_program(parent, at_ns) : NULL;

	if (!program || !program->name)
		return;
	text_put(&context->table.texts, process->parent_name);
	process->parent_name = text_share(program->name);
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

struct process *
learn_fork(struct context *context, const struct event *event)
{
	struct processes *table = &context->table;
	struct process *process = obtain(context, event), *parent;
	struct program program = {0}, *before;

	if (!process || process->program.name)
		return process; /* /proc was faster than the ring */
	parent = process_at(table, process->ppid, event->time_ns);
	before = parent ? process_program(parent, event->time_ns) : NULL;
	program.since_ns = process->started_ns;
	program.cgroup = moment(event->process.cgroup);
	program.name = text_get(&table->texts, event->process.name);
	program.exe = before ? before->exe : NULL;
	program.group = locate(context, process, program.cgroup, before, false);
	process_run(table, process, &program);
	learn_parent(context, process, event->time_ns);
	text_put(&table->texts, program.name);
	group_put(&table->groups, program.group);
	return process;
}

/* execve() may be given a relative path, a descriptor's, or (where memory may not be read) none. */
static struct text *
exe_of_exec(struct context *context, const struct process *process, const struct event *event)
{
	const char *said = event->process.exe ? event->process.exe : "";
	char found[WIRE_TEXT_BYTES];
	struct wire_task seen;
	int task cleanup(fd_drop) = -1;

	if (!event->seeded &&
	    (said[0] != '/' || !strncmp(said, "/proc/", 6) || !strncmp(said, "/dev/fd/", 8)))
		task = learn_look(context, process, &seen);
	if (task >= 0 && event->process.name &&
	    !strncmp(seen.comm, event->process.name, sizeof(seen.comm))) {
		proc_read_exe(task, found, sizeof(found));
		if (found[0])
			said = found;
	}
	return text_get(&context->table.texts, said);
}

void
learn_program(struct context *context, struct process *process, const struct program *seen)
{
	struct program *program = &process->program;

	if (!program->name) {
		process_run(&context->table, process, seen);
		return;
	}
	if (!program->exe)
		program->exe = text_share(seen->exe);
	if (!program->group && program->cgroup == seen->cgroup)
		program->group = group_share(seen->group);
}

struct process *
learn_exec(struct context *context, const struct event *event)
{
	struct processes *table = &context->table;
	struct process *process = obtain(context, event);
	struct program program = {0};

	if (!process)
		return NULL;
	program.since_ns = event->seeded ? process->started_ns : event->time_ns;
	program.seen_ns = event->seeded ? event->time_ns : 0;
	program.cgroup = moment(event->process.cgroup);
	program.name = text_get(&table->texts, event->process.name);
	program.exe = exe_of_exec(context, process, event);
	program.group = group_of_exec(context, process, event, program.cgroup);
	process->looked = process->looked || event->seeded;
	if (event->seeded)
		learn_program(context, process, &program);
	else
		process_run(table, process, &program);
	learn_parent(context, process, event->time_ns);
	text_put(&table->texts, program.name);
	text_put(&table->texts, program.exe);
	group_put(&table->groups, program.group);
	return process;
}

struct process *
learn_exit(struct context *context, const struct event *event)
{
	struct process *process = obtain(context, event);

	if (!process)
		return NULL;
	if (!process->parent_name)
		learn_parent(context, process, event->time_ns);
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
