/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * owner - who had a pid at a moment.
 *
 * The table knows nearly always. If not, one look at /proc may tell, and only as
 * far as it is certain: a task that started later is another one, and one that
 * has another name by now may run another program by now.
 */
#include <string.h>

#include "base/cleanup.h"
#include "context/learn.h"

static bool
is_name(const struct event *event, const struct wire_task *seen)
{
	return event->process.name && !strncmp(event->process.name, seen->comm, sizeof(seen->comm));
}

/* What /proc says of a task that runs; its program only if it is the one of the event. */
static void
take_program(struct context *context, struct process *process, int task,
	     const struct wire_task *seen, bool same)
{
	struct processes *table = &context->table;
	char exe[WIRE_TEXT_BYTES] = "", path[PROC_PATH_BYTES], v2_path[PROC_PATH_BYTES];
	struct program program = {.since_ns = process->started_ns,
				  .seen_ns = context->table.now_ns};

	if (same)
		proc_read_exe(task, exe, sizeof(exe));
	proc_read_cgroup(task, path, v2_path, sizeof(path));
	program.cgroup = proc_cgroup_id(&context->proc, v2_path);
	program.name = same ? text_get(&table->texts, seen->comm) : NULL;
	program.exe = text_get(&table->texts, exe);
	program.group = group_get(&table->groups, path);
	learn_program(context, process, &program);
	text_put(&table->texts, program.name);
	text_put(&table->texts, program.exe);
	group_put(&table->groups, program.group);
}

static struct process *
meet(struct context *context, const struct event *event, int task, struct wire_task *seen)
{
	struct process *process;

	proc_read_ids(task, seen);
	process = process_add(&context->table, seen->pid, seen->started_ns, true);
	if (!process)
		return NULL;
	process->ppid = seen->ppid;
	process->uid = seen->uid;
	process->gid = seen->gid;
	process->loginuid = seen->loginuid;
	process->session = seen->session;
	process->net_ns = seen->net_ns;
	process->looked = true;
	take_program(context, process, task, seen, is_name(event, seen));
	learn_parent(context, process, event->time_ns);
	return process;
}

static struct process *
look_for(struct context *context, const struct event *event, uint32_t pid, uint64_t noted_ns)
{
	size_t slot = pid & (LEARN_MISSES - 1);
	struct wire_task seen = {0};
	int task cleanup(fd_drop) = -1;
	int state;

	if (context->misses[slot].pid == pid && context->misses[slot].noted_ns == noted_ns)
		return NULL;
	task = proc_task(&context->proc, pid);
	state = task < 0 ? task : proc_read_stat(&context->proc, task, &seen);
	if (state > 0 && state != 'Z' && state != 'X' &&
	    seen.started_ns + PROCESS_TICK_NS <= noted_ns &&
	    !process_find(&context->table, pid, seen.started_ns, true))
		return meet(context, event, task, &seen);
	context->misses[slot].pid = pid;
	context->misses[slot].noted_ns = noted_ns;
	return NULL;
}

struct process *
learn_owner(struct context *context, const struct event *event)
{
	uint64_t noted_ns = (uint64_t)event->noted_ns;
	uint32_t pid = (uint32_t)event->process.pid;
	struct process *process = process_at(&context->table, pid, noted_ns);
	struct wire_task seen;
	int task cleanup(fd_drop) = -1;

	if (context->proc.root < 0)
		return process;
	if (!process)
		return look_for(context, event, pid, noted_ns);
	if (process->looked || process->program.exe || process->ended_ns != PROCESS_ALIVE)
		return process;
	process->looked = true;
	task = learn_look(context, process, &seen);
	if (task >= 0 && process->program.since_ns <= noted_ns)
		take_program(context, process, task, &seen, is_name(event, &seen));
	return process;
}
