/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ledger.h - how much of a flow is new since its last record.
 *
 * Records say what a flow carried so far; sums need what came since. Only flows
 * that had an update are remembered: a flow with an opening and a closing record
 * needs no memory. An opening record counts the flow and carries no bytes of its
 * own, since the next record's sum holds its packet too.
 */
#ifndef LEDGER_H
#define LEDGER_H

#include <stddef.h>

#include "event.h"

struct ledger;

int ledger_new(struct ledger **out);
void ledger_free(struct ledger *ledger);

/* Fill in event->delta_bytes and delta_packets of a flow; other kinds are left alone. */
void ledger_apply(struct ledger *ledger, struct event *event);

/* Forget flows of which nothing was heard since before_ns: their closing record was lost. */
void ledger_expire(struct ledger *ledger, uint64_t before_ns);

size_t ledger_count(const struct ledger *ledger);

#endif /* LEDGER_H */
