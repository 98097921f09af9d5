/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* privileges.h - keep what watching needs, give up the rest. */
#ifndef PRIVILEGES_H
#define PRIVILEGES_H

#include <stdbool.h>

#include "base/error.h"

/*
 * Keep CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH
 * (and CAP_SYS_ADMIN when enters_namespaces), drop all others and the way to get
 * them back. Call it before the first thread starts: capabilities are per thread.
 */
int privileges_drop(bool enters_namespaces, struct error *why);

/*
 * Mount the BPF file system where it belongs, when the folder for pins is to lie
 * there and nothing is mounted. What comes of it is seen when the pins are opened.
 */
void privileges_mount(const char *pins);

/* -EPERM with a reason when there are too few to begin with. */
int privileges_check(struct error *why);

#endif /* PRIVILEGES_H */
