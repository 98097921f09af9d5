/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * flow.h - counting a packet into the table of flows, for the two witnesses:
 * the gate (packets that leave sockets) and the NIC (packets that passed no gate).
 */
#ifndef FLOW_H
#define FLOW_H

#include "packet.h"

#define TYPE_STREAM  1 /* SOCK_STREAM */
#define TYPE_RAW     3 /* SOCK_RAW */
#define STATE_LISTEN 10

/* Control packets that the kernel sends through a raw socket of its own, on no process's behalf. */
static __always_inline bool
is_kernel_control(const struct bpf_sock *sk, const struct sock_state *st, const struct packet *p,
		  __u32 length)
{
	return p->protocol == PROTOCOL_TCP && sk->type == TYPE_RAW &&
	       (!st || st->owner.basis == WIRE_BASIS_UNKNOWN) && length == p->header &&
	       (p->type & (TCP_RST | TCP_ACK)) && !(p->type & TCP_SYN);
}

static __always_inline void
flow_key_fill(struct flow_key *key, __u64 cookie, const struct packet *p, __u8 witness)
{
	key->cookie = cookie;
	key->dst = p->dst;
	key->port = p->dst_port;
	key->protocol = p->protocol;
	key->witness = witness;
	key->pad = 0;
}

/* One more packet of a known flow; one that came too late for its closing record is no part of it.
 */
static __always_inline void
flow_grow(struct wire_flow *flow, __u32 bytes, __u32 extra)
{
	if (fetch_add(&flow->packets, 1) & FLOW_CLOSED) {
		total_add(WIRE_TOTAL_LATE, 0, bytes, bytes + extra);
		return;
	}
	add(flow->bytes, bytes);
	add(flow->wire_bytes, bytes + extra);
	flow->last_ns = bpf_ktime_get_boot_ns();
}

/* Copy all but the head, which is the record's own. */
static __always_inline void
copy_flow(struct wire_flow *r, const struct wire_flow *flow, __u8 moment)
{
	struct wire_head head = r->head;

	*r = *flow;
	r->head = head;
	r->moment = moment;
	r->packets &= FLOW_PACKETS;
	r->flags &= ~WIRE_FLOW_UNTOLD;
}

/* True when it is out. The verifier wants a constant map in each call, hence one for each ring. */
#define announce(c, flow, ring, urgent, now_ns)                                           \
	({                                                                                \
		struct wire_flow *r = record_at(c, ring, FLOW, struct wire_flow, now_ns); \
		if (r) {                                                                  \
			copy_flow(r, flow, WIRE_MOMENT_OPEN);                             \
			emit(r, &(ring), urgent);                                         \
		}                                                                         \
		r != NULL;                                                                \
	})

static __always_inline bool
tell_opening(struct wire_counters *c, const struct wire_flow *flow, bool own, __u64 now_ns)
{
	return own ? announce(c, flow, ring_bulk, false, now_ns)
		   : announce(c, flow, ring_critical, true, now_ns);
}

static __always_inline __u64 *
held_by(__u64 cgroup)
{
	__u32 key = cgroup % HELD_PLACES;

	return bpf_map_lookup_elem(&held, &key);
}

static __always_inline __u64 *
held_by_all(void)
{
	__u32 key = HELD_PLACES;

	return bpf_map_lookup_elem(&held, &key);
}

static __always_inline void
hold(__u64 cgroup, __s64 change)
{
	__u64 *own = held_by(cgroup), *all = held_by_all();

	if (own)
		add(*own, change);
	if (all)
		add(*all, change);
}

/* In a crowded table a cgroup gets its share and no more, so that none can hide the others. */
static __always_inline bool
is_greedy(__u64 cgroup)
{
	struct wire_settings *s = settings_get();
	__u64 *all = held_by_all(), *own = held_by(cgroup);

	return s && all && own && s->share && *all >= s->crowded && *own >= s->share;
}

static __always_inline void
flow_forget(const struct flow_key *key, __u64 cgroup)
{
	if (!bpf_map_delete_elem(&flows, key))
		hold(cgroup, -1);
}

/*
 * A packet that found no room: its bytes are in the totals of its class. Its flow is
 * either named by an opening record, once, or counted there, never both; what a cgroup
 * sends beyond its share is only counted. first: nothing of this flow was told before.
 */
static __always_inline void
flow_overflow(struct wire_counters *c, struct wire_flow *flow, bool own, bool first, bool greedy)
{
	bool named = false;

	flow->flags |= WIRE_FLOW_UNTRACKED;
	if (first && !greedy)
		named = tell_opening(c, flow, own, flow->first_ns);
	else
		fold(c);
	total_add(own ? WIRE_TOTAL_TABLE_FULL_OWN : WIRE_TOTAL_TABLE_FULL_FOREIGN, first && !named,
		  flow->bytes, flow->wire_bytes);
}

/*
 * A flow's first packet. 0 when it was entered and announced, 1 when another CPU
 * was faster, -1 when there is no room for it.
 */
static __always_inline int
flow_begin(struct wire_counters *c, const struct flow_key *key, struct wire_flow *flow, bool first)
{
	bool own = is_own(&flow->dst), greedy = is_greedy(flow->cgroup);
	struct wire_flow *entry;
	long error = -1;

	flow->first_ns = bpf_ktime_get_boot_ns();
	flow->last_ns = flow->first_ns;
	flow->head.time_ns = flow->first_ns;
	if (!greedy)
		error = bpf_map_update_elem(&flows, key, flow, BPF_NOEXIST);
	if (error == -17) { /* EEXIST */
		fold(c);
		return 1;
	}
	if (error) {
		flow_overflow(c, flow, own, first, greedy);
		return -1;
	}
	hold(flow->cgroup, 1);
	if (!tell_opening(c, flow, own, flow->first_ns) &&
	    (entry = bpf_map_lookup_elem(&flows, key)))
		entry->flags |= WIRE_FLOW_UNTOLD; /* the sweep has time to try again */
	return 0;
}

/*
 * Tell the end of a flow that nobody else may tell any more, and take it out of the
 * table. False when there is no room for the record.
 */
static __always_inline bool
flow_close(const struct flow_key *key, const struct wire_flow *flow)
{
	struct wire_counters *c;
	struct wire_flow *r;

	if (flow->flags & WIRE_FLOW_UNTOLD && (c = seen(WIRE_FLOW)))
		tell_opening(c, flow, is_own(&flow->dst), bpf_ktime_get_boot_ns());
	c = seen(WIRE_FLOW);
	r = c ? record(c, ring_bulk, FLOW, struct wire_flow) : NULL;
	if (!r)
		return false;
	copy_flow(r, flow, WIRE_MOMENT_CLOSE);
	emit(r, &ring_bulk, false);
	flow_forget(key, flow->cgroup);
	return true;
}

#endif /* FLOW_H */
