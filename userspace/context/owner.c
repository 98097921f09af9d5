/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * owner - who had a pid at a moment.
 *
 * The table knows nearly always. If not, one look at /proc may tell, and only as
 * far as it is certain: a task that started later is another one, and one that the
 * kernel does not vouch for may run another program by now.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "context/learn.h"

/*
 * What /proc says of a task that runs. That is of the event's program if the kernel says
 * that it runs it still. Where nobody knows, it is known from now on only.
 */
static void
take_program(struct context *context, struct process *process, const struct event *event, int task,
	     const struct wire_task *seen)
{
	const struct event_process *said = &event->process;
	struct processes *table = &context->table;
	char exe[WIRE_TEXT_BYTES] = "", path[PROC_PATH_BYTES], v2_path[PROC_PATH_BYTES];
	struct program program = {
		.since_ns = process->started_ns, .seen_ns = clock_boot_ns(), .ppid = seen->ppid};

	proc_read_exe(task, exe, sizeof(exe));
	proc_read_cgroup(task, path, v2_path, sizeof(path));
	if (said->execs != ABSENT) {
		if (!learn_still(context, event))
			return;
		program.execs = (uint32_t)said->execs;
	} else if (process->program.name) {
		return;
	}
	program.cgroup = proc_cgroup_id(&context->proc, v2_path);
	program.name = text_get(&table->texts, seen->comm);
	program.exe = text_get(&table->texts, exe);
	program.group = group_get(&table->groups, path);
	process_run(table, process, &program);
	text_put(&table->texts, program.name);
	text_put(&table->texts, program.exe);
	group_put(&table->groups, program.group);
}

static void
note_look(struct process *process, const struct event *event)
{
	process->looked = true;
	process->looked_execs = event->process.execs == ABSENT ? 0 : (uint32_t)event->process.execs;
}

static struct process *
meet(struct context *context, const struct event *event, int task, struct wire_task *seen)
{
	bool rough = event->process.started_ns == ABSENT;
	struct process *process;

	proc_read_ids(task, seen);
	if (!rough)
		seen->started_ns = (uint64_t)event->process.started_ns;
	process = process_add(&context->table, seen->pid, seen->started_ns, rough);
	if (!process)
		return NULL;
	process->uid = seen->uid;
	process->gid = seen->gid;
	process->loginuid = seen->loginuid;
	process->session = seen->session;
	process->net_ns = seen->net_ns;
	note_look(process, event);
	take_program(context, process, event, task, seen);
	return process;
}

/* Is this task, whose start /proc rounds down, the one that the event means? */
static bool
is_meant(const struct event *event, uint64_t started_ns, uint64_t noted_ns)
{
	uint64_t exact_ns = (uint64_t)event->process.started_ns;

	if (event->process.started_ns == ABSENT)
		return started_ns + PROCESS_TICK_NS <= noted_ns;
	return started_ns <= exact_ns && exact_ns < started_ns + PROCESS_TICK_NS;
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
	    is_meant(event, seen.started_ns, noted_ns) &&
	    !process_find(&context->table, pid, seen.started_ns, true))
		return meet(context, event, task, &seen);
	context->misses[slot].pid = pid;
	context->misses[slot].noted_ns = noted_ns;
	return NULL;
}

/* Could a look tell more of the event's program than the records did? */
static bool
is_worth_it(const struct process *process, const struct event *event, uint64_t noted_ns)
{
	int64_t execs = event->process.execs;

	if (process->ended_ns != PROCESS_ALIVE ||
	    (process->looked && (execs == ABSENT || process->looked_execs == execs)))
		return false;
	if (execs != ABSENT && process->program.execs != execs)
		return process->program.execs < execs; /* else it runs another one since */
	return !process->program.exe && process->program.since_ns <= noted_ns;
}

struct process *
learn_owner(struct context *context, const struct event *event)
{
	uint64_t noted_ns = (uint64_t)event->noted_ns;
	uint32_t pid = (uint32_t)event->process.pid;
	int64_t started_ns = event->process.started_ns;
	struct process *process = started_ns == ABSENT ? process_at(&context->table, pid, noted_ns)
						       : process_find(&context->table, pid,
								      (uint64_t)started_ns, false);
	struct wire_task seen;
	int task cleanup(fd_drop) = -1;

	if (context->proc.root < 0 || !ask_is_free(&context->asking))
		return process;
	if (!process)
		return look_for(context, event, pid, noted_ns);
	if (!is_worth_it(process, event, noted_ns))
		return process;
	note_look(process, event);
	task = learn_look(context, process, &seen);
	if (task >= 0)
		take_program(context, process, event, task, &seen);
	return process;
}
