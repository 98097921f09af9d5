/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fold_copy.h - an event that outlives its turn: everything it points to is
 * copied beside it, in one allocation, without the scratch.
 */
#ifndef RULE_FOLD_COPY_H
#define RULE_FOLD_COPY_H

#include "event.h"

struct event_copy;

struct event_copy *event_copy_new(const struct event *event); /* NULL: no memory */
void event_copy_free(struct event_copy *copy);
/* Pointers in *out live as long as copy. */
void event_copy_get(const struct event_copy *copy, struct event *out);

#endif /* RULE_FOLD_COPY_H */
