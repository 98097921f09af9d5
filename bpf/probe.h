/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * probe.h - what every probe leans on: the shared maps, and the verbs seen(),
 * record() and emit().
 *
 * Each object declares these maps; the loader creates them once and hands the
 * same ones to every object. A hook first calls seen(), then ends in exactly one
 * of filter(), fold() or record(): seen = filtered + folded + issued. Programs
 * nest on one CPU (a softirq interrupts a system call), so every sum is a
 * fetch-and-add and no record is built in per-CPU scratch.
 *
 * Two things are asked on every hook's behalf. seen() sees nothing in a set of maps
 * that another has replaced. And BPF_PROG, here, puts a fence before each tracing
 * program: while a new build takes the place of an old one both are attached, and
 * only the one of the generation that the settings name acts. Programs on cgroups
 * and uplinks need no fence: the kernel exchanges them in one step.
 */
#ifndef PROBE_H
#define PROBE_H

#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "wire.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define NULL ((void *)0)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_settings);
} settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, WIRE_KIND_MAX); /* times CPUs, set by the loader */
	__type(key, __u32);
	__type(value, struct wire_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20); /* set by the loader */
} ring_critical SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20); /* set by the loader */
} ring_bulk SEC(".maps");

#define add(sum, value) ((void)__sync_fetch_and_add(&(sum), (value)))

static __always_inline struct wire_settings *
settings_get(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&settings, &key);
}

volatile const __u32 generation; /* of this program, set by the loader */

static __always_inline bool
is_fenced(void)
{
	struct wire_settings *s = settings_get();

	return !s || s->generation != generation;
}

#undef BPF_PROG
#define BPF_PROG(name, args...)                                                           \
	name(unsigned long long *ctx);                                                    \
	static __always_inline int fenced_##name(unsigned long long *ctx, ##args);        \
	int name(unsigned long long *ctx)                                                 \
	{                                                                                 \
		_Pragma("GCC diagnostic push") _Pragma(                                   \
			"GCC diagnostic ignored \"-Wint-conversion\"") return is_fenced() \
			? 0                                                               \
			: fenced_##name(___bpf_ctx_cast(args));                           \
		_Pragma("GCC diagnostic pop")                                             \
	}                                                                                 \
	static __always_inline int fenced_##name(unsigned long long *ctx, ##args)

/* This CPU's counters of a kind, with the occasion counted. NULL: another set of maps counts now.
 */
static __always_inline struct wire_counters *
seen(__u32 kind)
{
	__u32 key = bpf_get_smp_processor_id() * WIRE_KIND_MAX + kind;
	struct wire_counters *c = bpf_map_lookup_elem(&counters, &key);
	struct wire_settings *s = settings_get();

	if (!c || !s || s->silent)
		return NULL;
	add(c->seen, 1);
	return c;
}

static __always_inline void
filter(struct wire_counters *c)
{
	add(c->filtered, 1);
}

static __always_inline void
fold(struct wire_counters *c)
{
	add(c->folded, 1);
}

/*
 * Atomic steps that say what was there before. Before 5.12 there are none of them:
 * then two programs that meet in one step may both be told the same, which is what
 * coverage calls approximate.
 */
#ifdef WITHOUT_FETCH
static __always_inline __u64
fetch_add(__u64 *word, __u64 value)
{
	__u64 before = *(volatile __u64 *)word;

	add(*word, value);
	return before;
}

static __always_inline __u64
fetch_set(__u64 *word, __u64 bit)
{
	__u64 before = *(volatile __u64 *)word;

	if (!(before & bit))
		add(*word, bit);
	return before;
}

static __always_inline __u64
fetch_clear(__u64 *word, __u64 bit)
{
	__u64 before = *(volatile __u64 *)word;

	if (before & bit)
		add(*word, -bit);
	return before;
}

static __always_inline bool
exchange(__u64 *word, __u64 from, __u64 to)
{
	if (*(volatile __u64 *)word != from)
		return false;
	add(*word, to - from);
	return true;
}
#else
#define fetch_add(word, value)   __sync_fetch_and_add(word, value)
#define fetch_set(word, bit)     __sync_fetch_and_or(word, bit)
#define fetch_clear(word, bit)   __sync_fetch_and_and(word, ~(bit))
#define exchange(word, from, to) __sync_bool_compare_and_swap(word, from, to)
#endif

/*
 * With the time taken, take a sequence number, then room in a ring for one record, and
 * fill in its head. NULL when the ring is full, and then the drop is counted and its place
 * is known. The record holds stale bytes beyond the head: fill every field, or
 * take it back; then emit() it.
 */
static __always_inline void *
record_begin(struct wire_counters *c, void *ring, __u16 kind, __u16 size, __u64 now_ns)
{
	__u64 sequence = fetch_add(&c->issued, 1);
	struct wire_head *head = bpf_ringbuf_reserve(ring, size, 0);

	if (!head) {
		add(c->dropped, 1);
		return NULL;
	}
	add(c->submitted, 1);
	head->kind = kind;
	head->size = size;
	head->cpu = bpf_get_smp_processor_id();
	head->sequence = sequence;
	head->time_ns = now_ns;
	return head;
}

#define record_at(c, ring, KIND, type, now_ns) \
	((type *)record_begin(c, &(ring), WIRE_##KIND, sizeof(type), now_ns))
#define record(c, ring, KIND, type) record_at(c, ring, KIND, type, bpf_ktime_get_boot_ns())

/*
 * Hand a record over. A wake-up costs thirty times the record, so userspace is
 * woken once when it sleeps, and then polls while records come: an urgent record
 * wakes at once, others when much waits.
 */
static __always_inline void
emit(void *record, void *ring, bool urgent)
{
	struct wire_settings *s = settings_get();
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (s && s->waiting &&
	    (urgent || bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) > s->critical_wake_bytes)) {
		s->waiting = 0;
		flags = BPF_RB_FORCE_WAKEUP;
	}
	bpf_ringbuf_submit(record, flags);
}

/*
 * Is the current task outside the scope? Cgroup programs need not ask: the kernel
 * scopes them. Kernels before 5.12 do not tell tracing programs a task's ancestors,
 * which are then read where the kernel keeps them.
 */
#ifdef WITHOUT_FETCH
static __always_inline bool
out_of_scope(const struct wire_settings *s)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct cgroup *cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp);
	__u64 id = 0;

	if (!s->scope_cgroup)
		return false;
	if (BPF_CORE_READ(cgroup, level) < (int)s->scope_level)
		return true;
	bpf_probe_read_kernel(&id, sizeof(id),
			      (void *)cgroup + bpf_core_field_offset(struct cgroup, ancestor_ids) +
				      s->scope_level * sizeof(id));
	return id != s->scope_cgroup;
}
#else
static __always_inline bool
out_of_scope(const struct wire_settings *s)
{
	return s->scope_cgroup &&
	       bpf_get_current_ancestor_cgroup_id(s->scope_level) != s->scope_cgroup;
}
#endif

/* Which of its programs a task runs. The task comes from BTF: no helper reads it. */
static __always_inline void
program_of(struct wire_program *out, const struct task_struct *task)
{
	const struct task_struct *parent = task->real_parent;

	out->execs = task->self_exec_id;
	out->parent_execs = parent->self_exec_id;
	out->parent_started_ns = parent->group_leader->start_boottime;
}

#endif /* PROBE_H */
