/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * proc.h - what /proc and the cgroup v2 tree say of processes that no record told of.
 *
 * Everything about one process is read through one descriptor of its directory,
 * so that it is one process although its pid may recur meanwhile.
 */
#ifndef CONTEXT_PROC_H
#define CONTEXT_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "wire.h"

#define PROC_PATH_BYTES 4096

struct proc {
	int root;                           /* descriptor of /proc, or -1: never look */
	int cgroups;                        /* of the cgroup v2 root, or -1: not mounted here */
	char cgroups_path[PROC_PATH_BYTES]; /* where that is mounted */
	bool mixed;                         /* v1 or hybrid: the v2 id tells little */
	uint64_t tick_ns;                   /* unit of start times */
};

/* path NULL: all that is asked later finds nothing. -EXDEV: it shows another pid namespace. */
int proc_open(struct proc *out, const char *path, struct error *why);
void proc_close(struct proc *proc);

/* Descriptor of a process's directory, the caller's to close, or -errno. */
int proc_task(const struct proc *proc, uint32_t pid);

/* pid, ppid, comm and start; the state letter is returned, or -errno. */
int proc_read_stat(const struct proc *proc, int task, struct wire_task *out);
/* uid, gid, audit login, namespaces; what cannot be read stays unset. */
void proc_read_ids(int task, struct wire_task *out);
/* The path of the program; "" for a kernel thread, or when it may not be read. */
void proc_read_exe(int task, char *out, size_t room);
/* The cgroup path that tells most (v1, v2, hybrid), and the v2 path; "" when unknown. */
void proc_read_cgroup(int task, char *path, char *v2_path, size_t room);

/* Between a cgroup's v2 id and its path, through the mounted tree. 0 when not known. */
uint64_t proc_cgroup_id(const struct proc *proc, const char *v2_path);
/* -errno when the cgroup is gone, or without CAP_DAC_READ_SEARCH. */
int proc_cgroup_path(const struct proc *proc, uint64_t id, char *out, size_t room);

#endif /* CONTEXT_PROC_H */
