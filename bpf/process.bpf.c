// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * process - who lives, as which program, under which login: the context that
 * userspace joins to sockets by process id and time.
 *
 * Only process_exec copies from foreign memory (the path, and argv when asked
 * for); where lockdown refuses that, process_exec_id takes its place.
 */
#include "probe.h"

static __always_inline void
describe(struct wire_task *out, struct task_struct *task)
{
	out->pid = task->tgid;
	out->ppid = task->real_parent->tgid;
	out->uid = task->cred->uid.val;
	out->gid = task->cred->gid.val;
	out->loginuid = bpf_core_field_exists(task->loginuid) ? task->loginuid.val : ~0u;
	out->session = bpf_core_field_exists(task->sessionid) ? task->sessionid : ~0u;
	out->started_ns = task->group_leader->start_boottime;
	out->cgroup = task->cgroups->dfl_cgrp->kn->id;
	out->net_ns = task->nsproxy->net_ns->ns.inum;
	out->pid_ns = task->nsproxy->pid_ns_for_children->ns.inum;
	out->mnt_ns = task->nsproxy->mnt_ns->ns.inum;
	out->pad = 0;
	bpf_get_current_comm(out->comm, sizeof(out->comm));
}

SEC("tp_btf/sched_process_fork")
int
BPF_PROG(process_fork, struct task_struct *parent, struct task_struct *child)
{
	struct wire_counters *c = seen(WIRE_FORK);
	struct wire_settings *s = settings_get();
	struct wire_fork *r;

	if (!c || !s)
		return 0;
	if (child->pid != child->tgid || out_of_scope(s)) { /* a thread is no process */
		filter(c);
		return 0;
	}
	r = record(c, ring_bulk, FORK, struct wire_fork);
	if (!r)
		return 0;
	describe(&r->task, child);
	program_of(&r->program, child);
	emit(r, &ring_bulk, false);
	return 0;
}

struct exec_room {
	struct wire_exec exec;
	char exe[WIRE_TEXT_BYTES];
	char argv[WIRE_TEXT_BYTES];
};

static __always_inline void
describe_exec(struct wire_exec *r, struct task_struct *task)
{
	describe(&r->task, task);
	r->exe.offset = offsetof(struct exec_room, exe);
	r->exe.length = 0;
	r->argv.offset = offsetof(struct exec_room, argv);
	r->argv.length = 0;
	r->cgroup_path.offset = 0;
	r->cgroup_path.length = 0;
	r->flags = WIRE_EXEC_PROGRAM;
	r->pad = 0;
	program_of(&r->program, task);
}

static __always_inline void
copy_argv(struct exec_room *r, struct task_struct *task, __u32 most)
{
	unsigned long start = task->mm->arg_start;
	unsigned long length = task->mm->arg_end - start;

	if (most > WIRE_TEXT_BYTES - 1)
		most = WIRE_TEXT_BYTES - 1;
	if (length > most) {
		length = most;
		r->exec.flags |= WIRE_EXEC_ARGV_CUT;
	}
	length &= WIRE_TEXT_BYTES - 1; /* for the verifier */
	if (length && !bpf_probe_read_user(r->argv, length, (const void *)start))
		r->exec.argv.length = length;
}

SEC("tp_btf/sched_process_exec")
int
BPF_PROG(process_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct wire_counters *c = seen(WIRE_EXEC);
	struct wire_settings *s = settings_get();
	struct exec_room *r;
	long length;

	if (!c || !s)
		return 0;
	if (out_of_scope(s)) {
		filter(c);
		return 0;
	}
	r = record(c, ring_bulk, EXEC, struct exec_room);
	if (!r)
		return 0;
	describe_exec(&r->exec, task);
	length = bpf_probe_read_kernel_str(r->exe, sizeof(r->exe), bprm->filename);
	if (length > 1)
		r->exec.exe.length = length - 1;
	if (s->argv_bytes)
		copy_argv(r, task, s->argv_bytes);
	emit(r, &ring_bulk, false);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int
BPF_PROG(process_exec_id, struct task_struct *task)
{
	struct wire_counters *c = seen(WIRE_EXEC);
	struct wire_settings *s = settings_get();
	struct wire_exec *r;

	if (!c || !s)
		return 0;
	if (out_of_scope(s)) {
		filter(c);
		return 0;
	}
	r = record(c, ring_bulk, EXEC, struct wire_exec);
	if (!r)
		return 0;
	describe_exec(r, task);
	r->exe.offset = 0;
	r->argv.offset = 0;
	emit(r, &ring_bulk, false);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int
BPF_PROG(process_exit, struct task_struct *task)
{
	struct wire_counters *c = seen(WIRE_EXIT);
	struct wire_settings *s = settings_get();
	struct wire_exit *r;

	if (!c || !s)
		return 0;
	if (task->signal->live.counter > 0 || out_of_scope(s)) { /* other threads live on */
		filter(c);
		return 0;
	}
	r = record(c, ring_bulk, EXIT, struct wire_exit);
	if (!r)
		return 0;
	describe(&r->task, task);
	r->status = task->exit_code;
	r->pad = 0;
	program_of(&r->program, task);
	emit(r, &ring_bulk, false);
	return 0;
}
