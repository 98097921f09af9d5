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

/* The place of the cgroup in which this one lies, so many levels below the scope. */
static __always_inline __u32
place_above(struct __sk_buff *skb, const struct wire_settings *s, __u32 depth, __u64 cgroup)
{
	__u64 id = bpf_skb_ancestor_cgroup_id(skb, s->scope_level + depth);

	return id && id != cgroup ? id % HELD_PLACES : HELD_NONE;
}

/* Whose the flow is, in the head of its entry (see flows). */
static __always_inline void
flow_place(struct __sk_buff *skb, struct wire_flow *flow)
{
	struct wire_settings *s = settings_get();

	flow->cgroup = bpf_skb_cgroup_id(skb);
	if (!s)
		return;
	flow->head.kind = flow->cgroup % HELD_PLACES;
	flow->head.size = place_above(skb, s, 3, flow->cgroup);
	flow->head.cpu = place_above(skb, s, 2, flow->cgroup) | place_above(skb, s, 1, flow->cgroup)
									<< 16;
}

static __always_inline struct held *
held_at(__u32 place)
{
	return bpf_map_lookup_elem(&held, &place);
}

static __always_inline void
hold_at(__u32 place, __s64 change)
{
	struct held *h = held_at(place);

	if (h)
		add(h->flows, change);
}

static __always_inline void
hold(const struct wire_flow *flow, __s64 change)
{
	hold_at(flow->head.kind, change);
	hold_at(flow->head.size, change);
	hold_at(flow->head.cpu & 0xffff, change);
	hold_at(flow->head.cpu >> 16, change);
	hold_at(HELD_PLACES, change);
}

static __always_inline bool
holds(__u32 place, __u64 limit)
{
	struct held *h = held_at(place);

	return h && h->flows >= limit;
}

static __always_inline bool
is_crowded(const struct wire_settings *s, __u64 now_ns)
{
	struct held *all = held_at(HELD_PLACES);

	if (!s->share || !all || all->flows < s->crowded)
		return false;
	all->told = now_ns;
	return true;
}

/*
 * In a crowded table a cgroup gets its share, an eighth, and no more; nor by splitting
 * itself: what it lies in gets an eighth, a half and seven eighths, the higher the more.
 */
static __always_inline bool
is_greedy(const struct wire_flow *flow)
{
	struct wire_settings *s = settings_get();

	return s && is_crowded(s, flow->first_ns) &&
	       (holds(flow->head.kind, s->share) || holds(flow->head.size, s->share) ||
		holds(flow->head.cpu & 0xffff, s->share * 4ull) ||
		holds(flow->head.cpu >> 16, s->share * 7ull));
}

static __always_inline void
flow_forget(const struct flow_key *key, const struct wire_flow *flow)
{
	struct wire_flow whose;

	whose.head = flow->head;
	if (!bpf_map_delete_elem(&flows, key))
		hold(&whose, -1);
}

/* One of so many records that this place may tell in a second; a few more where CPUs meet. */
static __always_inline bool
spend(__u32 place, __u32 limit, __u32 second)
{
	struct held *h = held_at(place);
	__u64 told;

	if (!h)
		return true;
	told = h->told;
	if (told >> 32 != second)
		h->told = (__u64)second << 32 | 1;
	else if ((__u32)told < limit)
		add(h->told, 1);
	else
		return false;
	return true;
}

/*
 * May this flow be named although there is no entry to show for it? Of what a cgroup may
 * tell in a second one half is for whatever comes first, the other for destinations that
 * it did not name before: so a flood hides neither what others do nor where else it goes.
 */
static __always_inline bool
may_name(const struct wire_flow *flow, const struct flow_key *destination, bool own)
{
	struct wire_settings *s = settings_get();
	__u32 second = flow->first_ns >> 30;
	struct held *h = held_at(flow->head.kind);
	__u64 *before;
	__u32 limit;

	if (!s || !h)
		return false;
	limit = s->told;
	if (!own && bpf_ringbuf_query(&ring_critical, BPF_RB_AVAIL_DATA) > s->pressed)
		limit = limit / 8 + 2;
	if (h->told >> 32 == second && (__u32)h->told >= limit / 2) {
		before = bpf_map_lookup_elem(&named, destination);
		if (before && flow->first_ns - *before < s->interval_ns)
			return false;
	}
	return spend(flow->head.kind, limit, second) &&
	       spend(flow->head.size, limit * 64, second) &&
	       spend(flow->head.cpu & 0xffff, limit * 256, second) &&
	       spend(flow->head.cpu >> 16, limit * 1024, second);
}

static __always_inline bool
name_untracked(struct wire_counters *c, const struct flow_key *key, const struct wire_flow *flow,
	       bool own)
{
	struct flow_key destination = *key;
	bool out;

	destination.cookie = flow->cgroup;
	destination.port = 0;
	if (!may_name(flow, &destination, own)) {
		fold(c);
		return false;
	}
	out = tell_opening(c, flow, own, flow->first_ns);
	if (out)
		bpf_map_update_elem(&named, &destination, &flow->first_ns, BPF_ANY);
	return out;
}

/*
 * A packet that found no room: its bytes are in the totals of its class. Its flow is
 * either named by an opening record, once, or counted there, never both.
 * first: nothing of this flow was told before.
 */
static __always_inline void
flow_overflow(struct wire_counters *c, const struct flow_key *key, struct wire_flow *flow, bool own,
	      bool first)
{
	bool out = false;

	flow->flags |= WIRE_FLOW_UNTRACKED;
	if (first)
		out = name_untracked(c, key, flow, own);
	else
		fold(c);
	total_add(own ? WIRE_TOTAL_TABLE_FULL_OWN : WIRE_TOTAL_TABLE_FULL_FOREIGN, first && !out,
		  flow->bytes, flow->wire_bytes);
}

/*
 * A flow's first packet. 0 when it was entered and announced, 1 when another CPU
 * was faster, -1 when there is no room for it.
 */
static __always_inline int
flow_begin(struct wire_counters *c, const struct flow_key *key, struct wire_flow *flow, bool first)
{
	bool own = is_own(&flow->dst);
	struct wire_flow *entry;
	long error = -1;

	flow->first_ns = bpf_ktime_get_boot_ns();
	flow->last_ns = flow->first_ns;
	flow->head.time_ns = flow->first_ns;
	if (!is_greedy(flow))
		error = bpf_map_update_elem(&flows, key, flow, BPF_NOEXIST);
	if (error == -17) { /* EEXIST */
		fold(c);
		return 1;
	}
	if (error) {
		flow_overflow(c, key, flow, own, first);
		return -1;
	}
	hold(flow, 1);
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
	flow_forget(key, flow);
	return true;
}

#endif /* FLOW_H */
