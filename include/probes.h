/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * probes.h - the kernel side, loaded: which hooks took, the maps they fill.
 *
 * Every program is loaded and attached on its own, so that what a kernel refuses
 * costs one subject and not the agent. What took and what did not is the
 * coverage, a row for each subject.
 */
#ifndef PROBES_H
#define PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ip.h"
#include "carry.h"
#include "source.h"
#include "wire.h"

struct probes;

struct probes_options {
	const char *scope; /* cgroup v2 path, absolute or below the mount; "": the root */
	uint64_t table_entries;
	uint64_t ring_critical_bytes;
	uint64_t ring_bulk_bytes;
	bool loopback;
	uint32_t argv_bytes;
	const char *const *uplinks; /* names, "auto" or "none"; NULL-terminated */
	const char *instance;       /* tells this agent's filters from another's */
	const char *netns;          /* path of the uplinks' network namespace; "": ours */
	const char *pins; /* folder in a BPF file system; "": the kernel stops counting with us */
	bool apart; /* a guest beside an agent of this instance: pins nothing, has its own filters
		     */
	const struct prefix *own; /* own networks and special scopes, for the kernel's prefix set */
	size_t own_count;
};

enum coverage_state { COVERAGE_ATTACHED, COVERAGE_REFUSED, COVERAGE_OFF };

struct coverage {
	const char *subject; /* "egress" */
	const char *hook;    /* "cgroup_skb/egress" */
	enum coverage_state state;
	char why[160];      /* when refused or off: the kernel's word for it; else what was amiss */
	const char *unseen; /* what is not seen without it */
};

/* 0; -EPERM without the privilege for BPF; -ENOTSUP when the kernel lacks what is required. */
int probes_open(struct probes **out, const struct probes_options *options, struct error *why);
/* Detaches and unpins everything; what was counted can still be read. */
void probes_stop(struct probes *probes);
/* What is pinned and was not stopped goes on counting, for the next probes_open(). */
void probes_close(struct probes *probes);
/* True when the kernel was counting already: a set of probes was found and taken over. */
bool probes_adopted(const struct probes *probes);
/* True when the set was found, and the gate or what it leans on was not attached any more. */
bool probes_interrupted(const struct probes *probes);
/* Boot time since when every packet was counted. */
uint64_t probes_begun_ns(const struct probes *probes);
/* True when it goes on counting without us. */
bool probes_pinned(const struct probes *probes);

/*
 * A set that an agent with another layout or scope left behind: its maps, detached
 * and silent, to be read by ring_open() and ring_finish() and then discarded.
 * -ENOENT when there is none, or none any more. stopped_ns: when it fell silent.
 */
int probes_open_stale(struct probes **out, const struct probes_options *options,
		      uint64_t *stopped_ns, struct error *why);
/* False of a stale set that was damaged: there is nothing to be read, only to be discarded. */
bool probes_readable(const struct probes *probes);
void probes_discard(struct probes *probes); /* unpins the stale set, then closes it */

/* Which programs run now; arg is the probes. *out is the caller's to free. 0 or -errno. */
int probes_running(struct wire_running **out, size_t *count, void *arg);

const struct coverage *probes_coverage(const struct probes *probes, size_t *count);

/* Sums over all CPUs, read while the probes run: exact once traffic rests. */
void probes_counters(const struct probes *probes, enum wire_kind kind, struct wire_counters *out);
void probes_total(const struct probes *probes, enum wire_total total, struct wire_sum *out);
size_t probes_flows(const struct probes *probes); /* entries, as of the last sweep */

/* Path of the cgroup v2 mount, or -ENOENT. */
int cgroup_mount_find(char *path, size_t room);
/* "/kubepods.slice" and "<mount>/kubepods.slice" mean the same: the part below the mount. */
const char *scope_below(const char *scope, const char *mount);

struct probes_removed {
	size_t sets, links, maps, filters;
	uint64_t flows;        /* that the kernel still counted, and */
	uint64_t unread_bytes; /* records in the rings, which no agent has read */
	char nowhere[160];     /* why there were no sets to be found, or "" */
};

/*
 * Remove all that agents of this instance left in the kernel, and add it up in *out.
 * -EBUSY: one of them is running.
 */
int probes_detach(struct probes_removed *out, const struct probes_options *options,
		  struct error *why);

/* Call fn for each instance that has a set pinned in the folder. -errno and why: no BPF file
 * system is there. */
typedef void (*instance_fn)(const char *instance, void *arg);
int probes_each_instance(const char *pins, instance_fn fn, void *arg, struct error *why);

struct ring_options {
	uint64_t interval_ns; /* between updates of a long flow */
	uint64_t idle_ns;     /* after which a datagram flow is closed */
};

/*
 * The kernel's rings and table of flows as a source. probes must outlive it. With
 * carry it goes on where the last agent stopped, if that one read the same set.
 */
int ring_open(struct source **out, struct probes *probes, const struct ring_options *options,
	      const struct carry *carry, struct error *why);
/*
 * False when the kernel counted before and nobody knows how much of it was read and
 * told: what was lost until now has no number.
 */
bool ring_resumed(const struct source *source);
/* Was a stale set told to its end, by an agent that was killed before it could discard it? */
bool ring_finished(const struct source *source);
/* True when no agent has kept a turn of this set before. */
bool ring_is_new(const struct source *source);
/*
 * The end of a turn. keep: put into carry what was read and which gaps were told.
 * release: that is safe now, so the kernel may write over what was read. Until
 * then a killed agent's successor reads it again.
 */
void ring_keep(struct source *source, struct carry *carry);
void ring_release(struct source *source);
/* Userspace is about to sleep: ask to be woken. False when records came meanwhile. */
bool ring_sleep(struct source *source);
/*
 * Detach; then yield what the rings still hold, every flow's totals and every pending
 * gap, as the last records: about budget of them in a call. True: there are more. Who
 * keeps turns in between goes on, after a kill, behind the last that was kept.
 */
bool ring_finish(struct source *source, int budget, record_fn fn, void *arg);

#endif /* PROBES_H */
