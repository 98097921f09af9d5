/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* context - who is behind an event. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "context.h"
#include "context/learn.h"
#include "context/seed.h"

#define DEFAULT_PROCESSES 65536

DEFINE_DROP(struct context *, context, context_free)

int
context_new(struct context **out, const struct context_options *options, struct error *why)
{
	struct context *context cleanup(context_drop) = calloc(1, sizeof(*context));
	int result;

	if (!context)
		return error_set(why, -ENOMEM, "no memory for the process table");
	context->proc.root = context->proc.cgroups = -1;
	processes_init(&context->table,
		       options->processes ? options->processes : DEFAULT_PROCESSES);
	result = proc_open(&context->proc, options->proc, why);
	if (result < 0)
		return result;
	if (options->passwd) {
		context->passwd = strdup(options->passwd);
		if (!context->passwd)
			return error_set(why, -ENOMEM, "no memory for a path");
		context_refresh(context);
	}
	*out = take(context);
	return 0;
}

void
context_free(struct context *context)
{
	if (!context)
		return;
	processes_fini(&context->table);
	proc_close(&context->proc);
	users_fini(&context->users);
	free(context->passwd);
	free(context);
}

void
context_refresh(struct context *context)
{
	if (context->passwd)
		users_refresh(&context->users, context->passwd);
}

void
context_ask(struct context *context, context_running_fn fn, void *arg)
{
	context->asking = (struct asking){.fn = fn, .arg = arg};
}

int
context_seed(struct context *context, const char *cgroup, context_emit_fn emit, void *arg)
{
	return seed_scan(&context->proc, &context->asking, cgroup ? cgroup : "", emit, arg);
}

size_t
context_count(const struct context *context)
{
	return context->table.count;
}

static void
fill_number(int64_t *field, uint32_t known)
{
	if (*field == ABSENT && known != UINT32_MAX)
		*field = known;
}

static void
fill_start(struct event_process *out, const struct process *process)
{
	if (out->started_ns == ABSENT)
		out->started_ns = (int64_t)process->started_ns;
}

static void
fill_process(struct event_process *out, const struct process *process)
{
	fill_number(&out->uid, process->uid);
	fill_number(&out->gid, process->gid);
	fill_number(&out->loginuid, process->loginuid);
	fill_number(&out->session, process->session);
	fill_number(&out->net_ns, process->net_ns);
}

/*
 * What /proc shows may have been started since the moment that counts: while no
 * agent was there, or by an exec whose record was lost. The number of execs can tell.
 */
static bool
is_certain(const struct event_process *said, const struct program *program, uint64_t at_ns)
{
	return at_ns >= program->seen_ns ||
	       (said->execs != ABSENT && said->execs == program->execs);
}

/* The same of its parent, which may have changed without it. */
static bool
has_parent(const struct event_process *said, const struct program *program, uint64_t at_ns)
{
	return at_ns >= program->seen_ns ||
	       (program->parent_started_ns &&
		said->parent_started_ns == (int64_t)program->parent_started_ns &&
		said->parent_execs == program->parent_execs);
}

static void
fill_program(struct event_process *out, const struct program *program, uint64_t at_ns)
{
	if (program->exe)
		out->exe = program->exe->bytes;
	if (program->name && !(out->name && out->name[0]))
		out->name = program->name->bytes;
	if (!has_parent(out, program, at_ns))
		return;
	fill_number(&out->ppid, program->ppid);
	out->parent_name = text_bytes(program->parent_name);
}

static const char *
or_null(const char *text)
{
	return text[0] ? text : NULL;
}

static void
fill_group(struct event_process *out, const struct group *group)
{
	const struct cgroup_owner *owner = &group->owner;

	out->cgroup_path = group->path;
	out->container = or_null(owner->container);
	out->runtime = or_null(owner->runtime);
	out->pod = or_null(owner->pod);
	out->unit = or_null(owner->unit);
}

/*
 * Names of this host's users. A container has a passwd of its own, and its uid
 * 1000 is not ours: only processes that are known to be outside have a name,
 * and root, which is the same for both. A login is always one to the host.
 */
static void
fill_users(struct event_process *out, const struct users *users, const struct group *group)
{
	bool outside = group && !out->container;

	if (out->uid >= 0 && (outside || !out->uid))
		out->user = users_name(users, (uint32_t)out->uid);
	if (out->loginuid >= 0 && out->loginuid < UINT32_MAX)
		out->login_user = users_name(users, (uint32_t)out->loginuid);
}

/* The process an event is about; *at_ns is the moment that counts. */
static struct process *
find(struct context *context, const struct event *event, uint64_t *at_ns)
{
	*at_ns = event->time_ns;
	switch (event->type->kind) {
	case WIRE_FORK:
		return learn_fork(context, event);
	case WIRE_EXEC:
		return learn_exec(context, event);
	case WIRE_EXIT:
		return learn_exit(context, event);
	case WIRE_FLOW:
	case WIRE_CONNECT:
		if (event->noted_ns <= 0)
			return NULL;
		*at_ns = (uint64_t)event->noted_ns;
		return learn_owner(context, event);
	case WIRE_GAP:
	case WIRE_AGENT:
	case WIRE_KIND_MAX:
		break;
	}
	return NULL;
}

/* The owner is unknown, yet the socket's cgroup can still name its container. */
static void
apply_cgroup_only(struct context *context, struct event_process *said)
{
	const struct group *group =
		said->cgroup > 0 ? learn_group(context, NULL, NULL, (uint64_t)said->cgroup) : NULL;

	if (group)
		fill_group(said, group);
}

void
context_apply(struct context *context, struct event *event)
{
	struct event_process *said = &event->process;
	struct program *program = NULL;
	const struct group *group;
	struct process *process;
	uint64_t at_ns;

	if (event->time_ns > context->table.now_ns)
		context->table.now_ns = event->time_ns;
	if (said->pid <= 0 || said->pid > UINT32_MAX) {
		apply_cgroup_only(context, said);
		return;
	}
	process = find(context, event, &at_ns);
	if (process) {
		process->used = true;
		fill_start(said, process);
		program = learn_program(process, event, at_ns);
	}
	if (program && !program->parent_name)
		learn_parent(context, program, at_ns < program->seen_ns ? program->seen_ns : at_ns);
	if (program && is_certain(said, program, at_ns)) {
		fill_process(said, process);
		fill_program(said, program, at_ns);
	}
	group = learn_group(context, process, program,
			    said->cgroup > 0 ? (uint64_t)said->cgroup : 0);
	if (group)
		fill_group(said, group);
	fill_users(said, &context->users, group);
}
