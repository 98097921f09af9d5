/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ledger - how much of a flow is new since its last record. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "ledger.h"

struct name {
	int64_t cookie;
	int64_t port;
	int64_t protocol;
	struct ip src, dst; /* flows without a socket share cookie 0 */
	int64_t src_port;
};

struct page {
	struct name name;
	int64_t bytes;
	int64_t packets;
	uint64_t heard_ns;
	UT_hash_handle hh;
};

struct ledger {
	struct page *pages;
};

int
ledger_new(struct ledger **out)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));

	if (!ledger)
		return -ENOMEM;
	*out = ledger;
	return 0;
}

static void
forget(struct ledger *ledger, struct page *page)
{
	HASH_DEL(ledger->pages, page);
	free(page);
}

void
ledger_free(struct ledger *ledger)
{
	struct page *page, *next;

	if (!ledger)
		return;
	HASH_ITER (hh, ledger->pages, page, next)
		forget(ledger, page);
	free(ledger);
}

static void
name_fill(struct name *name, const struct event *event)
{
	memset(name, 0, sizeof(*name));
	name->cookie = event->cookie;
	name->port = event->dst_port;
	name->protocol = event->protocol;
	name->src = event->src;
	name->dst = event->dst;
	name->src_port = event->src_port;
}

static void
remember(struct ledger *ledger, struct page *page, const struct name *name,
	 const struct event *event)
{
	if (!page) {
		page = calloc(1, sizeof(*page));
		if (!page)
			return; /* the next record counts this one's bytes again: rather twice than
				   never */
		page->name = *name;
		HASH_ADD(hh, ledger->pages, name, sizeof(page->name), page);
	}
	page->bytes = event->bytes;
	page->packets = event->packets;
	page->heard_ns = event->time_ns;
}

void
ledger_apply(struct ledger *ledger, struct event *event)
{
	struct page *page = NULL;
	struct name name;

	if (event->type != &event_flow || !event->moment)
		return;
	if (!strcmp(event->moment, "open")) {
		event->delta_bytes = 0;
		event->delta_packets = 0;
		return;
	}
	name_fill(&name, event);
	HASH_FIND(hh, ledger->pages, &name, sizeof(name), page);
	event->delta_bytes = event->bytes - (page ? page->bytes : 0);
	event->delta_packets = event->packets - (page ? page->packets : 0);
	if (!strcmp(event->moment, "update"))
		remember(ledger, page, &name, event);
	else if (page)
		forget(ledger, page);
}

void
ledger_expire(struct ledger *ledger, uint64_t before_ns)
{
	struct page *page, *next;

	HASH_ITER (hh, ledger->pages, page, next)
		if (page->heard_ns < before_ns)
			forget(ledger, page);
}

size_t
ledger_count(const struct ledger *ledger)
{
	return HASH_COUNT(ledger->pages);
}
