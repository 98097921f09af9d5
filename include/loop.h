/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * loop.h - the one event loop: descriptors, one periodic tick, signals. Nothing blocks in it.
 */
#ifndef LOOP_H
#define LOOP_H

#include <stdint.h>

struct loop;
typedef void (*loop_fn)(void *arg);

int loop_new(struct loop **out);
void loop_free(struct loop *loop);

/* Call fn whenever fd is readable. The caller keeps fd and takes it back before closing it. */
int loop_watch(struct loop *loop, int fd, loop_fn fn, void *arg);
void loop_unwatch(struct loop *loop, int fd);

/* Call fn every period_ms, from now. At most 8 timers. */
int loop_every(struct loop *loop, unsigned int period_ms, loop_fn fn, void *arg);

/* Call fn for a signal, blocked from now on and read through a descriptor. At most 8. */
int loop_signal(struct loop *loop, int signal_number, loop_fn fn, void *arg);

/*
 * Wait at most timeout_ms (or until a timer is due, if sooner; -1: no limit of
 * its own), then call what is ready. 0, or -errno.
 */
int loop_turn(struct loop *loop, int timeout_ms);

#endif /* LOOP_H */
