/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * context.h - who is behind an event.
 *
 * A process table learnt from fork, exec and exit, seeded at start from /proc.
 * An owner is looked up by pid, start and number of execs, so neither a pid that recurs
 * is taken for its predecessor nor a program for the one before, whatever records were
 * lost; where the kernel does not tell these, by the time at which it was noted. Ended
 * processes stay long enough for records that arrive late. Children inherit their parent's
 * container until an exec or a look at /proc says otherwise.
 */
#ifndef CONTEXT_H
#define CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "event.h"
#include "wire.h"

struct context;

struct context_options {
	const char *proc;   /* "/proc", or where the host's is mounted; NULL: never look (replay) */
	const char *passwd; /* "/etc/passwd"; NULL: no user names */
	/* At most this many, the oldest ended go first; those that ended in the last 10 s of
	 * event time may make it twice as many. 0: 65536. */
	size_t processes;
};

/* What runs now, in *out, which the caller frees; -errno. */
typedef int (*context_running_fn)(struct wire_running **out, size_t *count, void *arg);

/* -EXDEV: proc shows another pid namespace than the initial one, which records speak of. */
int context_new(struct context **out, const struct context_options *options, struct error *why);
void context_free(struct context *context);

/*
 * Whom to ask which programs run. Without it what /proc shows is known from then on only,
 * not of sockets that were opened before.
 */
void context_ask(struct context *context, context_running_fn fn, void *arg);

/* Read passwd again if it changed. For a timer, once a second; voids names given out before. */
void context_refresh(struct context *context);

/*
 * Yield every process of /proc as a WIRE_EXEC record with WIRE_EXEC_SEEDED, so
 * that a recording holds them too. emit's result other than 0 stops and is
 * returned. argv is left out. cgroup limits it to that v2 cgroup path and its
 * children ("" or NULL: all). head.sequence counts the seeds, apart from the kernel's
 * numbers.
 */
typedef int (*context_emit_fn)(const struct wire_head *record, void *arg);
int context_seed(struct context *context, const char *cgroup, context_emit_fn emit, void *arg);

/*
 * Learn from a fork, exec or exit, and fill in event->process for every kind:
 * names, exe, container, pod, as they were when the owner was noted. Pointers it
 * leaves in the event are valid until the next call that learns.
 */
void context_apply(struct context *context, struct event *event);

size_t context_count(const struct context *context);

/*
 * What a cgroup path says about who runs in it. Every layout of containerd,
 * CRI-O, docker, podman, runc, lxc and systemd, both drivers, nested ones
 * (the last match counts), v1, v2 and hybrid. Pure.
 */
struct cgroup_owner {
	char container[65]; /* "" when none */
	char runtime[16];   /* "" where the layout does not tell */
	char pod[37];       /* UID with dashes, "" when none */
	char unit[128];
};
void cgroup_parse(struct cgroup_owner *out, const char *path);

/* Choose the telling line of a /proc/PID/cgroup text (v1, v2, hybrid) and copy its path. */
void cgroup_choose(const char *text, char *path, size_t room);

#endif /* CONTEXT_H */
